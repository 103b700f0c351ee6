"""Targeting: rank all known customers for each target and count who bought.

Every method is measured on the same customers and targets: over all customers, over those who
bought the target before the cut-off (repeat) and over those who never did (new).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from scoring.backtest import metrics
from scoring.fitted import ANY
from scoring.history import BOUGHT, History, LevelView
from scoring.models import Floats, Ints

SHARES = (0.05, 0.1, 0.2)
CAPTURED_SHARES = (0.3, 0.4)
MIN_BUYERS = 50
RESAMPLES = 200  # of the customers, where one target leaves no targets to draw


@dataclass(frozen=True)
class Panel:
    """Who is ranked for what at one cut-off; all that a method is given. It holds no outcome.

    ``of_item``: int32[n_items], the target of each item among ``n_targets``, -1 for none;
    ``customer``: int32[n_known], those with any event before ``cutoff`` (hours); ``target``:
    int32[n_judged], sorted. A score is float[n_judged, n_known], higher first.
    """

    history: History
    level: str
    of_item: Ints
    n_targets: int
    cutoff: int
    horizon_hours: int
    customer: Ints
    target: Ints
    kind: int = BOUGHT

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.target), len(self.customer)

    def pairs(self) -> tuple[Ints, Ints]:
        """(customer, target): int32[n_judged * n_known], target by target."""
        return np.tile(self.customer, len(self.target)), np.repeat(self.target, len(self.customer))

    def view(self, kind: int | None = None) -> LevelView:
        """What happened before the cut-off, of the kind that is to be predicted or another."""
        kind = self.kind if kind is None else kind
        return self.history.view_of(self.of_item, self.n_targets, self.cutoff, kind)

    def dense(self, view: LevelView, values: NDArray) -> Floats:
        """float32[n_judged, n_known] of one value a pair of ``view``; 0 for pairs that it lacks."""
        index = (view.pair_target, view.pair_customer)
        shape = (view.n_targets, view.n_customers)
        table = sp.csr_array((values.astype(np.float32), index), shape=shape)
        return table[self.target][:, self.customer].toarray()


Method = Callable[[Panel], NDArray]


@dataclass(frozen=True)
class Outcome:
    """A panel with what came after: ``bought``, ``repeat`` (bought the target before):
    bool[n_judged, n_known]."""

    panel: Panel
    bought: NDArray[np.bool_]
    repeat: NDArray[np.bool_]


@dataclass(frozen=True)
class Targeting:
    """``measures[method][measure]``: float[n_judged], NaN where a target has no figure.

    Measures are lift@5 …, captured@30 …, auc, and the same with ``repeat_`` and ``new_`` before
    them. ``targets``: names; ``buyers``: a count each. ``calibration`` and
    ``expected_over_observed`` are of the method that gives probabilities. ``resampled`` is like
    ``measures`` for a single target: a row a draw of customers, the same for all methods.
    """

    level: str
    customers: int
    targets: list[str]
    buyers: list[int]
    measures: Mapping[str, Mapping[str, NDArray]]
    calibration: list[dict[str, float]] = field(default_factory=list)
    expected_over_observed: float = float("nan")
    resampled: Mapping[str, Mapping[str, NDArray]] = field(default_factory=dict)

    def mean(self, method: str, measure: str) -> float:
        """Over the targets that have a figure; NaN when none has (everybody bought them)."""
        return metrics.mean(self.measures[method][measure])

    def counted(self, measure: str) -> int:
        """How many targets have a figure: those with a buyer (repeat, new) and somebody else."""
        return int((~np.isnan(next(iter(self.measures.values()))[measure])).sum())

    def difference(self, method: str, rival: str, measure: str) -> tuple[float, float, float]:
        """(mean, low, high) of ``method`` minus ``rival``, paired; intervals as of ``interval``."""
        differences = self.measures[method][measure] - self.measures[rival][measure]
        if not self.resampled:
            return metrics.mean(differences), *metrics.interval(differences)
        drawn = self.resampled[method][measure] - self.resampled[rival][measure]
        return metrics.mean(differences), *metrics.quantiles(drawn)

    def interval(self, method: str, measure: str) -> tuple[float, float]:
        """95 % bootstrap interval of the mean over targets; over customers for a single target."""
        if self.resampled:
            return metrics.quantiles(self.resampled[method][measure])
        return metrics.interval(self.measures[method][measure])

    @property
    def calibration_error(self) -> float:
        return metrics.calibration_error(self.calibration)


def rounded(value: float) -> float | None:
    """To four places, null for NaN."""
    return None if math.isnan(value) else round(value, 4)


def best_selling(history: History, level: str, cutoff: int, count: int) -> Ints:
    """int32[≤ count]: the targets with most purchase lines before the cut-off, best first."""
    _, item, _ = history.select(BOUGHT, end=cutoff)
    target = history.catalogue.of_item[level][item[item >= 0]]
    lines = np.bincount(target[target >= 0], minlength=history.catalogue.size(level))
    order = np.argsort(-lines, kind="stable")[:count]
    return order[lines[order] > 0].astype(np.int32)


def grouping(history: History, level: str) -> tuple[Ints, int]:
    """(``of_item``, number of targets) of a level of the catalogue or of ANY."""
    if level == ANY:
        return np.zeros(history.catalogue.n_items, dtype=np.int32), 1
    return history.catalogue.of_item[level], history.catalogue.size(level)


def observe(
    history: History,
    level: str,
    cutoff: int,
    horizon_hours: int,
    *,
    targets: Ints | None = None,
    min_buyers: int = MIN_BUYERS,
    truth: History | None = None,
    kind: int = BOUGHT,
) -> Outcome:
    """Who bought what in the ``horizon_hours`` from ``cutoff`` (hours) on.

    Judged are those of ``targets`` (default: all of the level) that at least ``min_buyers`` of the
    customers known before the cut-off bought in the window; who was erased (no id) is not among
    them. ``truth`` is numbered like ``history`` and holds the window when ``history`` ends before
    it.
    """
    of_item, size = grouping(history, level)
    known = history.known_customers(cutoff) & (history.customers != "")
    end = cutoff + horizon_hours
    pair = (truth or history).labels(of_item, size, cutoff, end, kind)
    pair = pair[known[pair // size]]
    enough = np.bincount(pair % size, minlength=size) >= min_buyers
    if targets is not None:
        enough &= np.bincount(targets, minlength=size) > 0
    panel = Panel(
        history, level, of_item, size, cutoff, horizon_hours,
        customer=np.flatnonzero(known).astype(np.int32),
        target=np.flatnonzero(enough).astype(np.int32),
        kind=kind,
    )  # fmt: skip
    bought = np.zeros((size, history.n_customers), dtype=bool)[panel.target]
    row = np.cumsum(enough) - 1
    judged = enough[pair % size]
    bought[row[pair[judged] % size], pair[judged] // size] = True
    past = panel.view()
    before = panel.dense(past, np.ones(len(past.pair))) > 0
    return Outcome(panel, bought[:, panel.customer], before)


def evaluate(
    outcome: Outcome, scores: Mapping[str, NDArray | Method], *, probability: str | None = None
) -> Targeting:
    """Measures each score (float[n_judged, n_known], or what makes one of the panel).

    ``probability`` names the score that is one: its calibration is measured too. Raises ValueError
    when a score has another shape or holds NaN.
    """
    panel = outcome.panel
    known = {n: score(panel) if callable(score) else score for n, score in scores.items()}
    for name, score in known.items():
        if score.shape != panel.shape:
            raise ValueError(f"the score {name!r} is {score.shape}, not {panel.shape}")
        if np.isnan(score).any():
            raise ValueError(f"the score {name!r} holds NaN: a pair without a score has no rank")
    calibration, ratio = [], float("nan")
    if probability is not None:
        expected, bought = known[probability].ravel(), outcome.bought.ravel()
        calibration = metrics.calibration(expected, bought)
        ratio = float(expected.sum(dtype=np.float64) / max(bought.sum(), 1))
    names = panel.history.catalogue.names.get(panel.level, np.array([panel.level]))
    return Targeting(
        level=panel.level,
        customers=len(panel.customer),
        targets=[str(names[target]) for target in panel.target],
        buyers=[int(n) for n in outcome.bought.sum(axis=1)],
        measures={name: _measure(score, outcome) for name, score in known.items()},
        calibration=calibration,
        expected_over_observed=ratio,
        resampled={} if len(panel.target) != 1 else _resample(known, outcome),
    )


def _measure(score: NDArray, outcome: Outcome) -> dict[str, NDArray]:
    """Each measure of each target."""
    rows = zip(score, outcome.bought, outcome.repeat, strict=True)
    return _columns([_of_target(*row) for row in rows])


def _resample(scores: Mapping[str, NDArray], outcome: Outcome) -> dict[str, dict[str, NDArray]]:
    """Each measure of the one target on each of RESAMPLES draws of the customers."""
    bought, repeat = outcome.bought[0], outcome.repeat[0]
    rng = np.random.default_rng(0)
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in scores}
    for _ in range(RESAMPLES):
        drawn = rng.integers(0, len(bought), len(bought))
        for name, score in scores.items():
            rows[name].append(_of_target(score[0, drawn], bought[drawn], repeat[drawn]))
    return {name: _columns(found) for name, found in rows.items()}


def _columns(rows: list[dict[str, float]]) -> dict[str, NDArray]:
    nobody = np.zeros(0, dtype=bool)
    names = rows[0] if rows else _of_target(np.zeros(0), nobody, nobody)
    return {name: np.array([row[name] for row in rows]) for name in names}


def _of_target(
    score: NDArray, bought: NDArray[np.bool_], repeat: NDArray[np.bool_]
) -> dict[str, float]:
    """Over all customers, repeat and new ones."""
    found = _of_one(score, bought, "")
    found |= _of_one(score[repeat], bought[repeat], "repeat_")
    return found | _of_one(score[~repeat], bought[~repeat], "new_")


def _of_one(score: NDArray, bought: NDArray[np.bool_], group: str) -> dict[str, float]:
    gains = metrics.Gains.of(score, bought)
    found = {f"{group}lift@{round(share * 100)}": gains.lift(share) for share in SHARES}
    for share in CAPTURED_SHARES:
        found[f"{group}captured@{round(share * 100)}"] = gains.captured(share)
    return found | {f"{group}auc": gains.auc}
