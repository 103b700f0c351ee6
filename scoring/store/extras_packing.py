"""Packs the extras of many customers at once (numpy); scoring.store.extras tells the layout."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from scoring import columns as c
from scoring.store.errors import RecordError
from scoring.store.extras import (
    MOST_DUE,
    MOST_SENT,
    MOST_WATCHED,
    PRICE_DIGITS,
    Extras,
    ExtrasNames,
    pack_extras,
)
from scoring.store.reasons_packing import Tail
from scoring.store.records import EXTRAS_HEAD

_CUT = 7  # bits of a number in one byte
_LONGEST = 9  # bytes of a number


class _Lists(NamedTuple):
    """Lists of one kind: ``owner`` int64 (n,), row of each entry; ``counts`` int64 (rows,);
    ``columns``: int64 (n,) each, of which ``days`` is the place of the day."""

    owner: np.ndarray
    counts: np.ndarray
    columns: list[np.ndarray]
    day: int


def extras_names(scores: pa.Table) -> ExtrasNames:
    """Time zones and channels that occur, sorted."""
    channels = set(pc.unique(pc.list_flatten(scores[c.SENT_CHANNEL])).to_pylist())
    for text in pc.unique(scores[c.NIGHT_CONSENT]).drop_null().to_pylist():
        channels.update(orjson.loads(text))
    zones = pc.unique(scores[c.TIMEZONE]).drop_null().to_pylist()
    return ExtrasNames(tuple(sorted(zones)), tuple(sorted(channels)))


def packed_extras(rows: pa.Table, names: ExtrasNames, numbers: np.ndarray) -> Tail:
    """From rows of a snapshot's scores, with the length before.

    ``numbers``: snapshot's item index → published number. Raises RecordError for unpublished
    items, channels or zones that ``names`` lacks, and days below 0.
    """
    sent, due, watched = lists = (
        _lists(rows, (c.SENT_CHANNEL, c.SENT_DAY), MOST_SENT, 1),
        _lists(rows, (c.DUE_INDEX, c.DUE_DAY, c.DUE_INTERVAL), MOST_DUE, 1),
        _lists(
            rows,
            (c.WATCHED_INDEX, c.WATCHED_EVENT, c.WATCHED_DAY, c.WATCHED_PRICE), MOST_WATCHED, 2,
        ),
    )  # fmt: skip
    sent.columns[0] = _places(rows[c.SENT_CHANNEL], sent, names.channels)
    for each in (due, watched):
        each.columns[0] = _published(each.columns[0], numbers)
    watched.columns[3] = _price_numbers(watched.columns[3])
    base = _earliest(lists, rows.num_rows)
    for each in lists:
        each.columns[each.day] -= base[each.owner]
    some = np.sum([each.counts for each in lists], axis=0) > 0
    owner, values = _in_order(base, lists, some)
    heads = _heads(rows, names, some)
    return _tail(heads, owner, values)


def _lists(rows: pa.Table, names: Sequence[str], most: int, day: int) -> _Lists:
    """The first ``most`` entries of lists that are one as long as the other."""
    chosen: list[np.ndarray] = []
    for name in names:
        column = rows[name].combine_chunks()
        offsets = column.offsets.to_numpy().astype(np.int64)
        counts = np.diff(offsets)
        owner = np.repeat(np.arange(len(counts)), counts)
        kept = np.arange(len(owner)) - np.repeat(offsets[:-1] - offsets[0], counts) < most
        flat = column.values.slice(offsets[0], offsets[-1] - offsets[0])
        if pa.types.is_string(flat.type):
            values = np.flatnonzero(kept)
        else:
            values = flat.to_numpy(zero_copy_only=False)[kept]
        chosen.append(values if values.dtype.kind == "f" else values.astype(np.int64))
    return _Lists(owner[kept], np.minimum(counts, most), chosen, day)


def _places(column: pa.ChunkedArray, lists: _Lists, names: Sequence[str]) -> np.ndarray:
    """Numbers of the texts of the entries that ``lists`` kept."""
    if not len(lists.owner):
        return lists.columns[0]
    flat = pc.list_flatten(column.combine_chunks())
    place = pc.index_in(flat, value_set=pa.array(names, pa.string()))
    kept = place.take(pa.array(lists.columns[0]))
    if kept.null_count:
        raise RecordError("extras name a channel that the layout does not")
    return kept.to_numpy().astype(np.int64)


def _published(indexes: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    if not len(indexes):
        return indexes
    found = numbers[indexes]
    if found.min() < 0:
        raise RecordError("extras hold an item that is not published")
    return np.asarray(found)


def _price_numbers(prices: np.ndarray) -> np.ndarray:
    """As scoring.store.extras.price_number tells them; NaN: none."""
    known = ~np.isnan(prices)
    mills = np.rint(np.where(known, prices, 0) * 10**PRICE_DIGITS).astype(np.int64)
    digits = np.full(len(prices), PRICE_DIGITS)
    for fewer in range(PRICE_DIGITS):
        whole = (digits == PRICE_DIGITS - fewer) & (mills % 10 == 0)
        mills[whole] //= 10
        digits[whole] -= 1
    return np.where(known, (mills << 2 | digits) + 1, 0)


def _earliest(lists: Sequence[_Lists], rows: int) -> np.ndarray:
    base = np.full(rows, np.iinfo(np.int64).max)
    for each in lists:
        np.minimum.at(base, each.owner, each.columns[each.day])
    return np.where(base == np.iinfo(np.int64).max, 0, base)


def _in_order(
    base: np.ndarray, lists: Sequence[_Lists], some: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(row, number) of every number of the bodies, in order."""
    having = np.flatnonzero(some)
    owners, values = [having], [base[having]]
    for each in lists:
        owners += [having, np.repeat(each.owner, len(each.columns))]
        values += [each.counts[having], np.column_stack(each.columns).astype(np.int64).ravel()]
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    value = np.concatenate(values)[order]
    if value.min(initial=0) < 0:
        raise RecordError("extras hold a negative number")
    return owner[order], value


def _heads(rows: pa.Table, names: ExtrasNames, some: np.ndarray) -> list[bytes]:
    """The bytes before the body of each row; a head that says nothing where there is a body."""
    columns = (rows[name].to_pylist() for name in (c.TIMEZONE, c.AD_CONSENT, c.NIGHT_CONSENT))
    nothing = b"\x02\x00\x00"
    return [
        _head(*profile, names) or (nothing if body else b"")
        for body, *profile in zip(some.tolist(), *columns, strict=True)
    ]


@lru_cache(maxsize=4096)
def _head(
    timezone: str | None, ad_consent: bool | None, night_consent: str | None, names: ExtrasNames
) -> bytes:
    night = orjson.loads(night_consent) if night_consent else {}
    return pack_extras(Extras(timezone, ad_consent, night), names)


def _tail(heads: list[bytes], owner: np.ndarray, values: np.ndarray) -> Tail:
    """Length, head and body of each row side by side."""
    rows = len(heads)
    sizes = np.ones(len(values), np.int64)
    for more in range(1, _LONGEST):
        sizes += values >> (_CUT * more) > 0
    head_sizes = np.array([len(head) for head in heads], np.int64)
    body_sizes = np.bincount(owner, sizes, rows).astype(np.int64)
    lengths = head_sizes + body_sizes
    if lengths.max(initial=0) > 0xFFFF:
        raise RecordError(f"extras of {lengths.max()} bytes")
    matrix = np.zeros((rows, EXTRAS_HEAD.size + int(lengths.max(initial=0))), np.uint8)
    matrix[:, 0], matrix[:, 1] = lengths & 0xFF, lengths >> 8
    body = matrix[:, EXTRAS_HEAD.size :]
    place = np.arange(body.shape[1])
    body[place < head_sizes[:, None]] = np.frombuffer(b"".join(heads), np.uint8)
    between = (place >= head_sizes[:, None]) & (place < lengths[:, None])
    body[between] = _leb128(values, sizes)
    return Tail(matrix, lengths + EXTRAS_HEAD.size)


def _leb128(values: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """uint8: the numbers one after the other, so many bytes each."""
    position = np.arange(int(sizes.max(initial=1)))
    shifted = values[:, None] >> (_CUT * position) & 0x7F
    last = position == sizes[:, None] - 1
    full = np.where(last, shifted, shifted | 0x80).astype(np.uint8)
    return np.asarray(full[position < sizes[:, None]])
