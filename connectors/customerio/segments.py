"""Segments as manual segments: found by their description, changed by who came and who left.

Customer.io gives a segment its own number and keeps its first name: its API cannot rename one. Our
id stands in the description, by which the number is found again. Ids that nobody has are ignored.

https://docs.customer.io/integrations/api/app/tag/segments/createManSegment/
https://docs.customer.io/integrations/api/track/#tag/Track-Segments
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from connectors.customerio.batch import LONGEST_ID_BYTES, WINDOWS, understood
from connectors.customers import CustomerTarget, external_id
from connectors.errors import Retry, Stop, nothing_to_split
from connectors.http import Client, as_list, as_object, require_list
from connectors.tool import Encoded, Limits, Outcome

SEGMENTS = "/v1/segments"
ADD, REMOVE = "add_customers", "remove_customers"
ENVELOPE = b'{"ids":[%b]}'
IDS_PER_PAGE = 10_000


@dataclass(frozen=True)
class Members(CustomerTarget):
    """Membership of one segment; adding or removing somebody twice changes nothing."""

    track: Client
    app: Client
    segment_id: str

    limits = Limits(1_000, body_bytes=499_999, item_bytes=32_000, envelope_bytes=len(ENVELOPE))
    windows = WINDOWS

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """The id as JSON; who comes and who leaves travel apart."""
        lane = ADD if change["member"] else REMOVE
        return Encoded(orjson.dumps(external_id(customer_id, most_bytes=LONGEST_ID_BYTES)), lane)

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request with at most 1,000 ids. Raises Retry, Split or Stop."""
        path = f"/api/v1/segments/{self._number}/{lane}"
        answer = self.track.request("POST", path, body=ENVELOPE % b",".join(records))
        understood(self.track, answer)
        return Outcome(rate=answer.rate)

    @cached_property
    def _number(self) -> int:
        number = find(self.app, self.segment_id)
        if number is None:
            raise Stop(
                f"Customer.io has no manual segment described {description(self.segment_id)}"
            )
        return number


def description(segment_id: str) -> str:
    """What stands in the segment's description, and must stay there."""
    return f"rightsend:{segment_id}"


def declare(app: Client, segment_id: str, name: str) -> None:
    """Create the segment unless it is there. Raises Retry or Stop."""
    if find(app, segment_id) is not None:
        return
    segment = {"name": name, "description": description(segment_id)}
    _json(app, "POST", SEGMENTS, body=orjson.dumps({"segment": segment}))


def find(app: Client, segment_id: str) -> int | None:
    """Customer.io's number of our segment, None when there is none. Raises Retry or Stop."""
    told = _json(app, "GET", SEGMENTS)
    for segment in map(as_object, require_list(told, "segments")):
        if segment.get("description") == description(segment_id):
            number = segment.get("id")
            if type(number) is int:
                return number
    return None


def audience(app: Client, number: str) -> Iterator[str]:
    """Customer ids of those in segment ``number`` of Customer.io; who has none is left out.

    Raises Retry or Stop. https://docs.customer.io/integrations/api/app/tag/segments/
    """
    if not re.fullmatch("[0-9]+", number):
        raise Stop(f"a segment of Customer.io is a number, not {number!r}")
    start = ""
    while True:
        params = {"limit": str(IDS_PER_PAGE), **({"start": start} if start else {})}
        page = _json(app, "GET", f"{SEGMENTS}/{number}/membership", params=params)
        for member in map(as_object, as_list(page.get("identifiers"))):
            customer_id = member.get("id")
            if isinstance(customer_id, str) and customer_id:
                yield customer_id
        following = page.get("next")
        if not following or not isinstance(following, str):
            return
        if following == start:
            raise Retry("the list of members does not go on")
        start = following


def _json(
    app: Client,
    method: str,
    path: str,
    *,
    body: bytes | None = None,
    params: Mapping[str, str] | None = None,
) -> Mapping[str, Any]:
    with nothing_to_split():
        return understood(app, app.request(method, path, body=body, params=params))
