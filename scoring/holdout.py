"""Who is held out of a campaign: the same customers in a segment and at send time."""

from __future__ import annotations

from hashlib import blake2b

TREATMENT, CONTROL = "treatment", "control"
_ALL = 2**64


def arm(customer: bytes, campaign: str, share: float) -> str:
    """CONTROL for ``share`` (0 … 1) of the customers, by a hash of campaign and customer.

    ``customer`` is the keyed hash of scoring.store.keys, which keys this one: nobody outside can
    tell who is held out. Campaigns are independent of each other; those held out at a smaller share
    are so at a larger one.
    """
    if share <= 0.0:
        return TREATMENT
    text = campaign.encode("utf-8", "surrogatepass")
    digest = blake2b(text, key=customer, digest_size=8).digest()
    return CONTROL if int.from_bytes(digest) < round(share * _ALL) else TREATMENT
