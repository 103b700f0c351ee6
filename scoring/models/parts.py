"""A description in parts: what pairs share is stored once, beside each pair's row in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

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
        if self.row is None:
            return self.values[:, chosen]
        if self.missing is None:
            return self.values[self.row, chosen]
        known = self.row >= 0
        out = self.missing[np.where(known, 0, -1 - self.row), chosen]
        out[known] = self.values[self.row[known], chosen]
        return out

    def shared(self, n: int) -> Part:
        """The same for ``n`` pairs, with those rows only that a pair has; of values without ``row``
        where hardly any row is shared."""
        if self.row is None:
            return self
        row = self.row
        missing = self.values[:0] if self.missing is None else self.missing
        if self.missing is not None and len(self.values) > 2 * n:
            # a large table of which little is asked: looking for what is shared costs more
            known = np.flatnonzero(row >= 0)
            place = len(known) - 1 - row
            place[known] = np.arange(len(known))
            return Part(np.concatenate([self.values[row[known]], missing]), place)
        has = np.zeros(len(self.values) + len(missing), dtype=bool)
        has[row] = True  # what is missing is counted from the end
        rows = np.flatnonzero(has[: len(self.values)])
        if 2 * len(rows) > n:
            return Part(self.columns())
        place = np.empty(len(has), dtype=np.int32)
        place[rows] = np.arange(len(rows), dtype=np.int32)
        place[len(self.values) :] = len(rows) + len(missing) - 1 - np.arange(len(missing))
        return Part(np.concatenate([self.values[rows], missing]), place[row])


@runtime_checkable
class InParts(Protocol):
    """A base scorer that tells what its pairs share."""

    def parts(self, customer: Ints, target: Ints) -> list[Part]: ...


def parts_of(scorer: BaseScorer, customer: Ints, target: Ints) -> list[Part]:
    """What the scorer says of the pairs."""
    if isinstance(scorer, InParts):
        return scorer.parts(customer, target)
    return [Part(scorer.describe(customer, target))]


def whole(parts: Sequence[Part], n: int) -> Floats:
    """float32[n, columns]: the parts side by side."""
    out = np.empty((n, sum(part.width for part in parts)), dtype=np.float32)
    column = 0
    for part in parts:
        out[:, column : column + part.width] = part.columns()
        column += part.width
    return out
