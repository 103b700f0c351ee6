"""The backtest of a night and of `rightsend backtest`: which targets, which truth, one report."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from scoring.backtest.targeting import (
    Panel,
    Targeting,
    best_selling,
    evaluate,
    observe,
    rounded,
    table,
)
from scoring.fitted import Fitted
from scoring.history import LEVELS, History
from scoring.training import Progress
from settings.workspace import ModelSettings

MODEL = "model"
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
    results = []
    for done, level in enumerate(LEVELS, start=1):
        if history.catalogue.size(level) == 0:
            continue
        outcome = observe(
            history, level, fitted.cutoff, models.horizon_days * 24,
            targets=best_selling(history, level, fitted.cutoff, targets),
            min_buyers=models.min_target_buyers,
            truth=truth,
        )  # fmt: skip
        if len(outcome.panel.target):
            results.append(evaluate(outcome, _scores(fitted, outcome.panel), probability=MODEL))
        progress("backtest", done, len(LEVELS))
    return results


def _scores(fitted: Fitted, panel: Panel) -> dict[str, NDArray]:
    """The model beside the rule that a marketer would use: the days on which it was bought."""
    customer, target = panel.pairs()
    view = panel.view()
    return {
        MODEL: fitted.probability(panel.level, customer, target).reshape(panel.shape),
        "days_bought": panel.dense(view, view.days),
    }


def quality(results: list[Targeting]) -> dict[str, Any]:
    """What the gate compares from night to night, and what /v1/snapshots shows."""
    return {
        "lift@20": {r.level: rounded(r.mean(MODEL, "lift@20")) for r in results},
        "auc": {r.level: rounded(r.mean(MODEL, "auc")) for r in results},
        "expected_over_observed": {r.level: rounded(r.expected_over_observed) for r in results},
    }


def to_json(results: list[Targeting]) -> dict[str, Any]:
    return {result.level: result.to_json() for result in results}


__all__ = ["of_history", "quality", "table", "to_json"]
