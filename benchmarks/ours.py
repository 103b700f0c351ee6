"""Rightsend itself, as the benchmarks call it: the one place that knows how it is trained.

No setting differs between data sets.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from scoring import ranking, training
from scoring.backtest.lists import padded
from scoring.backtest.ranking import LENGTH
from scoring.backtest.targeting import Panel
from scoring.fitted import Fitted
from scoring.history import History
from scoring.models import Floats, Ints
from settings.workspace import ModelSettings

NAME = "rightsend"


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
    fitted = fit(panel.history, panel.cutoff, panel.horizon_hours // 24, panel.level, without)
    customer, target = panel.pairs()
    probability = fitted.probability(panel.level, customer, target, panel.kind)
    return np.asarray(probability).reshape(panel.shape)


class Ranker:
    """Trained once; lists over all items and over new ones."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._fitted = fit(panel.history, panel.cutoff, panel.horizon_hours // 24, panel.level)

    def lists(self, *, new_only: bool) -> Ints:
        """int32[n_customers of the panel, LENGTH]: best first, -1 for none."""
        panel = self._panel
        ranked = ranking.rank(panel.history, self._fitted, limit=LENGTH, new_only=new_only)
        return padded(ranked.start, ranked.target, panel.customer)
