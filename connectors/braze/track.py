"""User attributes through POST /users/track.

https://www.braze.com/docs/api/endpoints/user_data/post_user_track/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.braze.answers import outcome
from connectors.braze.identity import external_id
from connectors.customers import CustomerTarget
from connectors.errors import Reject
from connectors.http import Client
from connectors.tool import Encoded, Limits, Outcome, Window

PATH = "/users/track"
ENVELOPE = b'{"attributes":[%b]}'
LIMITS = Limits(75, body_bytes=4_000_000, item_bytes=100_000, envelope_bytes=len(ENVELOPE))
WINDOWS = (Window(3_000, 3.0),)
RESERVED = frozenset(
    {"external_id", "user_alias", "braze_id", "email", "phone", "_update_existing_only",
     "_merge_objects", "push_token_import", "push_tokens", "subscription_groups"}
)  # fmt: skip


@dataclass(frozen=True)
class Attributes(CustomerTarget):
    """Attribute objects, one a customer. Setting a value twice leaves it as it is."""

    client: Client
    update_existing_only: bool

    limits = LIMITS
    windows = WINDOWS

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """One attributes object. Raises Reject for an id or a name that Braze cannot take."""
        check_names(change)
        record: dict[str, Any] = {"external_id": external_id(customer_id)}
        if self.update_existing_only:
            record["_update_existing_only"] = True
        return Encoded(orjson.dumps({**record, **change}))

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request. Raises Retry, Stop, and Split when Braze refuses without saying which."""
        return send(self.client, records)


def check_names(change: Mapping[str, Any]) -> None:
    """Raises Reject for a name that is not free for custom attributes."""
    reserved = RESERVED.intersection(change)
    if reserved:
        raise Reject(f"{min(reserved)} is a field of Braze, not a custom attribute")


def send(client: Client, records: Sequence[bytes]) -> Outcome:
    """POST attributes objects. Raises like ``Attributes.write``."""
    answer = client.request("POST", PATH, body=ENVELOPE % b",".join(records))
    return outcome(client, answer, "attributes", len(records))
