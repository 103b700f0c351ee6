"""Identity: one person under one id, and nobody who must not be there.

https://docs.customer.io/integrations/api/track/#tag/track_v2
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from connectors.customerio.batch import LONGEST_ID_BYTES, person, send_all
from connectors.http import Client
from scoring.columns import EXTERNAL_ID

ANONYMOUS = ("device_id", "alias")


def identify(client: Client, pairs: Sequence[tuple[str, str, str]]) -> None:
    """(identifier kind, identifier, customer id): what was done without a name, and another id of
    the same person, become the customer's. Hashed addresses mean nothing to Customer.io and are
    left out. Raises Retry, and Stop when one was refused (the others are done)."""
    send_all(
        client,
        [
            person(customer, "identify", attributes={"anonymous_id": identifier, "_update": True})
            for kind, identifier, customer in pairs
            if kind in ANONYMOUS and _possible(customer)
        ],
    )
    merge(client, [(found, customer) for kind, found, customer in pairs if kind == EXTERNAL_ID])


def merge(client: Client, pairs: Sequence[tuple[str, str]]) -> None:
    """(gone customer id, staying customer id). Customer.io does nothing for who is not there, so a
    merge may be asked for again. Raises like identify."""
    send_all(
        client,
        [
            orjson.dumps(
                {
                    "type": "person",
                    "action": "merge",
                    "primary": {"id": staying},
                    "secondary": {"id": gone},
                }
            )
            for gone, staying in pairs
            if _possible(gone) and _possible(staying)
        ],
    )


def erase(client: Client, customer_ids: Sequence[str]) -> None:
    """Delete people; who is not there is fine. Raises like identify."""
    send_all(client, [person(each, "delete") for each in customer_ids if _possible(each)])


def _possible(customer_id: str) -> bool:
    """Whether anybody in Customer.io can have this id."""
    return 0 < len(customer_id.encode()) <= LONGEST_ID_BYTES
