"""Targeting: rank all known customers for each target and count who bought, beside a rule."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.backtest import metrics
from scoring.history import BOUGHT, History
from scoring.models import Ints
from scoring.training import Fitted

SHARES = (0.05, 0.1, 0.2)


@dataclass(frozen=True)
class Targeting:
    """Per method and target: lift at SHARES and AUC. ``targets``: names; ``buyers``: a count each;
    ``measures[method][measure]``: float[n_targets]; ``calibration``: of the model."""

    level: str
    customers: int
    targets: list[str]
    buyers: list[int]
    measures: Mapping[str, Mapping[str, NDArray]]
    calibration: list[dict[str, float]] = field(default_factory=list)
    expected_over_observed: float = float("nan")

    def mean(self, method: str, measure: str) -> float:
        """Over the targets that have a figure; NaN when none has (everybody bought them)."""
        values = self.measures[method][measure]
        values = values[~np.isnan(values)]
        return float(values.mean()) if len(values) else float("nan")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: means with 95 % intervals over targets, and each target's figures.

        A figure that there is none of is null: NaN is not JSON.
        """
        summary: dict[str, dict[str, dict[str, float | None]]] = {}
        for method, by_measure in self.measures.items():
            summary[method] = {}
            for measure, values in by_measure.items():
                low, high = metrics.interval(values)
                summary[method][measure] = {
                    "mean": rounded(self.mean(method, measure)),
                    "low": rounded(low),
                    "high": rounded(high),
                }
        rows = [
            {"target": target, "buyers": buyers}
            | {
                f"{method}.{measure}": rounded(float(values[i]))
                for method, by_measure in self.measures.items()
                for measure, values in by_measure.items()
            }
            for i, (target, buyers) in enumerate(zip(self.targets, self.buyers, strict=True))
        ]
        return {
            "level": self.level,
            "customers": self.customers,
            "methods": summary,
            "targets": rows,
            "calibration": self.calibration,
            "expected_over_observed": rounded(self.expected_over_observed),
        }


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


def evaluate(
    history: History, fitted: Fitted, level: str, targets: Ints, truth: NDArray[np.int64]
) -> Targeting:
    """Ranks every customer known before ``fitted.cutoff`` for each target.

    ``truth``: sorted keys customer * n_targets + target of the pairs that bought in the window. The
    rule beside the model is the number of days on which the customer bought the target.
    """
    known = np.flatnonzero(history.known_customers(fitted.cutoff)).astype(np.int32)
    repeat = fitted.levels[level].scorers["repeat"]
    n_targets = history.catalogue.size(level)
    customer = np.tile(known, len(targets))
    target = np.repeat(targets, len(known)).astype(np.int32)
    shape = (len(targets), len(known))
    bought = np.isin(customer.astype(np.int64) * n_targets + target, truth).reshape(shape)
    probability = fitted.probability(level, customer, target)
    scores = {"model": probability, "days_bought": repeat.describe(customer, target)[:, 4]}
    measures = {name: _measure(score.reshape(shape), bought) for name, score in scores.items()}
    return Targeting(
        level=level,
        customers=len(known),
        targets=[str(history.catalogue.names[level][t]) for t in targets],
        buyers=[int(n) for n in bought.sum(axis=1)],
        measures=measures,
        calibration=metrics.calibration(probability, bought.ravel()),
        expected_over_observed=float(probability.sum() / max(bought.sum(), 1)),
    )


def _measure(score: NDArray, bought: NDArray[np.bool_]) -> dict[str, NDArray]:
    """Each measure of each target: ``score`` and ``bought`` are [n_targets, n_customers]."""
    rows = list(zip(score, bought, strict=True))
    measures = {
        f"lift@{round(share * 100)}": np.array([metrics.lift(s, b, share) for s, b in rows])
        for share in SHARES
    }
    return measures | {"auc": np.array([metrics.auc(s, b) for s, b in rows])}


def table(results: list[Targeting]) -> str:
    """A readable table: one block a level, the model beside the rule."""
    lines = [
        f"{'level':<10}{'method':<14}{'targets':>8}{'lift@5':>9}{'lift@10':>9}{'lift@20':>9}"
        f"{'AUC':>8}{'expected/observed':>20}"
    ]
    for result in results:
        for method in result.measures:
            means = [result.mean(method, m) for m in ("lift@5", "lift@10", "lift@20")]
            ratio = f"{result.expected_over_observed:.2f}" if method == "model" else ""
            lines.append(
                f"{result.level:<10}{method:<14}{len(result.targets):>8}"
                + "".join(f"{mean:>9.2f}" for mean in means)
                + f"{result.mean(method, 'auc'):>8.3f}{ratio:>20}"
            )
    return "\n".join(lines)
