"""Which (customer, target) pairs of a past window the stackers learn from, labelled.

- ``targeting``: all known customers for targets that sell, as a campaign would ask, and more of the
  habits for what few buy;
- ``ranking``: each customer's candidates, as a landing page would ask;
- ``prospects``: the same for customers who bought nothing, and some that are taken for such;
- ``newcomers``: all known customers for items that had never been sold and sold in the window, and
  for some that are taken for such.

A row's weight is the number of asked pairs that it stands for, so that the output is a probability
(of rare targets a share of it: they are many, and seldom asked about).
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
RARE, RARE_SHARE = 1_000, 0.5  # further targets a window; the share of their weight
RARE_ROWS = 6_000  # of each outcome, with and without a habit
FEWER = 4  # prospects' negatives are a quarter: few columns tell of such a customer


@dataclass(frozen=True)
class Rows:
    """Rows of one window: ``x`` float32[n, k], ``y`` bool[n], ``weight`` float32[n], ``target``
    int32[n]; ``genuine`` bool[n]: as many happen as among those that will be asked about (others
    are taken for such, or weigh less than they stand for); None: all."""

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
    """Everyone known, for the best sellers and some others that sell; and, of what is sold rarely,
    as many with a habit as without."""
    rng = np.random.default_rng((*window.seed, 0))
    popularity = level.scorers["popularity"]
    sold = popularity.best(level.n_targets)
    others = sold[BEST_SELLERS:]
    if len(others) > OTHERS:
        others = rng.choice(others, OTHERS, replace=False)
    targets = np.sort(np.append(sold[:BEST_SELLERS], others)).astype(np.int64)
    rows = _everyone(history, level, window, targets, rng)
    rare = np.setdiff1d(sold, targets)
    return _joined(rows, _rare(history, level, window, rare, rng)) if len(rare) else rows


def _rare(
    history: History,
    level: Level,
    window: Window,
    targets: NDArray[np.integer],
    rng: np.random.Generator,
) -> list[Rows]:
    """A uniform draw of pairs would hold hardly any habit: few buy such a target, and again."""
    targets = np.sort(rng.permutation(targets)[:RARE]).astype(np.int64)
    known = history.known_customers(window.cutoff)
    bought = level.scorers["repeat"].pair
    habits = bought[np.isin(bought % level.n_targets, targets) & known[bought // level.n_targets]]
    labels = window.labels(history, level)
    labels = labels[np.isin(labels % level.n_targets, targets)]
    customers = rng.choice(np.flatnonzero(known), RARE_ROWS)
    strangers = np.union1d(labels, customers * level.n_targets + rng.choice(targets, RARE_ROWS))
    strangers = np.setdiff1d(strangers, bought, assume_unique=True)
    most = (RARE_ROWS, RARE_ROWS)
    drawn = [_drawn(level, key, labels, rng, most) for key in (habits, strangers)]
    never = int(known.sum()) * len(targets) - len(habits)
    unbought = ~drawn[1].y
    left = never - drawn[1].weight[~unbought].sum()
    drawn[1].weight[unbought] = left / max(unbought.sum(), 1)
    return [replace(rows, weight=rows.weight * np.float32(RARE_SHARE)) for rows in drawn]


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
    most = (POSITIVES, NEGATIVES // FEWER)
    rows = _drawn(without, key, window.labels(history, level), rng, most, level.bought_nothing)
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
    most: tuple[int, int] | None = None,
    genuine_customer: NDArray[np.bool_] | None = None,
) -> Rows:
    """Labels among the sorted ``key``, and as many of the others as are worth describing.

    ``most``: rows with and without a label; None: POSITIVES and NEGATIVES.
    """
    happened = np.isin(key, labels, assume_unique=True, kind="sort")
    positives, negatives = np.flatnonzero(happened), np.flatnonzero(~happened)
    drawn = []
    weights = []
    for rows, limit in zip((positives, negatives), most or (POSITIVES, NEGATIVES), strict=True):
        taken = np.sort(rng.choice(rows, limit, replace=False)) if len(rows) > limit else rows
        drawn.append(taken)
        weights.append(np.full(len(taken), len(rows) / max(len(taken), 1), dtype=np.float32))
    chosen = key[np.concatenate(drawn)]
    customer = (chosen // level.n_targets).astype(np.int32)
    target = (chosen % level.n_targets).astype(np.int32)
    y = np.arange(len(chosen)) < len(drawn[0])
    x = level.describe(customer, target)
    genuine = None if genuine_customer is None else genuine_customer[customer]
    return Rows(x, y, np.concatenate(weights), target, genuine)


def _joined(genuine: Rows, others: list[Rows]) -> Rows:
    names = ("x", "y", "weight", "target")
    parts = [genuine, *others]
    joined = Rows(*(np.concatenate([getattr(rows, name) for rows in parts]) for name in names))
    return replace(joined, genuine=np.arange(len(joined.y)) < len(genuine.y))
