"""Why a customer's first items are recommended, as the end of a customer record holds it.

    items explained u8, bytes that follow u16; then for each of these items the bytes of its
    reasons u8, and the reasons: number of the code u8, then the code's parameters, each as LEB128
    (one byte up to 127, two above)

An item without a reason takes one byte, a reason one to five, mostly three. Plain Python, as a
web worker reads it; scoring.store.reasons_packing writes.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from scoring.reasons.reason import CODE_SHIFT, LIMITS, MOST_REASONS, PARAMETERS, SHIFTS
from scoring.store.errors import RecordError

REASONS_HEAD = struct.Struct("<BH")
LONG = 0x80  # of a parameter's first byte: another follows
_CUT = 7  # bits of a parameter in one byte
_FIRST, _SECOND = SHIFTS
_MOST_FIRST, _MOST_SECOND = LIMITS
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


def split_reasons(raw: bytes, packed: PackedReasons) -> list[bytes]:
    """The reasons of each item, still packed. Raises RecordError if they do not end where they
    should."""
    found = []
    at = packed.start
    for _ in range(packed.items):
        if at >= packed.end:
            raise RecordError("reasons end in the middle")
        start = at + 1
        at = start + raw[at]
        found.append(raw[start:at])
    if at != packed.end:
        raise RecordError(f"reasons end at byte {at}, expected {packed.end}")
    return found


def single_reasons(packed: bytes) -> list[bytes]:
    """An item's reasons apart, each still packed. Raises RecordError for rubbish."""
    found = []
    at, end = 0, len(packed)
    try:
        while at < end:
            start = at
            at += 1
            for _ in range(_PARAMETERS[packed[start]]):
                at += 1 if packed[at] < LONG else 2
            found.append(packed[start:at])
    except IndexError:
        raise RecordError("a reason ends in the middle, or has an unknown code") from None
    return found


def reason_numbers(packed: bytes) -> tuple[int, ...]:
    """An item's reasons as numbers that scoring.reasons.reason.decode accepts.

    Raises RecordError for rubbish.
    """
    found: list[int] = []
    at = 0
    try:
        while at < len(packed):
            number, at = _reason(packed, at)
            found.append(number)
    except IndexError:
        raise RecordError("a reason ends in the middle") from None
    codes = {number >> CODE_SHIFT for number in found}
    if len(found) > MOST_REASONS or len(codes) < len(found):
        raise RecordError(f"{len(found)} reasons of {len(codes)} codes, at most {MOST_REASONS}")
    return tuple(found)


def _reason(raw: bytes, at: int) -> tuple[int, int]:
    """A reason's number and where the next one begins."""
    code = raw[at]
    parameters = _PARAMETERS[code] if 0 < code < len(_PARAMETERS) else -1
    at += 1
    if not parameters:
        return code << CODE_SHIFT, at
    if parameters < 0:
        raise RecordError(f"reason of unknown code {code}")
    first = raw[at]
    at += 1
    if first & LONG:
        first += (raw[at] << _CUT) - LONG
        at += 1
    second = 0
    if parameters > 1:
        second = raw[at]
        at += 1
        if second & LONG:
            second += (raw[at] << _CUT) - LONG
            at += 1
    if first > _MOST_FIRST or second > _MOST_SECOND:
        raise RecordError(f"reason of code {code} with {first} and {second}")
    return code << CODE_SHIFT | first << _FIRST | second << _SECOND, at
