"""What a customer bought before the night and does not need again yet: the end of a customer
record (version 5).

    bytes that follow u8 (0: nothing is out); a day u16 (days since 1970, UTC); for each item, in
    the order of published numbers: days after that day u8, on which it may be shown again; then for
    each the difference to the number before u16

An entry of 0 days is no item: it bridges a difference that needs more bits. Plain Python, as a web
worker reads it; scoring.store.bought_packing writes many at once.
"""

from __future__ import annotations

from itertools import accumulate
from struct import Struct

from scoring.store.errors import RecordError

MOST_BOUGHT = 30  # items a customer, those bought last
HEAD_BYTES, ENTRY_BYTES = 2, 3
MOST_ENTRIES = (0xFF - HEAD_BYTES) // ENTRY_BYTES
MOST_LATER, MOST_APART = 0xFF, 0xFFFF  # days, numbers


_LAYOUTS = {
    HEAD_BYTES + ENTRY_BYTES * count: Struct(f"<H{count}s{count}H")
    for count in range(1, MOST_ENTRIES + 1)
}


def still_out(raw: bytes, day: int) -> set[int]:
    """Published numbers of what is out on ``day`` (days since 1970, UTC); ``raw`` without its
    length. Raises RecordError for rubbish."""
    layout = _LAYOUTS.get(len(raw))
    if layout is None:
        raise RecordError(f"{len(raw)} bytes of what was bought")
    base, later, *apart = layout.unpack(raw)
    passed = max(day - base, 0)
    pairs = zip(accumulate(apart), later, strict=True)
    return {number for number, days in pairs if days > passed}
