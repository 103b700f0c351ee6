"""Packed records: what Redis holds for a customer and for an item's relations.

A ranked list of n (index, score) pairs, best first, is two bit strings: n indexes, then the scores
in unary. A score is a level: 1/16 of a factor of two below the level before (so it is right to
2.2 %); the string has a 0 for each level down and a 1 for each entry. What stands in many
customers' lists has an index of few bits (scoring.store.codes; before version 4 all had as many).
Fifty items, a hundred brands and twenty categories so take about 280 bytes, and the first ten
entries are read without touching the rest.

    customer  version 1 to 5, three counts, three first levels, three score lengths: u8 each;
              purchase probability u16 (level 1/4096); expected purchases float16; from version 4 on
              three lengths of indexes u16; the lists;
              from version 4 on the reasons for the first items (scoring.store.reasons_record; in
              versions 2 and 3 in another form, which is skipped); from version 3 on the bytes that
              follow u16, and extras (scoring.store.extras); from version 5 on what was bought
              (scoring.store.bought_record)
    alias     version 0x81, hash of the customer
    relations version 1, two counts, two score lengths: u8; two first scores float32; the lists

Nothing here imports numpy or pyarrow: a web worker reads with it. scoring.store.packing writes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from itertools import accumulate, chain, repeat
from typing import NamedTuple

from scoring.store.bought_record import still_out
from scoring.store.codes import Code, fixed_code
from scoring.store.errors import RecordError
from scoring.store.extras import Extras, ExtrasNames, unpack_extras
from scoring.store.keys import HASH_BYTES
from scoring.store.reasons_record import (
    NO_REASONS,
    PackedReasons,
    end_of_old_reasons,
    split_reasons,
)

VERSION = 1
EXTENDED = 3  # from this version on a customer has extras
INDEXED = 4  # reasons by their place in the layout's, coded indexes
WRITTEN = 5  # now: what was bought as well
ALIAS = 0x81
LEVELS_PER_OCTAVE = 16
LOWEST_LEVEL = 255
MAX_ENTRIES = 255  # of one list
SCALAR_STEPS = 4096  # levels an octave of the purchase probability
CUSTOMER_HEAD = struct.Struct("<10BHe")
INDEX_HEAD = struct.Struct("<3H")
EXTRAS_HEAD = struct.Struct("<H")
RELATIONS_HEAD = struct.Struct("<5Bff")

# rounded to what a level can say, so that answers stay short
_LEVELS = tuple(
    float(f"{2 ** (-level / LEVELS_PER_OCTAVE):.3g}") for level in range(LOWEST_LEVEL + 1)
)


_NOTHING: frozenset[int] = frozenset()


class Widths(NamedTuple):
    """Bits of an index into the published items, the brands and the categories where all have as
    many; ``codes`` where they have not."""

    items: int
    brands: int
    categories: int
    codes: tuple[Code, ...]

    @classmethod
    def of(
        cls, items: int, brands: int, categories: int, codes: Sequence[Sequence[int]] = ()
    ) -> Widths:
        """For so many rows each; ``codes``: the widths of three codes (default: the fixed ones).

        Raises RecordError for codes that cannot be.
        """
        fixed = [max(1, (rows - 1).bit_length()) for rows in (items, brands, categories)]
        try:
            given = codes or [[width] for width in fixed]
            three = tuple(map(Code.of, given))
        except (ValueError, TypeError) as problem:
            raise RecordError(f"widths of indexes: {problem}") from None
        return cls(fixed[0], fixed[1], fixed[2], three)


class PackedList(NamedTuple):
    """Where one ranked list lies within a record."""

    at: int
    entries: int
    first_level: int
    score_bytes: int
    index_bytes: int
    code: Code

    @property
    def end(self) -> int:
        return self.at + self.index_bytes + self.score_bytes


class CustomerRecord:
    """A customer's packed scores; lists are unpacked when asked for.

    Raises RecordError at once if head and length do not belong together.
    """

    __slots__ = (
        "_heads",
        "_purchase",
        "_reasons",
        "bought_raw",
        "expected_purchases",
        "extras_raw",
        "raw",
    )

    def __init__(self, raw: bytes, widths: Widths) -> None:
        try:
            version, *head, self._purchase, self.expected_purchases = CUSTOMER_HEAD.unpack_from(raw)
        except struct.error:
            raise RecordError(f"customer record of {len(raw)} bytes is too short") from None
        if not VERSION <= version <= WRITTEN:
            raise RecordError(f"customer record of version {version}, expected 1 to {WRITTEN}")
        counts, levels, lengths = head[:3], head[3:6], head[6:]
        if version >= INDEXED:
            at = CUSTOMER_HEAD.size + INDEX_HEAD.size
            codes, sizes = widths.codes, _index_sizes(raw)
        else:
            at = CUSTOMER_HEAD.size
            codes = tuple(map(fixed_code, widths[:3]))
            sizes = [_bytes_of(*each) for each in zip(counts, widths[:3], strict=True)]
        self._heads = (at, counts, levels, lengths, sizes, codes)
        at += sum(lengths) + sum(sizes)
        self._reasons = NO_REASONS
        if version >= INDEXED:
            self._reasons = PackedReasons.at(raw, at)
            at = self._reasons.end
        elif version != VERSION:  # of before: read without its reasons, until the next night
            at = end_of_old_reasons(raw, at)
        self.extras_raw = b""
        if version >= EXTENDED:
            self.extras_raw, at = _extras(raw, at)
        self.bought_raw = b""
        if version == WRITTEN:
            self.bought_raw, at = _bought(raw, at)
        if at != len(raw):
            raise RecordError(f"customer record of {len(raw)} bytes, expected {at}")
        if self._reasons.items > counts[0]:
            raise RecordError(f"reasons for {self._reasons.items} of {counts[0]} items")
        self.raw = raw

    def _list(self, which: int) -> PackedList:
        at, counts, levels, lengths, sizes, codes = self._heads
        at += sum(lengths[:which]) + sum(sizes[:which])
        return PackedList(
            at, counts[which], levels[which], lengths[which], sizes[which], codes[which]
        )

    @property
    def purchase_probability(self) -> float:
        """Of buying anything within the horizon."""
        return _scalar(self._purchase)

    def items(self) -> list[tuple[int, float]]:
        """(number of the published item, probability), best first."""
        return unpack(self.raw, self._list(0))

    def explained(self, count: int | None = None) -> list[tuple[int, float, tuple[int, ...]]]:
        """(number of the published item, probability, its reasons), best first, the first
        ``count`` of them; reasons are indexes into the layout's. Raises RecordError for rubbish."""
        packed = self._list(0)
        first = packed.entries if count is None else min(count, packed.entries)
        told = chain(split_reasons(self.raw, self._reasons), repeat(()))
        return list(
            zip(numbers(self.raw, packed, first), scores(self.raw, packed, first), told)  # noqa: B905
        )

    def extras(self, names: ExtrasNames) -> Extras:
        """What the night knows beside scores; ``names`` of the layout. Raises RecordError."""
        return unpack_extras(self.extras_raw, names)

    def bought(self, day: int) -> AbstractSet[int]:
        """Published numbers of what was bought before the night and is out on ``day`` (days since
        1970, UTC). Raises RecordError for rubbish."""
        return still_out(self.bought_raw, day) if self.bought_raw else _NOTHING

    def brands(self) -> list[tuple[int, float]]:
        """(brand index, probability), best first."""
        return unpack(self.raw, self._list(1))

    def categories(self) -> list[tuple[int, float]]:
        """(category index, probability), best first."""
        return unpack(self.raw, self._list(2))


def _bytes_of(entries: int, width: int) -> int:
    return (entries * width + 7) // 8


def _index_sizes(raw: bytes) -> Sequence[int]:
    """Bytes of the indexes of each list. Raises RecordError if the record ends before."""
    try:
        return INDEX_HEAD.unpack_from(raw, CUSTOMER_HEAD.size)
    except struct.error:
        raise RecordError(f"customer record of {len(raw)} bytes ends before lists") from None


def _extras(raw: bytes, at: int) -> tuple[bytes, int]:
    """What follows the length at ``at`` (fewer bytes if the record is cut), and where it ends."""
    try:
        (length,) = EXTRAS_HEAD.unpack_from(raw, at)
    except struct.error:
        raise RecordError(f"customer record of {len(raw)} bytes ends before extras") from None
    start = at + EXTRAS_HEAD.size
    end = start + length
    return raw[start:end], end


def _bought(raw: bytes, at: int) -> tuple[bytes, int]:
    """What follows the length at ``at`` (fewer bytes if the record is cut), and where it ends."""
    if at >= len(raw):
        raise RecordError(f"customer record of {len(raw)} bytes ends before what was bought")
    end = at + 1 + raw[at]
    return raw[at + 1 : end], end


def unpack(raw: bytes, packed: PackedList) -> list[tuple[int, float]]:
    """The pairs of a packed list. Raises RecordError for rubbish."""
    found = scores(raw, packed, packed.entries)
    return list(zip(numbers(raw, packed, packed.entries), found, strict=True))


def numbers(raw: bytes, packed: PackedList, count: int) -> list[int]:
    """The first ``count`` indexes of a packed list. Raises RecordError for rubbish."""
    at, _, _, _, index_bytes, (selector, sizes, masks, offsets) = packed
    size = min(_bytes_of(count, max(sizes)), index_bytes)
    bits = int.from_bytes(raw[at : at + size], "big")
    shift = size * 8
    which = (1 << selector) - 1
    found = []
    try:
        for _ in range(count):
            chosen = bits >> shift - selector & which
            shift -= sizes[chosen]
            found.append((bits >> shift & masks[chosen]) + offsets[chosen])
    except ValueError:  # a shift below 0
        raise RecordError(f"fewer than {count} indexes") from None
    return found


def scores(raw: bytes, packed: PackedList, count: int) -> list[float]:
    """The first ``count`` scores. Raises RecordError for rubbish."""
    marks = bin(int.from_bytes(b"\x01" + raw[packed.end - packed.score_bytes : packed.end], "big"))
    runs = marks[3:].split("1", count)
    if len(runs) != count + 1 or (count == packed.entries and "1" in runs[-1]):
        raise RecordError(f"other than {packed.entries} scores")
    levels = accumulate(map(len, runs[:count]), initial=packed.first_level)
    next(levels)
    try:
        return [_LEVELS[level] for level in levels]
    except IndexError:
        raise RecordError("a score below the lowest level") from None


def alias_record(customer: bytes) -> bytes:
    """The record under an identifier that is not the customer's own id."""
    return bytes([ALIAS]) + customer


def alias_target(raw: bytes) -> bytes | None:
    """The customer's hash if ``raw`` is an alias record, otherwise None."""
    if raw[:1] != bytes([ALIAS]):
        return None
    if len(raw) != 1 + HASH_BYTES:
        raise RecordError(f"alias record of {len(raw)} bytes, expected {1 + HASH_BYTES}")
    return raw[1:]


class Relations(NamedTuple):
    """What goes with an item: (number of the published item, score), best first."""

    related: list[tuple[int, float]]
    together: list[tuple[int, float]]

    @classmethod
    def unpack(cls, raw: bytes, width: int) -> Relations:
        """Raises RecordError for rubbish; an empty record has no relations."""
        if not raw:
            return NO_RELATIONS
        try:
            version, related, together, *lengths, top, top_together = RELATIONS_HEAD.unpack_from(
                raw
            )
        except struct.error:
            raise RecordError(f"relations of {len(raw)} bytes are too short") from None
        code = fixed_code(width)
        sizes = _bytes_of(related, width), _bytes_of(together, width)
        first = PackedList(RELATIONS_HEAD.size, related, 0, lengths[0], sizes[0], code)
        second = PackedList(first.end, together, 0, lengths[1], sizes[1], code)
        if version != VERSION or second.end != len(raw):
            raise RecordError(f"relations of version {version} and {len(raw)} bytes")
        return cls(
            _scaled(unpack(raw, first), top),
            _scaled(unpack(raw, second), top_together),
        )


NO_RELATIONS = Relations([], [])


def _scaled(pairs: Iterable[tuple[int, float]], top: float) -> list[tuple[int, float]]:
    return [(index, float(f"{share * top:.3g}")) for index, share in pairs]


def _scalar(value: int) -> float:
    return 0.0 if value == 0xFFFF else float(f"{2 ** (-value / SCALAR_STEPS):.4g}")
