"""Segments as static lists.

Iterable numbers its lists and cannot rename them, so the segment's id stands in the description.
https://api.iterable.com/api/docs#lists_subscribe
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import orjson

from connectors.customers import CustomerTarget
from connectors.errors import Stop
from connectors.http import Client, as_object, require_list
from connectors.iterable.answers import NOT_FOUND, REASONS, bulk_outcome, required
from connectors.iterable.attributes import user
from connectors.tool import Encoded, Limits, Outcome, Window

PATH = "/api/lists"
ADD, REMOVE = "subscribe", "unsubscribe"  # lanes, and the calls they are sent to


@dataclass(frozen=True)
class Lists:
    """Which list of the project holds which segment; asked for once."""

    client: Client
    _ids: dict[str, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def declare(self, segment_id: str, name: str) -> None:
        """Create the list unless there is one; it keeps its first name. Raises Retry or Stop."""
        if self._find(segment_id) is None:
            body = {"name": name, "description": _description(segment_id)}
            required(self.client, self.client.request("POST", PATH, body=orjson.dumps(body)))

    def id_of(self, segment_id: str) -> int:
        """Raises Retry or Stop."""
        with self._lock:
            list_id = self._ids.get(segment_id)
            if list_id is None:
                list_id = self._ids[segment_id] = self._existing(segment_id)
        return list_id

    def _existing(self, segment_id: str) -> int:
        list_id = self._find(segment_id)
        if list_id is None:
            raise Stop(
                f'there is no list with the description "{_description(segment_id)}":'
                " was it deleted in Iterable? Make a new segment to push it again"
            )
        return list_id

    def _find(self, segment_id: str) -> int | None:
        told = required(self.client, self.client.request("GET", PATH))
        for entry in map(as_object, require_list(told, "lists")):
            if entry.get("description") == _description(segment_id):
                return entry["id"] if type(entry.get("id")) is int else None
        return None


def _description(segment_id: str) -> str:
    return f"Rightsend segment {segment_id}"


@dataclass(frozen=True)
class Members(CustomerTarget):
    """Members of one list; adding or removing somebody twice changes nothing."""

    lists: Lists
    segment_id: str
    update_existing_only: bool

    limits = Limits(items=1_000, body_bytes=4_000_000, item_bytes=2_000, envelope_bytes=200)
    windows = (Window(5, 1.0),)  # Iterable publishes none for these calls: that of bulk updates

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """One subscriber. Raises Reject for an id that Iterable cannot take."""
        added = bool(change["member"])
        record = user(customer_id, create=added and not self.update_existing_only)
        return Encoded(orjson.dumps(record), ADD if added else REMOVE)

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request that adds or removes at most 1,000. Raises Retry, Split or Stop."""
        body: dict[str, Any] = {
            "listId": self.lists.id_of(self.segment_id),
            "subscribers": [orjson.Fragment(record) for record in records],
        }
        if lane == ADD:
            body["updateExistingUsersOnly"] = self.update_existing_only
        else:
            body["channelUnsubscribe"] = False  # leaves this list, and no other
        client = self.lists.client
        answer = client.request("POST", f"{PATH}/{lane}", body=orjson.dumps(body))
        outcome = bulk_outcome(client, answer, records)
        if lane == REMOVE:  # who is not there is no member
            rejected = {i: why for i, why in outcome.rejected.items() if why != REASONS[NOT_FOUND]}
            return Outcome(rejected, outcome.unlocated, outcome.rate)
        return outcome
