"""How a customer of ours is called in Braze: by external id."""

from __future__ import annotations

from connectors.errors import Reject
from scoring.columns import EXTERNAL_ID, IDENTIFIER_KINDS

# Braze refuses longer ones for good, with prose only.
LONGEST_EXTERNAL_ID_BYTES = 987
ANONYMOUS = tuple(f"{kind}:" for kind in IDENTIFIER_KINDS if kind != EXTERNAL_ID)


def has_external_id(customer_id: str) -> bool:
    """A customer known by a device or an alias only is called "kind:identifier" here and has no
    external id."""
    return bool(customer_id) and not customer_id.startswith(ANONYMOUS)


def external_id(customer_id: str) -> str:
    """Raises Reject when Braze would refuse it."""
    if len(customer_id.encode()) > LONGEST_EXTERNAL_ID_BYTES:
        raise Reject(f"the external id is longer than {LONGEST_EXTERNAL_ID_BYTES} bytes")
    return customer_id
