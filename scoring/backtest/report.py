"""The backtest of a night and of `rightsend backtest`: which targets, which truth, one report."""

from __future__ import annotations

from typing import Any

import numpy as np

from scoring.backtest.targeting import Targeting, best_selling, evaluate, rounded, table
from scoring.history import BOUGHT, LEVELS, History
from scoring.training import Fitted, Progress
from settings.workspace import ModelSettings

TARGETS = 60  # best-selling targets a level


def of_history(
    history: History,
    fitted: Fitted,
    models: ModelSettings,
    progress: Progress,
    *,
    truth: History | None = None,
    targets: int = TARGETS,
) -> list[Targeting]:
    """Each level's best-selling targets, judged in the window after ``fitted.cutoff``.

    ``truth`` is numbered like ``history`` and holds the window when ``history`` ends before it.
    Targets that fewer than models.min_target_buyers known customers bought in the window say too
    little and are left out, as is a level without any target.
    """
    later = truth or history
    known = history.known_customers(fitted.cutoff)
    start, end = fitted.cutoff, fitted.cutoff + models.horizon_days * 24
    results = []
    for done, level in enumerate(LEVELS, start=1):
        of_item, size = history.catalogue.of_item[level], history.catalogue.size(level)
        if size == 0:
            continue
        bought = later.labels(of_item, size, start, end, BOUGHT)
        bought = bought[known[bought // size]]
        chosen = best_selling(history, level, fitted.cutoff, targets)
        buyers = np.bincount((bought % size).astype(np.int64), minlength=size)
        chosen = chosen[buyers[chosen] >= models.min_target_buyers]
        if len(chosen):
            results.append(evaluate(history, fitted, level, chosen, bought))
        progress("backtest", done, len(LEVELS))
    return results


def quality(results: list[Targeting]) -> dict[str, Any]:
    """What the gate compares from night to night, and what /v1/snapshots shows."""
    return {
        "lift@20": {r.level: rounded(r.mean("model", "lift@20")) for r in results},
        "auc": {r.level: rounded(r.mean("model", "auc")) for r in results},
        "expected_over_observed": {r.level: rounded(r.expected_over_observed) for r in results},
    }


def to_json(results: list[Targeting]) -> dict[str, Any]:
    return {result.level: result.to_json() for result in results}


__all__ = ["of_history", "quality", "table", "to_json"]
