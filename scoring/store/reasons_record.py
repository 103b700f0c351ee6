"""Why a customer's first items are recommended, as the end of a customer record holds it.

    items explained u8, bytes that follow u16; then for each of these items its reasons:
    a byte (128: another reason of the item follows; low 7 bits: number of the code, 0 = none),
    then the code's parameters, each as LEB128: one byte up to 127, two above

An item without a reason takes one byte, a reason one to five, mostly three. Plain Python, as a
web worker reads it; scoring.store.reasons_packing writes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from scoring.reasons.reason import CODE_SHIFT, LIMITS, MOST_REASONS, PARAMETERS, SHIFTS
from scoring.store.errors import RecordError

REASONS_HEAD = struct.Struct("<BH")
MORE = 0x80
_PARAMETERS = (0, *(len(names) for names in PARAMETERS.values()))  # by number of the code


class PackedReasons(NamedTuple):
    """Where the reasons lie within a record, and of how many items they are."""

    start: int
    end: int
    items: int

    @classmethod
    def at(cls, raw: bytes, at: int) -> PackedReasons:
        """What the head at ``at`` says. Raises RecordError if the record ends before it."""
        try:
            items, length = REASONS_HEAD.unpack_from(raw, at)
        except struct.error:
            raise RecordError(f"customer record of {len(raw)} bytes ends before reasons") from None
        start = at + REASONS_HEAD.size
        return cls(start, start + length, items)


NO_REASONS = PackedReasons(0, 0, 0)


def unpack_reasons(raw: bytes, packed: PackedReasons) -> Iterator[tuple[int, ...]]:
    """The reasons of one item after the other, as numbers that scoring.reasons.reason.decode
    accepts. Raises RecordError for rubbish, at the latest when all are taken."""
    at = packed.start
    try:
        for _ in range(packed.items):
            found, at = _of_item(raw, at)
            yield found
    except IndexError:
        raise RecordError("reasons end in the middle") from None
    if packed.items and at != packed.end:
        raise RecordError(f"reasons end at byte {at}, expected {packed.end}")


def _of_item(raw: bytes, at: int) -> tuple[tuple[int, ...], int]:
    if raw[at] == 0:
        return (), at + 1
    found: list[int] = []
    codes: set[int] = set()
    more = MORE
    while more:
        more, code = raw[at] & MORE, raw[at] & ~MORE
        if not 1 <= code < len(_PARAMETERS) or code in codes or len(found) == MOST_REASONS:
            raise RecordError(f"reason of code {code} after {len(found)} others")
        codes.add(code)
        number = code << CODE_SHIFT
        at += 1
        for limit, shift in zip(LIMITS[: _PARAMETERS[code]], SHIFTS, strict=False):
            value = raw[at]
            at += 1
            if value & MORE:
                value = value & ~MORE | raw[at] << 7
                at += 1
            if value > limit:
                raise RecordError(f"reason of code {code} with {value}, at most {limit}")
            number |= value << shift
        found.append(number)
    return tuple(found), at
