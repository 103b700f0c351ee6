"""Records → requests, by the limits of the tool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from connectors.tool import Limits

COMMA = 1


class Record(NamedTuple):
    """One key's change, ready to go.

    ``names`` are the attributes in it as a JSON list, ``points`` how many there are, ``desired``
    the key's whole desired state as canonical JSON (what is accepted once the tool takes the
    record), ``content`` a hash of what was asked for, ``body`` what is sent.
    """

    key: str
    names: str
    points: int
    desired: str
    content: bytes
    lane: str
    body: bytes


def pack(records: Iterable[Record], limits: Limits) -> Iterator[list[Record]]:
    """Cut into requests of one lane each, in order; memory holds one request a lane.

    Every request has at least one record, at most ``limits.items``, and a body of at most
    ``limits.body_bytes``. Raises ValueError for a record over ``limits.item_bytes``.
    """
    lanes: dict[str, tuple[list[Record], int]] = {}
    for record in records:
        batch, size = lanes.get(record.lane, ([], limits.envelope_bytes))
        length = len(record.body)
        if length > limits.item_bytes:
            raise ValueError(f"a record of {length} bytes is over the limit")
        grown = size + length + (COMMA if batch else 0)
        if batch and (len(batch) == limits.items or grown > limits.body_bytes):
            yield batch
            batch, grown = [], limits.envelope_bytes + length
        batch.append(record)
        lanes[record.lane] = batch, grown
    yield from (batch for batch, _ in lanes.values())
