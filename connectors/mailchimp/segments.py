"""Segments as static segments of the audience, which have our id in their names.

https://mailchimp.com/developer/marketing/api/list-segments/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import orjson

from connectors.errors import Retry, Stop, nothing_to_split
from connectors.mailchimp.audience import Audience, ContactTarget
from connectors.tool import Encoded, Outcome

LONGEST_NAME = 100  # characters, our id first: it must not be what is cut


def find(audience: Audience, segment_id: str) -> int | None:
    """Mailchimp's id of our segment. Raises Retry, Split or Stop."""
    for each in audience.all("segments", type="static"):
        if _mark(segment_id) in str(each.get("name")):
            if type(each.get("id")) is not int:
                raise Retry("the answer is not Mailchimp's, so nobody knows")
            return int(each["id"])
    return None


def declare(audience: Audience, segment_id: str, name: str) -> None:
    """Create the segment, or give it its new name. Raises Retry or Stop."""
    body: dict[str, Any] = {"name": f"{_mark(segment_id)} {name}"[:LONGEST_NAME]}
    with nothing_to_split():
        number = find(audience, segment_id)
        if number is None:
            audience.call("POST", "/segments", {**body, "static_segment": []})
        else:
            audience.call("PATCH", f"/segments/{number}", body)


@dataclass(frozen=True)
class Members(ContactTarget):
    """Members of one segment; who is no contact of the audience is left out by Mailchimp."""

    audience: Audience
    segment_id: str
    _number: list[int] = field(default_factory=list)  # once it is known
    _lock: Lock = field(default_factory=Lock, repr=False)

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        lane = "members_to_add" if change["member"] else "members_to_remove"
        return Encoded(orjson.dumps(customer_id), lane)

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request. Raises Retry, Split, and Stop for a segment that is gone."""
        with self._lock:
            if not self._number:
                number = find(self.audience, self.segment_id)
                if number is None:
                    raise Stop("the segment is gone: was it deleted in Mailchimp?")
                self._number.append(number)
        addresses = [orjson.loads(record) for record in records]
        told = self.audience.call("POST", f"/segments/{self._number[0]}", {lane: addresses})
        return self.audience.outcome(told, addresses)


def _mark(segment_id: str) -> str:
    return f"(Rightsend {segment_id})"
