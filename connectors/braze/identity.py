"""How a customer of ours is called in Braze: by external id."""

from __future__ import annotations

from connectors import customers

# Braze refuses longer ones for good, with prose only.
LONGEST_EXTERNAL_ID_BYTES = 987


def external_id(customer_id: str) -> str:
    """Raises Reject when Braze would refuse it."""
    return customers.external_id(customer_id, most_bytes=LONGEST_EXTERNAL_ID_BYTES)
