"""Where keys, and pairs of customer and target, stand in a table; dot products of what both are."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.models import Floats, Ints

NEVER, NO_TARGET = -1, -2
BLOCK = 2048  # dot products at once: their factors stay in the processor's cache


def places(keys: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64[n]: row of each wanted key in the sorted ``keys``, NEVER where it is absent."""
    if len(keys) == 0:
        return np.full(len(wanted), NEVER, dtype=np.int64)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, at, NEVER)


@dataclass(frozen=True)
class PairIndex:
    """``keys``: int64[n], sorted and distinct customer * n_targets + target."""

    keys: NDArray[np.int64]
    n_targets: int

    def find(self, customer: Ints, target: Ints) -> NDArray[np.int64]:
        """int64[n]: row of each pair in ``keys``; NEVER where it is absent, NO_TARGET for a target
        of -1."""
        if len(self.keys) == 0 or len(customer) == 0:
            at = np.full(len(customer), NEVER, dtype=np.int64)
        else:
            spread = self._spread(customer, target)
            at = self._searched(customer, target) if spread is None else spread
        at[target < 0] = NO_TARGET
        return at

    @functools.cached_property
    def _start(self) -> NDArray[np.int64]:
        """Where the pairs of each customer begin; at the end, twice, where those of all end."""
        customers = int(self.keys[-1]) // self.n_targets + 1
        first = np.arange(customers + 2, dtype=np.int64) * self.n_targets
        return np.searchsorted(self.keys, first)

    def _searched(self, customer: Ints, target: Ints) -> NDArray[np.int64]:
        """By halves of the customer's pairs, of all pairs at once: no branch waits for memory."""
        who = np.minimum(customer, len(self._start) - 2)
        at = self._start.take(who)
        most = int((self._start.take(who + 1) - at).max())
        at -= 1
        wanted = customer.astype(np.int64) * self.n_targets + target
        step = 1 << most.bit_length()
        while step > 1:
            step >>= 1
            at += (self.keys.take(at + step, mode="clip") <= wanted) * step
        np.clip(at, 0, len(self.keys) - 1, out=at)
        return np.where(self.keys.take(at) == wanted, at, NEVER)

    def _spread(self, customer: Ints, target: Ints) -> NDArray[np.int64] | None:
        """By a table of customers and targets; None where it would hold much more than is asked.

        Where many targets are asked of each customer, that is several times as fast as a search.
        """
        n_targets, most = self.n_targets, 4 * len(customer)
        first, last = int(customer.min()), int(customer.max()) + 1
        begin, end = self._start.take([first, last], mode="clip")
        if n_targets > most or end - begin > most:
            return None
        asked = np.zeros(n_targets + 1, dtype=bool)
        asked[target] = True
        asked[-1] = True  # for all that is not asked, and a target of -1
        width = int(np.count_nonzero(asked))
        if (last - first) * width > most:
            return None
        column = np.cumsum(asked, dtype=np.int32) - 1
        column[~asked] = width - 1
        near = self.keys[begin:end]
        who = near // n_targets
        table = np.full((last - first) * width, NEVER, dtype=np.int32)
        table[(who - first) * width + column[near - who * n_targets]] = np.arange(begin, end)
        table[width - 1 :: width] = NEVER
        at = (customer.astype(np.int64) - first) * width + column[target]
        return table.take(at).astype(np.int64)


def dots(
    a: Floats, row: Ints, b: Floats, other: Ints, columns: Sequence[slice] = (slice(None),)
) -> Floats:
    """float32[n, len(columns)]: of each pair the dot product of a row of ``a`` and a row of ``b``
    over some of their columns; NaN where ``other``, the row of ``b``, is -1."""
    out = np.full((len(row), len(columns)), np.nan, dtype=np.float32)
    if len(b) == 0:
        return out
    for begin in range(0, len(row), BLOCK):
        part = slice(begin, begin + BLOCK)
        left, right = a.take(row[part], axis=0), b.take(other[part], axis=0)
        for number, some in enumerate(columns):
            np.einsum("ij,ij->i", left[:, some], right[:, some], out=out[part, number])
    out[other < 0] = np.nan
    return out
