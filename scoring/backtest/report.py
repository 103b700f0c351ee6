"""The report of a night and of `rightsend backtest`: which targets, which rivals, one result.

Each level of the catalogue is judged at one cut-off; results of several cut-offs are combined
target by target, so that a target counts once however often it was judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from scoring.backtest import metrics, rivals
from scoring.backtest.reliability import Reliability
from scoring.backtest.targeting import (
    Method,
    Outcome,
    Panel,
    Targeting,
    best_selling,
    evaluate,
    observe,
)
from scoring.fitted import ANY, Fitted
from scoring.history import LEVELS, History
from scoring.models import Floats
from scoring.progress import Progress
from settings.workspace import ModelSettings

MODEL = "rightsend"
EASE = "EASE alone"
RULES: Mapping[str, Method] = {n: rule for n, rule in rivals.TARGETING.items() if n != "random"}
EVERY_RULE = (*RULES, EASE)
NIGHTLY_RULES = ("rule 90 days", "frequency")
TARGETS = 60  # best-selling targets a level
CELLS = 8_000_000  # pairs whose scores are held at once
CURVE_SHARES = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class Choice:
    """What is judged: of each of ``levels`` the ``targets`` best-selling that at least
    models.min_target_buyers known customers bought in the window; with ``min_buyers`` all that so
    many bought, as in the protocol of the benchmarks.
    """

    levels: tuple[str, ...] = LEVELS
    targets: int = TARGETS
    min_buyers: int | None = None

    def least(self, models: ModelSettings) -> int:
        """Known customers who bought a judged target in the window, at least."""
        return models.min_target_buyers if self.min_buyers is None else self.min_buyers


@dataclass(frozen=True)
class Judged:
    """One level, at one cut-off or several. ``curves[method]``: float[n_judged, 101], the share of
    each target's buyers captured among the best CURVE_SHARES; ``new_buyers``: of each target, those
    who had never bought it."""

    targeting: Targeting
    curves: Mapping[str, NDArray[np.float64]]
    reliability: Reliability
    new_buyers: list[int]

    @property
    def level(self) -> str:
        return self.targeting.level


@dataclass(frozen=True)
class Results:
    """``left_out``: why each level without a figure has none; ``missing``: those of them that the
    catalogue does not have."""

    levels: list[Judged]
    left_out: Mapping[str, str]
    missing: list[str]


def of_history(
    history: History,
    fitted: Fitted,
    models: ModelSettings,
    progress: Progress,
    *,
    truth: History | None = None,
    choice: Choice | None = None,
    rules: Sequence[str] = NIGHTLY_RULES,
    others: Mapping[str, Fitted] | None = None,
) -> Results:
    """Judges ``fitted`` and ``rules`` in the window after ``fitted.cutoff``.

    ``truth`` is numbered like ``history`` and holds the window when ``history`` ends before it.
    ``others``: further models of the same cut-off by name, which are rivals.
    """
    choice = choice or Choice()
    judged, left_out, missing = [], {}, []
    for done, level in enumerate(choice.levels, start=1):
        outcome = _observe(history, level, fitted.cutoff, models, choice, truth)
        if outcome is None:
            left_out[level] = f"the catalogue has no {level}"
            missing.append(level)
        elif not len(outcome.panel.target):
            least = choice.least(models)
            left_out[level] = f"no {level} was bought by {least} known customers in the window"
        else:
            methods: dict[str, Method] = {MODEL: Model(fitted)}
            methods |= {name: RULES[name] for name in rules if name != EASE}
            methods |= {name: Model(other) for name, other in (others or {}).items()}
            if EASE in rules and "ease" in fitted.levels[level].scorers:
                methods[EASE] = _Ease(fitted)
            judged.append(judge(outcome, methods))
        progress("backtest", done, len(choice.levels))
    return Results(judged, left_out, missing)


def judge(outcome: Outcome, methods: Mapping[str, Method]) -> Judged:
    """Measures every method on one outcome; the first one gives probabilities."""
    return _joined([_judge_part(part, methods) for part in _parts(outcome)])


def combine(results: Sequence[Judged]) -> Judged:
    """One level at several cut-offs: a target's figure is its mean over those that have one."""
    if len(results) == 1:
        return results[0]
    whole = _joined(results)
    names, row = np.unique(whole.targeting.targets, return_inverse=True)
    measures = {
        method: {name: _mean_of_groups(values, row, len(names)) for name, values in found.items()}
        for method, found in whole.targeting.measures.items()
    }
    buyers, new = (
        np.bincount(row, counts).astype(int).tolist()
        for counts in (whole.targeting.buyers, whole.new_buyers)
    )
    targeting = replace(
        whole.targeting, targets=names.tolist(), buyers=buyers, measures=measures,
        customers=round(float(np.mean([one.targeting.customers for one in results]))),
        resampled=_mean_draws(results) if len(names) == 1 else {},
    )  # fmt: skip
    curves = {
        method: np.column_stack([_mean_of_groups(c, row, len(names)) for c in curve.T])
        for method, curve in whole.curves.items()
    }
    return Judged(targeting, curves, whole.reliability, new)


@dataclass(frozen=True)
class Model:
    """The probabilities of a fitted model."""

    fitted: Fitted

    def __call__(self, panel: Panel) -> Floats:
        customer, target = panel.pairs()
        found = self.fitted.probability(panel.level, customer, target, panel.kind)
        return np.asarray(found).reshape(panel.shape)


@dataclass(frozen=True)
class _Ease:
    """The collaborative scorer by itself; 0 where it knows nothing of a target."""

    fitted: Fitted

    def __call__(self, panel: Panel) -> Floats:
        scorer = self.fitted.levels[panel.level].scorers["ease"]
        score = scorer.describe(*panel.pairs())[:, 0]
        return np.nan_to_num(score, nan=0.0).reshape(panel.shape)


def _observe(
    history: History,
    level: str,
    cutoff: int,
    models: ModelSettings,
    choice: Choice,
    truth: History | None,
) -> Outcome | None:
    """None when the catalogue lacks the level."""
    targets = None
    if level != ANY:
        if history.catalogue.size(level) == 0:
            return None
        if choice.min_buyers is None:
            targets = best_selling(history, level, cutoff, choice.targets)
    return observe(
        history, level, cutoff, models.horizon_days * 24,
        targets=targets, min_buyers=choice.least(models), truth=truth,
    )  # fmt: skip


def _parts(outcome: Outcome) -> Iterator[Outcome]:
    """The outcome in parts of some targets, so that memory is bounded; two at least, if there are
    two, for a part of one is resampled."""
    n_targets, n_customers = outcome.panel.shape
    at_once = max(CELLS // max(n_customers, 1), 2)
    count = max(min(-(-n_targets // at_once), n_targets // 2), 1)
    for rows in np.array_split(np.arange(n_targets), count):
        panel = replace(outcome.panel, target=outcome.panel.target[rows])
        yield Outcome(panel, outcome.bought[rows], outcome.repeat[rows])


def _judge_part(outcome: Outcome, methods: Mapping[str, Method]) -> Judged:
    scores = {name: method(outcome.panel) for name, method in methods.items()}
    curves = {
        name: np.array([_curve(*row) for row in zip(score, outcome.bought, strict=True)])
        for name, score in scores.items()
    }
    new = (outcome.bought & ~outcome.repeat).sum(axis=1)
    said = next(iter(scores.values()))
    reliability = Reliability.of(said, outcome.bought)
    return Judged(evaluate(outcome, scores), curves, reliability, new.tolist())


def _curve(score: NDArray, bought: NDArray[np.bool_]) -> list[float]:
    gains = metrics.Gains.of(score, bought)
    return [gains.captured(share) for share in CURVE_SHARES]


def _joined(parts: Sequence[Judged]) -> Judged:
    """The parts' targets one after the other."""
    first = parts[0].targeting
    reliability = reduce(add, (part.reliability for part in parts))
    targeting = replace(
        first,
        targets=[name for part in parts for name in part.targeting.targets],
        buyers=[count for part in parts for count in part.targeting.buyers],
        measures={
            method: {
                name: np.concatenate([part.targeting.measures[method][name] for part in parts])
                for name in found
            }
            for method, found in first.measures.items()
        },
        calibration=reliability.by_count(),
        expected_over_observed=reliability.expected_over_observed,
        resampled=first.resampled if len(parts) == 1 else {},
    )
    curves = {
        method: np.concatenate([part.curves[method] for part in parts])
        for method in parts[0].curves
    }
    return Judged(
        targeting, curves, reliability, [count for part in parts for count in part.new_buyers]
    )


def _mean_draws(results: Sequence[Judged]) -> dict[str, dict[str, NDArray]]:
    """Each draw of the customers of the one target, over the cut-offs."""
    return {
        method: {
            name: np.mean([one.targeting.resampled[method][name] for one in results], axis=0)
            for name in found
        }
        for method, found in results[0].targeting.resampled.items()
    }


def _mean_of_groups(values: NDArray, row: NDArray, size: int) -> NDArray[np.float64]:
    """float[size]: the mean of the values of each row, NaN left out."""
    has = ~np.isnan(values)
    total = np.bincount(row[has], values[has], size)
    count = np.bincount(row[has], minlength=size)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
