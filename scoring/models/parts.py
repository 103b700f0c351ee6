"""A description in parts: what pairs share is stored once, beside each pair's row in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.models import Floats


@dataclass(frozen=True)
class Part:
    """Neighbouring columns of a description: ``values``: float32[m, k]; ``row``: which row of it
    each pair has, int[n] (-1: the last), or None when there is one row a pair."""

    values: Floats
    row: NDArray[np.integer] | None = None

    def used(self, n: int) -> tuple[Floats, NDArray[np.integer] | None]:
        """The same without the rows that nobody has; without ``row`` when that is no shorter."""
        if self.row is None:
            return self.values, None
        has = np.zeros(len(self.values), dtype=bool)
        has[self.row] = True
        rows = np.flatnonzero(has)
        if 2 * len(rows) > n:
            return self.values[self.row], None
        place = np.empty(len(has), dtype=np.int32)
        place[rows] = np.arange(len(rows), dtype=np.int32)
        return self.values[rows], place[self.row]


def whole(parts: Sequence[Part], n: int) -> Floats:
    """float32[n, columns]: the parts side by side."""
    out = np.empty((n, sum(part.values.shape[1] for part in parts)), dtype=np.float32)
    column = 0
    for part in parts:
        width = part.values.shape[1]
        out[:, column : column + width] = part.values if part.row is None else part.values[part.row]
        column += width
    return out
