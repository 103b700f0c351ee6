"""Attributes of people: ``identify`` in a batch of the Track API.

https://docs.customer.io/integrations/api/track/#tag/track_v2
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.customerio.batch import LIMITS, WINDOWS, person, send
from connectors.customers import CustomerTarget
from connectors.errors import Reject
from connectors.http import Client
from connectors.tool import Encoded, Outcome

LONGEST_NAME_BYTES = 150
LONGEST_VALUE_BYTES = 1_000
MOST_ATTRIBUTES = 300
REMOVED = ""  # an empty value takes an attribute away
RESERVED = frozenset(
    {"id", "email", "phone", "cio_id", "anonymous_id", "created_at", "unsubscribed", "_update",
     "cio_subscription_preferences", "cio_relationships"}
)  # fmt: skip


@dataclass(frozen=True)
class Attributes(CustomerTarget):
    """One ``identify`` a customer. Setting a value twice leaves it as it is."""

    client: Client
    update_existing_only: bool

    limits = LIMITS
    windows = WINDOWS

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """Raises Reject for an id, a name or a value that Customer.io cannot take."""
        reserved = RESERVED.intersection(change)
        if reserved:
            raise Reject(f"{min(reserved)} is a field of Customer.io, not an attribute")
        if len(change) > MOST_ATTRIBUTES:
            raise Reject(f"there are more than {MOST_ATTRIBUTES} attributes")
        attributes: dict[str, Any] = {}
        for name, value in change.items():
            if len(name.encode()) > LONGEST_NAME_BYTES:
                raise Reject(f"the name of an attribute is longer than {LONGEST_NAME_BYTES} bytes")
            if len(orjson.dumps(value)) > LONGEST_VALUE_BYTES:
                raise Reject(f"{name} is longer than {LONGEST_VALUE_BYTES} bytes")
            attributes[name] = REMOVED if value is None else value
        if self.update_existing_only:
            attributes["_update"] = True
        return Encoded(person(customer_id, "identify", attributes=attributes))

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request. Raises Retry, Stop, and Split."""
        return send(self.client, records)
