"""Ranking: a list of targets for each customer who then bought, and how much of it was bought.

Over all targets, or over those new to the customer: then only targets never bought before the
cut-off may stand in a list, and only they are relevant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.backtest import metrics
from scoring.backtest.targeting import Panel, grouping
from scoring.history import BOUGHT, History
from scoring.models import Ints

LENGTH = 10
HIT_RATE, RECALL, NDCG = f"hit_rate@{LENGTH}", f"recall@{LENGTH}", f"ndcg@{LENGTH}"
MEASURES = (HIT_RATE, RECALL, NDCG)
AT_ONCE = 64  # customers whose dense scores are held at once

ScoreAll = Callable[[Ints], NDArray]  # customers int32[m] → float[m, n_targets], higher first


@dataclass(frozen=True)
class Baskets:
    """``panel``: the customers known before the cut-off who bought in the window, and all targets;
    ``bought``: sorted keys customer * n_targets + target of what they bought; ``before``: the keys
    of what they had bought before the cut-off."""

    panel: Panel
    bought: NDArray[np.int64]
    before: NDArray[np.int64]

    def relevant(self, *, new_only: bool) -> NDArray[np.int64]:
        """Sorted keys of what a list should hold."""
        if not new_only:
            return self.bought
        return np.setdiff1d(self.bought, self.before, assume_unique=True)


@dataclass(frozen=True)
class Ranking:
    """``measures[method][measure]``: float[n], over the customers with anything relevant."""

    new_only: bool
    customers: int
    measures: Mapping[str, Mapping[str, NDArray]]

    def mean(self, method: str, measure: str) -> float:
        return metrics.mean(self.measures[method][measure])

    def interval(self, method: str, measure: str) -> tuple[float, float]:
        return metrics.interval(self.measures[method][measure])

    def difference(self, method: str, rival: str, measure: str) -> tuple[float, float, float]:
        """(mean, low, high) of ``method`` minus ``rival`` over the customers, paired."""
        differences = self.measures[method][measure] - self.measures[rival][measure]
        return metrics.mean(differences), *metrics.interval(differences)

    def ratio(self, method: str, rival: str, measure: str) -> float:
        """How many times the mean of ``rival``; NaN when that is 0."""
        base = self.mean(rival, measure)
        return self.mean(method, measure) / base if base else float("nan")


def observe(
    history: History,
    level: str,
    cutoff: int,
    horizon_hours: int,
    *,
    truth: History | None = None,
    kind: int = BOUGHT,
) -> Baskets:
    """What the known customers bought in the ``horizon_hours`` from ``cutoff`` (hours) on.

    Targets that nobody had bought before the cut-off do not count: how well new items are placed is
    judged apart. ``truth`` is numbered like ``history`` and holds the window when ``history`` ends
    before it.
    """
    of_item, size = grouping(history, level)
    known = history.known_customers(cutoff)
    end = cutoff + horizon_hours
    bought = (truth or history).labels(of_item, size, cutoff, end, kind)
    before = history.view_of(of_item, size, cutoff, kind)
    sold = np.zeros(size, dtype=bool)
    sold[before.target] = True
    bought = bought[known[bought // size] & sold[bought % size]]
    customer = np.unique(bought // size).astype(np.int32)
    everything = np.arange(size, dtype=np.int32)
    panel = Panel(
        history, level, of_item, size, cutoff, horizon_hours, customer, everything, kind=kind
    )
    return Baskets(panel, bought, before.pair)


def evaluate(baskets: Baskets, lists: Mapping[str, Ints], *, new_only: bool = False) -> Ranking:
    """Measures lists: int32[n, ≤ LENGTH], a row a customer of the panel, best first, -1 for none.

    Longer lists are cut. Raises ValueError when a list has other rows or a target twice.
    """
    panel, relevant = baskets.panel, baskets.relevant(new_only=new_only)
    owner = np.searchsorted(panel.customer, relevant // panel.n_targets)
    count = np.bincount(owner, minlength=len(panel.customer))
    judged = count > 0
    measures = {}
    for name, targets in lists.items():
        _check(name, targets, len(panel.customer))
        targets = targets[judged, :LENGTH]
        key = panel.customer[judged].astype(np.int64)[:, None] * panel.n_targets + targets
        found = metrics.of_lists(np.isin(key, relevant) & (targets >= 0), count[judged])
        values = (found.hit_rate, found.recall, found.ndcg)
        measures[name] = dict(zip(MEASURES, values, strict=True))
    return Ranking(new_only, int(judged.sum()), measures)


def _check(name: str, targets: Ints, customers: int) -> None:
    if len(targets) != customers:
        raise ValueError(f"the lists {name!r} are of {len(targets)} customers, not {customers}")
    ordered = np.sort(targets, axis=1)
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
        raise ValueError(f"the lists {name!r} hold a target twice")


def best_lists(baskets: Baskets, score: ScoreAll, *, new_only: bool = False) -> Ints:
    """int32[n, LENGTH]: the best scored targets of each customer, -1 where the score is -inf.

    Equal scores keep the order of the targets.
    """
    panel = baskets.panel
    length = min(LENGTH, panel.n_targets)
    lists = np.full((len(panel.customer), length), -1, dtype=np.int32)
    for begin in range(0, len(panel.customer), AT_ONCE):
        part = panel.customer[begin : begin + AT_ONCE]
        scores = np.array(score(part), dtype=np.float64)
        if new_only:
            _forbid(scores, part, baskets)
        lists[begin : begin + len(part)] = _best(scores, length)
    return lists


def _forbid(scores: NDArray[np.float64], customer: Ints, baskets: Baskets) -> None:
    """What the customers bought before gets -inf."""
    size = baskets.panel.n_targets
    bounds = np.array([customer, customer + 1], dtype=np.int64) * size
    first, last = np.searchsorted(baskets.before, bounds)
    for row, (begin, end) in enumerate(zip(first, last, strict=True)):
        scores[row, baskets.before[begin:end] % size] = -np.inf


def _best(scores: NDArray[np.float64], length: int) -> Ints:
    """Columns of the ``length`` highest scores of each row, in order."""
    edge = np.partition(scores, scores.shape[1] - length, axis=1)[:, -length]
    lists = np.empty((len(scores), length), dtype=np.int32)
    for row, (scored, least) in enumerate(zip(scores, edge, strict=True)):
        column = np.flatnonzero(scored >= least)
        best = column[np.argsort(-scored[column], kind="stable")][:length]
        lists[row] = np.where(np.isneginf(scored[best]), -1, best)
    return lists
