"""Which (customer, target) pairs of a past window the stackers learn from, labelled.

- ``targeting``: all known customers for targets that sell, as a campaign would ask;
- ``ranking``: each customer's candidates, as a landing page would ask;
- ``prospects``: the same for customers who bought nothing, and some that are taken for such;
- ``newcomers``: all known customers for items that had never been sold and sold in the window, and
  for some that are taken for such.

A row's weight is the number of asked pairs that it stands for, so that the output is a probability.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scoring import prospects as buyless
from scoring import unsold
from scoring.history import History
from scoring.level import Level
from scoring.models import Floats, Ints

BEST_SELLERS, OTHERS = 300, 100  # targets a window
MOST_NEWCOMERS = 2_000  # targets a window, twice
NEGATIVES, POSITIVES = 60_000, 40_000  # drawn a window
MOST_PAIRS = 12_000_000  # of which a window's are drawn
FEWER = 4  # prospects' negatives are a quarter: few columns tell of such a customer


@dataclass(frozen=True)
class Rows:
    """Rows of one window: ``x`` float32[n, k], ``y`` bool[n], ``weight`` float32[n], ``target``
    int32[n]; ``genuine`` bool[n]: like those that will be asked about, not only taken for such;
    None: all."""

    x: Floats
    y: NDArray[np.bool_]
    weight: Floats
    target: Ints
    genuine: NDArray[np.bool_] | None = None

    def like_those_asked(self) -> Rows:
        """The genuine rows, of which alone the level is right."""
        if self.genuine is None:
            return self
        names = ("x", "y", "weight", "target")
        return Rows(*(getattr(self, name)[self.genuine] for name in names))


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
    """Everyone known, for items whose first sale to anybody is in the window, and for items whose
    sales before it are hidden, as if theirs were too (scoring.unsold)."""
    rng = np.random.default_rng((*window.seed, 1))
    labels = window.labels(history, level)
    found = np.bincount((labels % level.n_targets).astype(np.int64), minlength=level.n_targets)
    hidden = unsold.some_sold(history, window.cutoff, rng)
    first = np.flatnonzero(level.never_sold)
    targets = np.append(_some_found(found, first, rng), _some_found(found, hidden, rng))
    without = unsold.hiding(level, history, hidden, window.cutoff)
    rows = _everyone(history, without, window, np.sort(targets), rng)
    rows.x[:, unsold.blank(level)] = np.nan
    return replace(rows, genuine=level.never_sold[rows.target])


def _some_found(
    found: NDArray[np.int64], targets: NDArray[np.integer], rng: np.random.Generator
) -> NDArray[np.int64]:
    """int64[≤ MOST_NEWCOMERS]: those of the targets with buyers, as many as are worth drawing."""
    bought = targets[found[targets] > 0].astype(np.int64)
    few = len(bought) <= MOST_NEWCOMERS
    return bought if few else rng.choice(bought, MOST_NEWCOMERS, replace=False)


def ranking(history: History, level: Level, window: Window) -> Rows:
    """The candidates of everyone known."""
    rng = np.random.default_rng((*window.seed, 2))
    known = history.known_customers(window.cutoff)
    customer, target = level.candidates()
    key = (customer.astype(np.int64) * level.n_targets + target)[known[customer]]
    return _drawn(level, key, window.labels(history, level), rng)


def prospects(history: History, level: Level, window: Window) -> Rows:
    """The candidates of everyone known who bought nothing before, and of customers whose purchases
    are hidden, as if neither had they (scoring.prospects)."""
    rng = np.random.default_rng((*window.seed, 3))
    hidden = buyless.some_buyers(history, window.cutoff, rng)
    without = buyless.hiding(level, history, hidden, window.cutoff)
    asked = level.bought_nothing & history.known_customers(window.cutoff)
    asked[hidden] = True
    customer, target = without.candidates()
    key = (customer.astype(np.int64) * level.n_targets + target)[asked[customer]]
    rows = _drawn(without, key, window.labels(history, level), rng, FEWER, level.bought_nothing)
    rows.x[:, buyless.blank(level)] = np.nan
    return rows


def _everyone(
    history: History,
    level: Level,
    window: Window,
    targets: NDArray[np.int64],
    rng: np.random.Generator,
) -> Rows:
    known = np.flatnonzero(history.known_customers(window.cutoff))
    if len(known) * len(targets) > MOST_PAIRS:
        # a large shop: a share of its customers says as much
        known = np.sort(rng.choice(known, MOST_PAIRS // len(targets), replace=False))
    key = (known[:, None] * level.n_targets + targets[None, :]).ravel()
    return _drawn(level, key, window.labels(history, level), rng)


def _drawn(
    level: Level,
    key: NDArray[np.int64],
    labels: NDArray[np.int64],
    rng: np.random.Generator,
    fewer: int = 1,
    genuine_customer: NDArray[np.bool_] | None = None,
) -> Rows:
    """Labels among the sorted ``key``, and as many of the others as are worth describing."""
    happened = np.isin(key, labels, assume_unique=True, kind="sort")
    positives, negatives = np.flatnonzero(happened), np.flatnonzero(~happened)
    drawn = []
    weights = []
    for rows, most in ((positives, POSITIVES), (negatives, NEGATIVES // fewer)):
        taken = np.sort(rng.choice(rows, most, replace=False)) if len(rows) > most else rows
        drawn.append(taken)
        weights.append(np.full(len(taken), len(rows) / max(len(taken), 1), dtype=np.float32))
    chosen = key[np.concatenate(drawn)]
    customer = (chosen // level.n_targets).astype(np.int32)
    target = (chosen % level.n_targets).astype(np.int32)
    y = np.arange(len(chosen)) < len(drawn[0])
    x = level.describe(customer, target)
    genuine = None if genuine_customer is None else genuine_customer[customer]
    return Rows(x, y, np.concatenate(weights), target, genuine)
