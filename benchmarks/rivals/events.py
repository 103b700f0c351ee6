"""Weighted events: what the customer did with the target, the last days most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scoring.backtest.rivals import then
from scoring.backtest.targeting import Panel
from scoring.history import ENGAGED


def weighted_events(
    panel: Panel, *, half_life_days: float, goal_weight: float
) -> NDArray[np.float64]:
    """float64[n_judged, n_known]: Σ weight · 2^(−age / half-life) over goals and views (weight 1),
    equal ones by how often the customer reached the goal with any target."""
    own = np.zeros(panel.shape)
    row = np.full(panel.n_targets, -1)
    row[panel.target] = np.arange(len(panel.target))
    column = np.full(panel.history.n_customers, -1)
    column[panel.customer] = np.arange(len(panel.customer))
    for kind, weight in ((panel.kind, goal_weight), (ENGAGED, 1.0)):
        customer, item, hour = panel.history.select(kind, end=panel.cutoff)
        value = weight * np.exp2((hour - panel.cutoff) / (24.0 * half_life_days))
        target = np.where(item >= 0, panel.of_item[item], -1)
        judged = (target >= 0) & (row[target] >= 0)
        np.add.at(own, (row[target[judged]], column[customer[judged]]), value[judged])
    return then(own, goals(panel))


def goals(panel: Panel) -> NDArray[np.float64]:
    """float64[n_known]: purchases (carts, favourites) of each customer before the cut-off."""
    customer, _, _ = panel.history.select(panel.kind, end=panel.cutoff)
    count = np.bincount(customer, minlength=panel.history.n_customers)
    return count[panel.customer].astype(np.float64)
