"""Packs the reasons of many customers at once (numpy); scoring.store.reasons_record reads them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from scoring.reasons.reason import CODE_SHIFT, LIMITS, MOST_REASONS, PARAMETERS, SHIFTS
from scoring.store.errors import RecordError
from scoring.store.reasons_record import LONG, REASONS_HEAD

_PARAMETERS = np.array([0, *(len(names) for names in PARAMETERS.values())])
_CUT = 7  # bits of a parameter in one byte


class Tail(NamedTuple):
    """Parts of customer records: ``matrix`` uint8 (rows, longest), of which the first ``lengths``
    int64 (rows,) bytes of a row count."""

    matrix: np.ndarray
    lengths: np.ndarray


def packed_reasons(reasons: pa.ListArray, counts: np.ndarray) -> Tail:
    """From an Arrow list column of a snapshot: three numbers for each of a list's first items.

    ``counts``: int64 (rows,), items in the packed lists; reasons of more are left out. Raises
    RecordError for what is not three numbers an item, and for reasons that cannot be.
    """
    offsets = reasons.offsets.to_numpy().astype(np.int64)
    numbers = reasons.values.to_numpy()[offsets[0] : offsets[-1]]
    if (np.diff(offsets) % MOST_REASONS).any():
        raise RecordError(f"a list of reasons is not {MOST_REASONS} numbers an item")
    items = np.diff(offsets) // MOST_REASONS
    owner = np.repeat(np.arange(len(items)), items)
    position = np.arange(len(owner)) - np.repeat((offsets[:-1] - offsets[0]) // MOST_REASONS, items)
    kept = position < counts[owner]
    chosen = numbers.reshape(-1, MOST_REASONS)[kept].astype(np.int64)
    items = np.minimum(items, counts)
    values, present = _bytes_of(chosen)
    lengths = np.bincount(owner[kept], present.sum(axis=1), len(items)).astype(np.int64)
    matrix = np.zeros((len(items), REASONS_HEAD.size + int(lengths.max(initial=0))), np.uint8)
    matrix[:, 0] = items
    matrix[:, 1], matrix[:, 2] = lengths & 0xFF, lengths >> 8
    body = matrix[:, REASONS_HEAD.size :]
    body[np.arange(body.shape[1]) < lengths[:, None]] = values[present]
    return Tail(matrix, lengths + REASONS_HEAD.size)


def _bytes_of(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """uint8 and bool (items, 1 + 3 · 5): the bytes of each item, and which of them are there."""
    code = numbers >> CODE_SHIFT
    first, second = (numbers >> shift & limit for shift, limit in zip(SHIFTS, LIMITS, strict=True))
    _check(code, first, second)
    values = np.zeros((*numbers.shape, 5), np.uint8)
    present = np.zeros(values.shape, bool)
    values[..., 0], present[..., 0] = code, code > 0
    for which, (parameter, at) in enumerate(((first, 1), (second, 3))):
        takes = _PARAMETERS[code] > which
        long = parameter >= LONG
        values[..., at] = parameter & (LONG - 1) | np.where(long, LONG, 0)
        values[..., at + 1] = parameter >> _CUT
        present[..., at], present[..., at + 1] = takes, takes & long
    items = len(numbers)
    flat = present.reshape(items, 5 * MOST_REASONS)
    sizes = flat.sum(axis=1, dtype=np.uint8)[:, None]
    of_item = np.hstack([sizes, values.reshape(items, 5 * MOST_REASONS)])
    return of_item, np.hstack([np.ones((items, 1), bool), flat])


def _check(code: np.ndarray, first: np.ndarray, second: np.ndarray) -> None:
    known = code < len(_PARAMETERS)
    if not known.all():
        raise RecordError(f"a reason has code {int(code[~known][0])}, which is unknown")
    takes = _PARAMETERS[code]
    if ((takes < 1) & (first > 0)).any() or ((takes < 2) & (second > 0)).any():
        raise RecordError("a reason holds more parameters than its code takes")
    ordered = np.sort(code, axis=1)
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] > 0)).any():
        raise RecordError("an item has the same reason twice")
