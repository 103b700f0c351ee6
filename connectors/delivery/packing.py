"""Records → requests, by the limits of the tool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from connectors.tool import Limits

COMMA = 1


@dataclass(frozen=True)
class Record:
    """One customer's change, ready to go.

    ``names`` are the attributes in it, ``desired`` the customer's whole desired state as
    canonical JSON (what is accepted once the tool takes the record), ``body`` what is sent.
    """

    customer_id: str
    names: tuple[str, ...]
    desired: str
    body: bytes
    lane: str = ""


def pack(records: Iterable[Record], limits: Limits) -> Iterator[list[Record]]:
    """Cut into requests, in order; memory holds one request a lane.

    Every request has at least one record, at most ``limits.items``, and a body of at most
    ``limits.body_bytes``. Raises ValueError for a record over ``limits.item_bytes``.
    """
    lanes: dict[str, tuple[list[Record], int]] = {}
    for record in records:
        batch, size = lanes.get(record.lane, ([], limits.envelope_bytes))
        if len(record.body) > limits.item_bytes:
            raise ValueError(f"a record of {len(record.body)} bytes is over the limit")
        grown = size + len(record.body) + (COMMA if batch else 0)
        if batch and (len(batch) == limits.items or grown > limits.body_bytes):
            yield batch
            batch, grown = [], limits.envelope_bytes + len(record.body)
        batch.append(record)
        lanes[record.lane] = batch, grown
    yield from (batch for batch, _ in lanes.values())
