"""Which of our customers a host tool can know: those with an external id of the shop's own."""

from __future__ import annotations

from connectors.errors import Reject
from scoring.columns import EXTERNAL_ID, IDENTIFIER_KINDS

ANONYMOUS = tuple(f"{kind}:" for kind in IDENTIFIER_KINDS if kind != EXTERNAL_ID)


def has_external_id(customer_id: str) -> bool:
    """A customer known by a device or an alias only is called "kind:identifier" here and has no
    external id."""
    return bool(customer_id) and not customer_id.startswith(ANONYMOUS)


def within(customer_id: str, longest_bytes: int) -> str:
    """The id itself. Raises Reject when it is longer than the tool takes."""
    if len(customer_id.encode()) > longest_bytes:
        raise Reject(f"the external id is longer than {longest_bytes} bytes")
    return customer_id
