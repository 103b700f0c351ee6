"""Segments as lists.

A list has nothing but a name of its own, so the segment's id stands in it; the other words may be
changed in Klaviyo. https://developers.klaviyo.com/en/reference/lists_api_overview
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import orjson

from connectors.customers import CustomerTarget
from connectors.errors import Stop, nothing_to_split
from connectors.klaviyo import imports
from connectors.klaviyo.api import Api, attributes_of, resource_id
from connectors.klaviyo.profiles import ids_of, profile
from connectors.tool import Encoded, Limits, Outcome, Window

PATH = "/api/lists"
ADD, REMOVE = "add", "remove"  # lanes


@dataclass(frozen=True)
class Lists:
    """Which list of the account holds which segment; looked for once."""

    api: Api
    _ids: dict[str, str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def declare(self, segment_id: str, name: str) -> None:
        """Create the list, or give it its new name. Raises Retry or Stop."""
        called = {"name": f"{name} {_mark(segment_id)}"}
        list_id, known_as = self._find(segment_id)
        if list_id is None:
            self._call("POST", PATH, {"type": "list", "attributes": called})
        elif known_as != called["name"]:
            renamed = {"type": "list", "id": list_id, "attributes": called}
            self._call("PATCH", f"{PATH}/{list_id}", renamed)

    def id_of(self, segment_id: str) -> str:
        """Raises Retry or Stop."""
        with self._lock:
            if segment_id not in self._ids:
                list_id, _ = self._find(segment_id)
                if list_id is None:
                    raise Stop(
                        f'there is no list with "{_mark(segment_id)}" in its name:'
                        " was it deleted in Klaviyo? Make a new segment to push it again"
                    )
                self._ids[segment_id] = list_id
        return self._ids[segment_id]

    def _find(self, segment_id: str) -> tuple[str | None, str]:
        for entry in self.api.pages(PATH, {"fields[list]": "name", "sort": "-created"}):
            name = str(attributes_of(entry).get("name"))
            if _mark(segment_id) in name:
                return resource_id(entry), name
        return None, ""

    def _call(self, method: str, path: str, resource: Mapping[str, Any]) -> None:
        with nothing_to_split():
            self.api.call(method, path, {"data": resource})


def _mark(segment_id: str) -> str:
    return f"(Rightsend {segment_id})"


@dataclass(frozen=True)
class Members(CustomerTarget):
    """Members of one list; adding or removing somebody twice changes nothing."""

    lists: Lists
    segment_id: str

    limits = Limits(items=1_000, body_bytes=5_000_000, item_bytes=2_000, envelope_bytes=300)
    # Before 1,000 can leave, their ids are asked for in ten calls; 750 a minute are allowed.
    windows = (Window(5, 1.0), Window(60, 60.0))

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """One profile. Raises Reject for an id that Klaviyo cannot take."""
        return Encoded(orjson.dumps(profile(customer_id)), ADD if change["member"] else REMOVE)

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One change of at most 1,000 members. Who comes is imported into the list by external id;
        who leaves must be named by Klaviyo's own id. Raises Retry, Split or Stop."""
        api, list_id = self.lists.api, self.lists.id_of(self.segment_id)
        if lane == ADD:
            return imports.run(api, records, list_id)
        leaving = [orjson.loads(record)["attributes"]["external_id"] for record in records]
        members = [{"type": "profile", "id": found} for found in ids_of(api, leaving).values()]
        if not members:
            return Outcome()
        path = f"{PATH}/{list_id}/relationships/profiles"
        return Outcome(rate=api.call("DELETE", path, {"data": members}).rate)
