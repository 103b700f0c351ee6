"""Why a customer's first items are recommended, as the end of a customer record holds it.

    items explained u8; two bits an item, how many reasons it has (four items a byte, the first one
    in the lowest bits); then each reason's place in the layout's reasons, u16

What is said of one customer is said of many, so that a web process has the sentences ready by
their place. Plain Python, as a web worker reads it; scoring.store.reasons_packing writes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from scoring.store.errors import RecordError

MOST_PLACES = 65_536
_COUNTS = tuple(tuple(byte >> shift & 3 for shift in (0, 2, 4, 6)) for byte in range(256))
_TOTALS = tuple(map(sum, _COUNTS))
_OLD_HEAD = struct.Struct("<BH")  # items, bytes that follow


class PackedReasons(NamedTuple):
    """Where the reasons lie within a record (``start``: of the places), how many reasons and of
    how many items they are."""

    start: int
    total: int
    items: int

    @property
    def end(self) -> int:
        return self.start + 2 * self.total

    @classmethod
    def at(cls, raw: bytes, at: int) -> PackedReasons:
        """What the head at ``at`` says. Raises RecordError if the record ends before it."""
        items = raw[at] if at < len(raw) else 0
        start = at + 1 + (items + 3) // 4
        if start > len(raw):
            raise RecordError(f"customer record of {len(raw)} bytes ends before reasons")
        return cls(start, sum([_TOTALS[byte] for byte in raw[at + 1 : start]]), items)


NO_REASONS = PackedReasons(0, 0, 0)


def split_reasons(raw: bytes, packed: PackedReasons) -> Iterator[tuple[int, ...]]:
    """The reasons of one item after the other, as places in the layout's reasons."""
    start, total, items = packed
    places = struct.unpack_from(f"<{total}H", raw, start)
    at = 0
    counted = raw[start - (items + 3) // 4 : start]
    for count in islice([count for byte in counted for count in _COUNTS[byte]], items):
        yield places[at : at + count]
        at += count


def end_of_old_reasons(raw: bytes, at: int) -> int:
    """Where the reasons of an older record end. Raises RecordError if it ends before them."""
    try:
        _, length = _OLD_HEAD.unpack_from(raw, at)
    except struct.error:
        raise RecordError(f"customer record of {len(raw)} bytes ends before reasons") from None
    return at + _OLD_HEAD.size + int(length)
