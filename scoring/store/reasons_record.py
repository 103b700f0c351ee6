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


def unpack_reasons(raw: bytes, packed: PackedReasons) -> Iterator[tuple[int, ...]]:
    """The reasons of one item after the other, as numbers that scoring.reasons.reason.decode
    accepts. Raises RecordError for rubbish, at the latest when all are taken."""
    at = packed.start
    try:
        for _ in range(packed.items):
            found: tuple[int, ...] = ()
            more = raw[at]
            if not more:
                at += 1
            while more:
                head = raw[at]
                number, at = _reason(raw, at)
                found += (number,)
                more = head & MORE
            if len(found) > 1:
                _check(found)
            yield found
    except IndexError:
        raise RecordError("reasons end in the middle") from None
    if packed.items and at != packed.end:
        raise RecordError(f"reasons end at byte {at}, expected {packed.end}")


def _reason(raw: bytes, at: int) -> tuple[int, int]:
    """A reason's number and where the next one begins; unrolled, as every answer waits for it."""
    code = raw[at] & ~MORE
    parameters = _PARAMETERS[code] if 0 < code < len(_PARAMETERS) else -1
    at += 1
    if not parameters:
        return code << CODE_SHIFT, at
    if parameters < 0:
        raise RecordError(f"reason of unknown code {code}")
    first = raw[at]
    at += 1
    if first & MORE:
        first += (raw[at] << _CUT) - MORE
        at += 1
    second = 0
    if parameters > 1:
        second = raw[at]
        at += 1
        if second & MORE:
            second += (raw[at] << _CUT) - MORE
            at += 1
    if first > _MOST_FIRST or second > _MOST_SECOND:
        raise RecordError(f"reason of code {code} with {first} and {second}")
    return code << CODE_SHIFT | first << _FIRST | second << _SECOND, at


def _check(found: tuple[int, ...]) -> None:
    codes = [number >> CODE_SHIFT for number in found]
    if len(codes) > MOST_REASONS or len(set(codes)) < len(codes):
        raise RecordError(f"codes {codes} are not up to {MOST_REASONS} reasons")
