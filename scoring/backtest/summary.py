"""Results as plain JSON: means, 95 % intervals and paired differences; null where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.backtest import metrics
from scoring.backtest.ranking import MEASURES, NDCG, Ranking
from scoring.backtest.report import CURVE_SHARES, MODEL, RULES, Judged, Results
from scoring.backtest.targeting import Targeting, rounded

Figures = dict[str, dict[str, dict[str, float | None]]]  # method → measure → mean, low, high

GATED = "lift@20"
SHOP_RULE = "rule 90 days"  # what most shops do
BASE = "best sellers"  # what rankings are compared with


def of_level(judged: Judged) -> dict[str, Any]:
    """One level at one cut-off or several: all that the page shows of it."""
    targeting = judged.targeting
    methods, minus = compared(targeting.measures, targeting.resampled)
    best = best_rule(targeting)
    return {
        "level": targeting.level,
        "customers": targeting.customers,
        "buyers": sum(targeting.buyers),
        "new_buyers": sum(judged.new_buyers),
        "best_rule": best,
        "methods": methods,
        "minus": minus,
        "targets": _targets(judged),
        "curves": {
            name: _curve(judged.curves[name])
            for name in dict.fromkeys((MODEL, SHOP_RULE, best or SHOP_RULE))
            if name in judged.curves
        },
        **judged.reliability.to_json(),
    }


def of_ranking(ranking: Ranking) -> dict[str, Any]:
    """``ratio``: each method's NDCG over that of the best sellers."""
    methods, minus = compared(ranking.measures, {})
    return {
        "new_only": ranking.new_only,
        "customers": ranking.customers,
        "measures": list(MEASURES),
        "methods": methods,
        "minus": minus,
        "ratio": {name: rounded(ranking.ratio(name, BASE, NDCG)) for name in ranking.measures},
    }


def quality(results: Results) -> dict[str, Any]:
    """What the gate compares from night to night, and what /v1/snapshots shows.

    ``lift@20_error``: the mean's standard error; ``targets``: how many were judged; ``left_out``:
    why a level has no figure; ``missing``: levels that the catalogue does not have.
    """
    levels = [judged.targeting for judged in results.levels]
    return {
        GATED: {r.level: rounded(r.mean(MODEL, GATED)) for r in levels},
        f"{GATED}_error": {r.level: rounded(_standard_error(r)) for r in levels},
        "auc": {r.level: rounded(r.mean(MODEL, "auc")) for r in levels},
        "expected_over_observed": {r.level: rounded(r.expected_over_observed) for r in levels},
        "targets": {r.level: r.counted(GATED) for r in levels},
        "left_out": dict(results.left_out),
        "missing": list(results.missing),
    }


def best_rule(targeting: Targeting) -> str | None:
    """Of the rules that were measured, the one with the highest GATED."""
    rules = [name for name in RULES if name in targeting.measures]
    means = {name: targeting.mean(name, GATED) for name in rules}
    return max(rules, key=lambda name: np.nan_to_num(means[name], nan=-1.0), default=None)


def compared(
    measures: Mapping[str, Mapping[str, NDArray]], drawn: Mapping[str, Mapping[str, NDArray]]
) -> tuple[Figures, Figures]:
    """(each method's figures, MODEL minus each rival's, paired over the same rows).

    ``drawn``: bootstrap means, for a single target; otherwise the rows are resampled.
    """
    names = list(measures)
    methods: Figures = {name: {} for name in names}
    minus: Figures = {name: {} for name in names if name != MODEL}
    for measure in measures[names[0]]:
        values = _columns(measures, measure)
        has = values[~np.isnan(values).any(axis=1)]
        means = has.mean(axis=0) if len(has) else np.full(values.shape[1], np.nan)
        bounds = np.full((values.shape[1], 2), np.nan)
        if drawn:
            bounds = np.array([metrics.quantiles(c) for c in _columns(drawn, measure).T])
        elif len(has):
            bounds = metrics.intervals(has)
        rows = [
            {"mean": rounded(float(mean)), "low": rounded(float(low)), "high": rounded(float(high))}
            for mean, (low, high) in zip(means, bounds, strict=True)
        ]
        for name, row in zip(names, rows[: len(names)], strict=True):
            methods[name][measure] = row
        for name, row in zip(names[1:], rows[len(names) :], strict=True):
            minus[name][measure] = row
    return methods, minus


def table(results: list[Judged]) -> str:
    """A readable table: one block a level, the model first."""
    measures = ("lift@5", "lift@10", "lift@20", "auc", "new_auc")
    lines = [
        f"{'level':<10}{'method':<16}{'targets':>8}"
        + "".join(f"{name:>9}" for name in measures)
        + f"{'predicted/actual':>18}"
    ]
    for judged in results:
        result = judged.targeting
        for method in result.measures:
            ratio = _told(result.expected_over_observed, 2) if method == MODEL else ""
            means = [f"{_told(result.mean(method, name), 3):>9}" for name in measures]
            lines.append(
                f"{result.level:<10}{method:<16}{len(result.targets):>8}"
                + "".join(means)
                + f"{ratio:>18}"
            )
    return "\n".join(lines)


def _told(value: float, places: int) -> str:
    """What cannot be measured is a dash, as on the page."""
    return "–" if np.isnan(value) else f"{value:.{places}f}"


def _columns(measures: Mapping[str, Mapping[str, NDArray]], measure: str) -> NDArray[np.float64]:
    """float[n, 2k − 1]: every method, then the first one minus each of the others."""
    values = np.column_stack([found[measure] for found in measures.values()])
    return np.column_stack([values, values[:, :1] - values[:, 1:]])


def _targets(judged: Judged) -> list[dict[str, Any]]:
    """A row a target, most buyers first."""
    result = judged.targeting
    rows = [
        {"target": name, "buyers": result.buyers[i], "new_buyers": judged.new_buyers[i]}
        | {
            f"{method}.{measure}": rounded(float(values[i]))
            for method, found in result.measures.items()
            for measure, values in found.items()
        }
        for i, name in enumerate(result.targets)
    ]
    return sorted(rows, key=lambda row: (-int(row["buyers"]), str(row["target"])))


def _curve(curve: NDArray[np.float64]) -> list[dict[str, float | None]]:
    """A target without buyers has no curve; one target leaves no targets to draw."""
    curve = curve[~np.isnan(curve).any(axis=1)]
    if not len(curve):
        return []
    bounds = np.full((curve.shape[1], 2), np.nan)
    if len(curve) > 1:
        bounds = metrics.intervals(curve)
    return [
        {
            "share": round(float(share), 2),
            "mean": rounded(float(mean)),
            "low": rounded(float(low)),
            "high": rounded(float(high)),
        }
        for share, mean, (low, high) in zip(CURVE_SHARES, curve.mean(axis=0), bounds, strict=True)
    ]


def _standard_error(targeting: Targeting) -> float:
    """Of the mean over targets; over customers for a single target."""
    if targeting.resampled:
        return float(np.nanstd(targeting.resampled[MODEL][GATED]))
    values = targeting.measures[MODEL][GATED]
    values = values[~np.isnan(values)]
    if len(values) < 2:
        return float("nan")
    return float(values.std(ddof=1) / np.sqrt(len(values)))


__all__ = ["GATED", "best_rule", "compared", "of_level", "of_ranking", "quality", "table"]
