"""Records → requests, by the limits of the tool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from connectors.tool import Limits

COMMA = 1


class Record(NamedTuple):
    """One key's change, ready to go: the line ``seq`` of the plan, which holds the rest.

    ``points`` are the attributes in it, ``body`` is what is sent.
    """

    seq: int
    key: str
    points: int
    lane: str
    body: bytes


def pack(records: Iterable[Record], limits: Limits) -> Iterator[list[Record]]:
    """Cut into requests of one lane each, in order; memory holds one request a lane.

    Every request has at least one record, at most ``limits.items``, and a body of at most
    ``limits.body_bytes``. Raises ValueError for a record over ``limits.item_bytes``.
    """
    items, body_bytes, item_bytes = limits.items, limits.body_bytes, limits.item_bytes
    open_lanes: dict[str, tuple[list[Record], int]] = {}
    lane, batch, size = "", list[Record](), limits.envelope_bytes
    for record in records:
        if record.lane != lane:
            open_lanes[lane] = batch, size
            lane = record.lane
            batch, size = open_lanes.get(lane, ([], limits.envelope_bytes))
        length = len(record.body)
        if length > item_bytes:
            raise ValueError(f"a record of {length} bytes is over the limit")
        if batch and (len(batch) == items or size + COMMA + length > body_bytes):
            yield batch
            batch, size = [], limits.envelope_bytes
        size += length + (COMMA if batch else 0)
        batch.append(record)
    open_lanes[lane] = batch, size
    yield from (batch for batch, _ in open_lanes.values() if batch)
