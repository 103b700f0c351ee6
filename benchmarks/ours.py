"""Rightsend itself, as the benchmarks call it: the one place that knows how it is trained.

No setting differs between data sets.
"""

from __future__ import annotations

from collections.abc import Collection

from scoring import training
from scoring.backtest.lists import Scored
from scoring.backtest.report import MODEL, Model
from scoring.backtest.targeting import Panel
from scoring.fitted import Fitted
from scoring.history import History
from scoring.models import Floats
from settings.workspace import ModelSettings

NAME = MODEL


def fit(
    history: History, cutoff: int, horizon_days: int, level: str, without: Collection[str] = ()
) -> Fitted:
    """Everything learned of a level from before ``cutoff`` (hours), by all scorers but some."""
    return training.fit(
        history,
        cutoff,
        horizon_days=horizon_days,
        levels=[level],
        without=without,
        settings=ModelSettings(),
    )


def targeting(panel: Panel, without: Collection[str] = ()) -> Floats:
    """float32[n_judged, n_known]: probability of a purchase in the panel's window."""
    return Model(of_panel(panel, without))(panel)


def of_panel(panel: Panel, without: Collection[str] = ()) -> Fitted:
    return fit(panel.history, panel.cutoff, panel.horizon_hours // 24, panel.level, without)


def ranker(panel: Panel) -> Scored:
    """Lists over all items, and over new ones, for the panel's customers."""
    return Scored.of(panel.history, of_panel(panel), panel.customer)
