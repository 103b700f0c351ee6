"""Which (customer, target) pairs of a past window the stackers learn from, labelled.

- ``targeting``: all known customers for targets that sell, as a campaign would ask;
- ``ranking``: each customer's candidates, as a landing page would ask;
- ``newcomers``: all known customers for targets that had never been sold and sold in the window.

A row's weight is the number of pairs that it stands for, so that the output is a probability.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.history import History
from scoring.level import Level
from scoring.models import Floats, Ints

BEST_SELLERS, OTHERS = 300, 100  # targets a window
RECENT_DAYS = 28
NEWCOMERS = 400
NEGATIVES, POSITIVES = 60_000, 40_000  # drawn a window


@dataclass(frozen=True)
class Rows:
    """Rows of one window: ``x`` float32[n, k], ``y`` bool[n], ``weight`` float32[n], ``target``
    int32[n]."""

    x: Floats
    y: NDArray[np.bool_]
    weight: Floats
    target: Ints


@dataclass(frozen=True)
class Window:
    """The label window [cutoff, end) in hours, for events of one kind."""

    cutoff: int
    end: int
    kind: int
    seed: tuple[int, ...]

    def labels(self, history: History, level: Level) -> NDArray[np.int64]:
        """Sorted keys customer * n_targets + target of what known customers did."""
        found = history.labels(level.of_item, level.n_targets, self.cutoff, self.end, self.kind)
        known = history.known_customers(self.cutoff)
        return found[known[found // level.n_targets]]


def targeting(history: History, level: Level, window: Window) -> Rows:
    """Everyone known, for the best sellers and some others that sell."""
    rng = np.random.default_rng((*window.seed, 0))
    popularity = level.scorers["popularity"]
    sold = popularity.best(level.n_targets)
    others = sold[BEST_SELLERS:]
    if len(others) > OTHERS:
        others = rng.choice(others, OTHERS, replace=False)
    targets = np.sort(np.append(sold[:BEST_SELLERS], others)).astype(np.int64)
    return _everyone(history, level, window, targets, rng)


def newcomers(history: History, level: Level, window: Window) -> Rows:
    """Everyone known, for targets whose first sale to anybody is in the window."""
    rng = np.random.default_rng((*window.seed, 1))
    labels = window.labels(history, level)
    found = np.bincount((labels % level.n_targets).astype(np.int64), minlength=level.n_targets)
    found[level.scorers["popularity"].table[:, 3] > 0] = 0
    targets = np.flatnonzero(found)
    targets = targets[np.lexsort((targets, -found[targets]))][:NEWCOMERS]
    return _everyone(history, level, window, np.sort(targets), rng)


def ranking(history: History, level: Level, window: Window) -> Rows:
    """The candidates of everyone known."""
    rng = np.random.default_rng((*window.seed, 2))
    known = history.known_customers(window.cutoff)
    customer, target = level.candidates()
    key = (customer.astype(np.int64) * level.n_targets + target)[known[customer]]
    return _drawn(level, key, window.labels(history, level), rng)


def _everyone(
    history: History,
    level: Level,
    window: Window,
    targets: NDArray[np.int64],
    rng: np.random.Generator,
) -> Rows:
    known = np.flatnonzero(history.known_customers(window.cutoff))
    if len(known) * len(targets) > 20 * NEGATIVES * 10:
        # a large shop: a share of its customers says as much
        known = np.sort(rng.choice(known, 20 * NEGATIVES * 10 // len(targets), replace=False))
    key = (known[:, None] * level.n_targets + targets[None, :]).ravel()
    return _drawn(level, key, window.labels(history, level), rng)


def _drawn(
    level: Level, key: NDArray[np.int64], labels: NDArray[np.int64], rng: np.random.Generator
) -> Rows:
    """Labels among the sorted ``key``, and as many of the others as are worth describing."""
    happened = np.isin(key, labels, assume_unique=True, kind="sort")
    positives, negatives = np.flatnonzero(happened), np.flatnonzero(~happened)
    drawn = []
    weights = []
    for rows, most in ((positives, POSITIVES), (negatives, NEGATIVES)):
        taken = np.sort(rng.choice(rows, most, replace=False)) if len(rows) > most else rows
        drawn.append(taken)
        weights.append(np.full(len(taken), len(rows) / max(len(taken), 1), dtype=np.float32))
    chosen = key[np.concatenate(drawn)]
    customer = (chosen // level.n_targets).astype(np.int32)
    target = (chosen % level.n_targets).astype(np.int32)
    y = np.arange(len(chosen)) < len(drawn[0])
    return Rows(level.describe(customer, target), y, np.concatenate(weights), target)
