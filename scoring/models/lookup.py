"""Where pairs of customer and target stand in a table, and dot products of what both are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scoring.models import Floats, Ints

NEVER, NO_TARGET = -1, -2
BLOCK = 2048  # dot products at once: their factors stay in the processor's cache


def lookup(
    keys: NDArray[np.int64], n_targets: int, customer: Ints, target: Ints
) -> NDArray[np.int64]:
    """int64[n]: row of each pair in ``keys``, sorted customer * n_targets + target.

    NEVER where it is absent, NO_TARGET for a target of -1.
    """
    if len(keys) == 0 or len(customer) == 0:
        at = np.full(len(customer), NEVER, dtype=np.int64)
    else:
        found = _spread(keys, n_targets, customer, target)
        at = _searched(keys, n_targets, customer, target) if found is None else found
    at[target < 0] = NO_TARGET
    return at


def dots(a: Floats, row: Ints, b: Floats, column: Ints, size: int | None = None) -> Floats:
    """float32[n]: the dot product of a row of ``a`` and a row of ``b``, both up to column ``size``,
    of each pair."""
    out = np.empty(len(row), dtype=np.float32)
    for begin in range(0, len(row), BLOCK):
        part = slice(begin, begin + BLOCK)
        left, right = a.take(row[part], axis=0), b.take(column[part], axis=0)
        np.einsum("ij,ij->i", left[:, :size], right[:, :size], out=out[part])
    return out


def _searched(
    keys: NDArray[np.int64], n_targets: int, customer: Ints, target: Ints
) -> NDArray[np.int64]:
    wanted = customer.astype(np.int64) * n_targets + target
    at = np.searchsorted(keys, wanted)
    np.minimum(at, len(keys) - 1, out=at)
    return np.where(keys.take(at) == wanted, at, NEVER)


def _spread(
    keys: NDArray[np.int64], n_targets: int, customer: Ints, target: Ints
) -> NDArray[np.int64] | None:
    """``lookup`` by a table of customers and targets; None where it would hold more than is asked.

    Where many targets are asked of each customer, that is several times as fast as a search.
    """
    most = 4 * len(customer)
    first, last = int(customer.min()), int(customer.max()) + 1
    begin, end = np.searchsorted(keys, np.array([first, last], dtype=np.int64) * n_targets)
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
    near = keys[begin:end]
    who = near // n_targets
    table = np.full((last - first) * width, NEVER, dtype=np.int32)
    table[(who - first) * width + column[near - who * n_targets]] = np.arange(begin, end)
    table[width - 1 :: width] = NEVER
    return table.take((customer.astype(np.int64) - first) * width + column[target]).astype(np.int64)
