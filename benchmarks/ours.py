"""Rightsend itself, as the benchmarks call it: the one place that knows how it is trained.

No setting differs between data sets.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scoring import training
from scoring.backtest.ranking import LENGTH
from scoring.backtest.targeting import Panel
from scoring.history import BOUGHT, History
from scoring.models import Floats, Ints
from scoring.models.affinity import AffinityTrainer
from scoring.training import Fitted
from settings.workspace import ModelSettings

NAME = "rightsend"


def fit(history: History, cutoff: int, horizon_days: int, level: str) -> Fitted:
    """Everything learned from before ``cutoff`` (hours)."""
    models = ModelSettings(horizon_days=horizon_days)
    window = horizon_days * 24
    cutoffs = [cutoff - k * window for k in range(models.training_windows, -1, -1)]
    trainer = AffinityTrainer(
        history, cutoffs[0], components=models.affinity_components, seed=models.seed
    )
    rows = []
    for index, moment in enumerate(cutoffs):
        affinity = trainer.advance(moment, 1 if index else models.affinity_epochs)
        fitted = training.fit_level(history, level, moment, affinity)
        if moment < cutoff:
            seed = (models.seed, index, BOUGHT, 0)
            rows.append(training.training_rows(history, fitted, moment, window, BOUGHT, seed))
    stacker = training.fit_stacker(rows, models.seed)
    return Fitted(cutoff, horizon_days, {level: fitted}, {BOUGHT: {level: stacker}})


def targeting(panel: Panel) -> Floats:
    """float32[n_judged, n_known]: probability of a purchase in the panel's window."""
    fitted = fit(panel.history, panel.cutoff, panel.horizon_hours // 24, panel.level)
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
        customer, target = self._fitted.levels[panel.level].candidates()
        if new_only:
            new = panel.view().find(customer, target) < 0
            customer, target = customer[new], target[new]
        probability = self._fitted.probability(panel.level, customer, target)
        order = np.lexsort((-probability, customer))
        customer, target = customer[order], target[order]
        start = np.searchsorted(customer, np.arange(panel.history.n_customers + 1))
        return padded(start, target, panel.customer)


def padded(start: NDArray[np.int64], target: Ints, customer: Ints) -> Ints:
    """int32[len(customer), LENGTH] of ragged lists (``start``: offsets of each customer)."""
    at = start[customer][:, None] + np.arange(LENGTH)
    inside = at < start[customer + 1][:, None]
    return np.where(inside, target[np.minimum(at, len(target) - 1)], -1).astype(np.int32)
