"""A description in parts: what pairs share is stored once, beside each pair's row in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.models import BaseScorer, Floats, Ints


@dataclass(frozen=True)
class Part:
    """Neighbouring columns of a description: ``values``: float32[m, k]; ``row``: int[n], the row of
    it that each pair has, -1, -2, …: the rows of ``missing`` (float32[·, k]); without ``row``, the
    values are the pairs' own."""

    values: Floats
    row: NDArray[np.integer] | None = None
    missing: Floats | None = None

    @property
    def width(self) -> int:
        return self.values.shape[1]

    def rows(self, begin: int, end: int) -> Part:
        """What it says of some of the pairs."""
        if self.row is None:
            return Part(self.values[begin:end])
        return Part(self.values, self.row[begin:end], self.missing)

    def columns(self, chosen: slice = slice(None)) -> Floats:
        """float32[n, k]: the chosen columns of every pair."""
        values = self.values[:, chosen]
        if self.row is None:
            return values
        if self.missing is None:
            return _taken(values, self.row)
        unknown = np.flatnonzero(self.row < 0)
        if len(values) == 0:
            return self.missing[-1 - self.row, chosen]
        out = _taken(values, np.maximum(self.row, 0))
        out[unknown] = self.missing[-1 - self.row[unknown], chosen]
        return out


def _taken(values: Floats, row: NDArray[np.integer]) -> Floats:
    """The rows of a table; of one column without a copy of the table."""
    return values[:, 0][row][:, None] if values.shape[1] == 1 else values.take(row, axis=0)


def shared(parts: Sequence[Part], n: int, columns: int) -> list[Part]:
    """The same parts of ``n`` pairs, which have the same ``row``, with those rows only that a pair
    has; of values without ``row`` where looking ``columns`` columns up for each pair costs less.
    """
    row = parts[0].row
    if row is None:
        return list(parts)
    missing = 0 if parts[0].missing is None else len(parts[0].missing)
    has = np.flatnonzero(row >= 0) if missing else slice(None)
    known = row[has]
    first = int(known.min(initial=len(parts[0].values)))
    width = max(int(known.max(initial=-1)) + 1 - first, 0)
    if width > 4 * n:  # far apart: looking for what is shared costs more than it saves
        rows, place = known, np.arange(len(known))
    else:
        asked = np.zeros(width, dtype=bool)
        asked[known - first] = True
        rows = np.flatnonzero(asked)
        place = (np.cumsum(asked) - 1)[known - first]
        rows += first
    if len(rows) * columns + n > n * columns:
        return [Part(part.columns()) for part in parts]
    if not missing:
        return [Part(part.values.take(rows, axis=0), place) for part in parts]
    at = len(rows) - 1 - row  # what is missing follows
    at[has] = place
    return [Part(np.concatenate([p.values.take(rows, axis=0), p.missing]), at) for p in parts]


def parts_of(scorer: BaseScorer, customer: Ints, target: Ints) -> list[Part]:
    """What the scorer says of the pairs: by its ``parts``, if it tells what they share."""
    if hasattr(scorer, "parts"):
        told: list[Part] = scorer.parts(customer, target)
        return told
    return [Part(scorer.describe(customer, target))]


def whole(parts: Sequence[Part], n: int) -> Floats:
    """float32[n, columns]: the parts side by side."""
    out = np.empty((n, sum(part.width for part in parts)), dtype=np.float32)
    column = 0
    for part in parts:
        out[:, column : column + part.width] = part.columns()
        column += part.width
    return out
