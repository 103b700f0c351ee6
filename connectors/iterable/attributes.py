"""User attributes through POST /api/users/bulkUpdate.

https://api.iterable.com/api/docs#users_bulkUpdateUser
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.customers import CustomerTarget
from connectors.errors import Reject
from connectors.http import Client
from connectors.iterable.answers import bulk_outcome
from connectors.tool import Encoded, Limits, Outcome, Window

PATH = "/api/users/bulkUpdate"
# A new attribute becomes a field of the project, whatever the project's own setting.
ENVELOPE = b'{"createNewFields":true,"users":[%b]}'
LONGEST_USER_ID = 52  # characters: https://support.iterable.com/hc/en-us/articles/9216719179796
# https://support.iterable.com/hc/en-us/articles/217744303
RESERVED = frozenset(
    {"email", "userId", "profileUpdatedAt", "signupDate", "signupSource", "emailListIds",
     "userListIds", "subscribedMessageTypeIds", "unsubscribedMessageTypeIds",
     "unsubscribedChannelIds", "phoneNumber", "phoneNumberDetails", "devices", "browserTokens",
     "itblInternal", "itblDS", "itblUserId"}
)  # fmt: skip


def user(customer_id: str, *, create: bool) -> dict[str, Any]:
    """How a user is named in a bulk call; ``create`` one that does not exist yet. Raises Reject."""
    if len(customer_id) > LONGEST_USER_ID:
        raise Reject(f"the customer id is longer than {LONGEST_USER_ID} characters")
    named: dict[str, Any] = {"userId": customer_id}
    if create:
        named["preferUserId"] = True
    return named


@dataclass(frozen=True)
class Attributes(CustomerTarget):
    """Data fields, one object a user. Setting a value twice leaves it as it is; null removes."""

    client: Client
    update_existing_only: bool

    limits = Limits(1_000, body_bytes=4_000_000, item_bytes=100_000, envelope_bytes=len(ENVELOPE))
    windows = (Window(5, 1.0),)

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """One user object. Raises Reject for an id or a name that Iterable cannot take."""
        for name in change:
            if name in RESERVED:
                raise Reject(f"{name} is a field of Iterable, not a custom one")
            if "." in name:
                raise Reject(f"{name} has a period, which a field's name cannot have")
        record = user(customer_id, create=not self.update_existing_only)
        return Encoded(orjson.dumps({**record, "dataFields": change}))

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request. Raises Retry, Stop, and Split when Iterable refuses without saying whom."""
        body = ENVELOPE % b",".join(records)
        return bulk_outcome(self.client, self.client.request("POST", PATH, body=body), records)
