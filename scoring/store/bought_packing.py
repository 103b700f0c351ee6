"""Packs what many customers bought at once (numpy); layout: scoring.store.bought_record."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from scoring import columns as c
from scoring.store.bought_record import (
    ENTRY_BYTES,
    HEAD_BYTES,
    MOST_APART,
    MOST_BOUGHT,
    MOST_ENTRIES,
    MOST_LATER,
)
from scoring.store.reasons_packing import Tail


def packed_bought(rows: pa.Table, numbers: np.ndarray) -> Tail:
    """From rows of a snapshot's scores, with the length before.

    ``numbers``: snapshot's item index → published number; what is not published (-1) cannot be
    shown, and is left out. Of more than MOST_BOUGHT items the first stay.
    """
    index = rows[c.BOUGHT_INDEX].combine_chunks()
    until = rows[c.BOUGHT_UNTIL].combine_chunks()
    count = np.diff(index.offsets.to_numpy())
    owner = np.repeat(np.arange(rows.num_rows), count)
    number = numbers[index.flatten().to_numpy()] if len(owner) else np.zeros(0, np.int64)
    day = until.flatten().to_numpy().astype(np.int64)
    kept = (_places(owner, rows.num_rows) < MOST_BOUGHT) & (number >= 0)
    owner, number, day = owner[kept], number[kept], day[kept]
    order = np.lexsort((number, owner))
    return _tail(*_bridged(owner[order], number[order], day[order]), rows.num_rows)


def _places(owner: np.ndarray, rows: int) -> np.ndarray:
    """Of each entry among those of its row; ``owner`` is sorted."""
    return np.arange(len(owner)) - np.searchsorted(owner, np.arange(rows))[owner]


def _bridged(
    owner: np.ndarray, number: np.ndarray, day: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(owner, difference, day) with the entries that are no items, of day 0, between."""
    same = np.append(False, owner[1:] == owner[:-1]) if len(owner) else np.zeros(0, bool)
    apart = np.where(same, np.diff(number, prepend=0), number)
    bridges, rest = np.divmod(apart, MOST_APART)
    times = bridges + 1
    last = np.cumsum(times) - 1
    difference = np.full(int(times.sum()), MOST_APART)
    difference[last] = rest
    days = np.zeros(len(difference), np.int64)
    days[last] = day
    return np.repeat(owner, times), difference, days


def _tail(owner: np.ndarray, difference: np.ndarray, day: np.ndarray, rows: int) -> Tail:
    """Length, day, days after it and differences of each row side by side."""
    place = _places(owner, rows)
    fits = place < MOST_ENTRIES  # of millions of items the rarest may not
    owner, difference, day, place = owner[fits], difference[fits], day[fits], place[fits]
    count = np.bincount(owner, minlength=rows)
    base = np.full(rows, 0xFFFF)
    np.minimum.at(base, owner[day > 0], day[day > 0] - 1)
    later = np.where(day > 0, np.minimum(day - base[owner], MOST_LATER), 0)
    size = np.where(count > 0, HEAD_BYTES + ENTRY_BYTES * count, 0)
    first = 1 + HEAD_BYTES
    matrix = np.zeros((rows, first + ENTRY_BYTES * int(count.max(initial=0))), np.uint8)
    matrix[:, 0], matrix[:, 1], matrix[:, 2] = size, base & 0xFF, base >> 8
    matrix[owner, first + place] = later
    at = first + count[owner] + 2 * place
    matrix[owner, at], matrix[owner, at + 1] = difference & 0xFF, difference >> 8
    return Tail(matrix, 1 + size)
