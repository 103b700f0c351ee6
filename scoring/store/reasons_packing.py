"""Packs the reasons of many customers at once (numpy); scoring.store.reasons_record reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from scoring.reasons.reason import CODE_SHIFT, LIMITS, MOST_REASONS, PARAMETERS, SHIFTS
from scoring.store.errors import RecordError
from scoring.store.reasons_record import MOST_PLACES

_PARAMETERS = np.array([0, *(len(names) for names in PARAMETERS.values())])


class Tail(NamedTuple):
    """Parts of customer records: ``matrix`` uint8 (rows, longest), of which the first ``lengths``
    int64 (rows,) bytes of a row count; 0: the customer has none."""

    matrix: np.ndarray
    lengths: np.ndarray


class Reasons:
    """The reasons that a snapshot tells, most frequent first: ``numbers`` int64 (places,). Beyond
    MOST_PLACES the rarest are left out, and so are they in the records that hold them."""

    def __init__(self, told: Iterable[tuple[np.ndarray, np.ndarray]] = ()) -> None:
        """``told``: distinct numbers and how often each, of one part of the snapshot after the
        other. Raises RecordError for a number that is no reason."""
        parts = list(told) or [(np.empty(0, np.int64), np.empty(0, np.int64))]
        distinct, at = np.unique(np.concatenate([each for each, _ in parts]), return_inverse=True)
        often = np.bincount(at, np.concatenate([each for _, each in parts]), len(distinct))
        _check(distinct)
        order = np.lexsort((distinct, -often))[:MOST_PLACES]
        self.numbers = distinct[order]
        self._sorted = np.argsort(self.numbers)

    def places(self, numbers: np.ndarray) -> np.ndarray:
        """int64, the place of each number, -1 for none and for what was left out."""
        if not len(self.numbers):
            return np.full(numbers.shape, -1, np.int64)
        found = np.searchsorted(self.numbers, numbers, sorter=self._sorted)
        places = self._sorted[np.minimum(found, len(self._sorted) - 1)]
        return np.where(self.numbers[places] == numbers, places, -1)


def told(reasons: pa.ListArray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct reasons of an Arrow list column, and how often each occurs."""
    numbers = reasons.flatten().to_numpy().astype(np.int64)
    distinct, often = np.unique(numbers[numbers > 0], return_counts=True)
    return distinct, often


def packed_reasons(reasons: pa.ListArray, counts: np.ndarray, places: Reasons) -> Tail:
    """From an Arrow list column of a snapshot: three numbers for each of a list's first items.

    ``counts``: int64 (rows,), items in the packed lists; reasons of more are left out. Raises
    RecordError for what is not three numbers an item, and for one code twice for an item.
    """
    offsets = reasons.offsets.to_numpy().astype(np.int64)
    numbers = reasons.values.to_numpy()[offsets[0] : offsets[-1]]
    if (np.diff(offsets) % MOST_REASONS).any():
        raise RecordError(f"a list of reasons is not {MOST_REASONS} numbers an item")
    items = np.diff(offsets) // MOST_REASONS
    owner = np.repeat(np.arange(len(items)), items)
    position = np.arange(len(owner)) - np.repeat((offsets[:-1] - offsets[0]) // MOST_REASONS, items)
    kept = position < counts[owner]
    owner, position = owner[kept], position[kept]
    chosen = numbers.reshape(-1, MOST_REASONS)[kept].astype(np.int64)
    _check_once(chosen)
    items = np.minimum(items, counts)
    place = places.places(chosen)
    present = place >= 0
    return _joined(items, owner, position, place, present)


def _joined(
    items: np.ndarray,
    owner: np.ndarray,
    position: np.ndarray,
    place: np.ndarray,
    present: np.ndarray,
) -> Tail:
    """Head, two bits an item, and the places, in rows."""
    heads = 1 + (items + 3) // 4
    each = present.sum(axis=1)
    total = np.bincount(owner, each, len(items)).astype(np.int64)
    lengths = heads + 2 * total
    matrix = np.zeros((len(items), int(lengths.max(initial=1))), np.uint8)
    matrix[:, 0] = items
    np.bitwise_or.at(
        matrix, (owner, 1 + position // 4), (each << (2 * (position % 4))).astype(np.uint8)
    )
    flat = place[present]
    whose = np.repeat(owner, each)
    nth = np.arange(len(flat)) - np.repeat(np.cumsum(total) - total, total)
    at = heads[whose] + 2 * nth
    matrix[whose, at], matrix[whose, at + 1] = flat & 0xFF, flat >> 8
    return Tail(matrix, lengths)


def _check(numbers: np.ndarray) -> None:
    code = numbers >> CODE_SHIFT
    known = code < len(_PARAMETERS)
    if not known.all():
        raise RecordError(f"a reason has code {int(code[~known][0])}, which is unknown")
    first, second = (numbers >> shift & limit for shift, limit in zip(SHIFTS, LIMITS, strict=True))
    takes = _PARAMETERS[code]
    if ((takes < 1) & (first > 0)).any() or ((takes < 2) & (second > 0)).any():
        raise RecordError("a reason holds more parameters than its code takes")


def _check_once(numbers: np.ndarray) -> None:
    code = np.sort(numbers >> CODE_SHIFT, axis=1)
    if ((code[:, 1:] == code[:, :-1]) & (code[:, 1:] > 0)).any():
        raise RecordError("an item has two reasons of one code")
