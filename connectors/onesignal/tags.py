"""User attributes as tags, one user a request; a segment as a tag, and a filter for it.

OneSignal has no segments that are lists: a segment is a rule. Ours is "has this tag", and the tag
is kept at the users who belong to it.

https://documentation.onesignal.com/reference/update-user
https://documentation.onesignal.com/docs/add-user-data-tags
https://documentation.onesignal.com/reference/create-segments
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import orjson

from connectors.attributes import plain
from connectors.customers import CustomerTarget, external_id
from connectors.errors import Reject, nothing_to_split
from connectors.onesignal.app import LONGEST_ID_BYTES, App
from connectors.tool import Encoded, Limits, Outcome, Window

MOST_TAGS = 100  # property updates a request
LONGEST_NAME = 128
MEMBER = "1"
# Words of message templates: a tag of this name could not be used there.
RESERVED = frozenset(
    {"message", "notification", "subscription", "user", "template", "app", "org",
     "dynamic_content", "data_feed", "journey", "custom_data"}
)  # fmt: skip


@dataclass(frozen=True)
class Attributes(CustomerTarget):
    """Tags of users. Setting one twice leaves it as it is."""

    app: App

    limits = Limits(items=1, body_bytes=100_000, item_bytes=100_000, envelope_bytes=0)
    windows = (Window(1_000, 1.0),)

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """Tags are texts. Raises Reject for an id, a name or a number of them that cannot be."""
        reserved = RESERVED.intersection(change)
        if reserved:
            raise Reject(f"{min(reserved)} is a word of OneSignal's templates, not a tag")
        if len(change) > MOST_TAGS:
            raise Reject(f"OneSignal takes {MOST_TAGS} tags in a request")
        tags = {name: tag(value) for name, value in change.items()}
        return Encoded(
            orjson.dumps(
                {"id": external_id(customer_id, most_bytes=LONGEST_ID_BYTES), "tags": tags}
            )
        )

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request for one user. Raises Retry, Stop, and Split when the user is refused."""
        record = orjson.loads(records[0])
        body = {"properties": {"tags": record["tags"]}}
        return Outcome(rate=self.app.call("PATCH", self.app.user(record["id"]), body).rate)


@dataclass(frozen=True)
class Members(Attributes):
    """Who carries the tag of one segment."""

    segment_id: str

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        value = MEMBER if change["member"] else None
        return super().encode(customer_id, {tag_of(self.segment_id): value})


def tag(value: Any) -> str:
    """A value as a tag: lists joined by commas, yes and no as 1 and 0; an empty text removes."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(plain(value))


def tag_of(segment_id: str) -> str:
    return f"rs_segment_{segment_id}"


def declare(app: App, segment_id: str, name: str) -> None:
    """Create the segment or give it its new name. Its UUID follows from our id, so that it is
    found again. Raises Retry or Stop."""
    number = str(uuid5(UUID(app.app_id), segment_id))
    rule = {"field": "tag", "key": tag_of(segment_id), "relation": "=", "value": MEMBER}
    body = {"name": name[:LONGEST_NAME], "filters": [rule]}
    with nothing_to_split():
        answer = app.call("PATCH", app.path(f"/segments/{number}"), body, fine=(404,))
        if answer.status == 404:
            app.call("POST", app.path("/segments"), {"id": number, **body})
