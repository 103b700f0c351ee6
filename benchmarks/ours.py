"""Rightsend itself, as the benchmarks call it: the one place that knows how it is trained.

No setting differs between data sets.
"""

from __future__ import annotations

import numpy as np

from scoring import training
from scoring.backtest.targeting import Panel
from scoring.history import BOUGHT, History
from scoring.models import Floats
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
