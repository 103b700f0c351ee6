"""What a shop could do without a model: the rules that ours is measured against.

A rule takes a Panel and gives float64[n_judged, n_known]. Where it names a second criterion, that
one decides among equals only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scoring.backtest.targeting import Panel
from scoring.history import distinct

RULE_DAYS = 90
SEED = 1

Scores = NDArray[np.float64]


def rule_90_days(panel: Panel) -> Scores:
    """Who bought the target in the last 90 days, the most active first; then everybody else."""
    view = panel.view()
    recent = view.age[view.start[:-1]] < RULE_DAYS
    return then(panel.dense(view, recent), visits(panel))


def frequency(panel: Panel) -> Scores:
    """On how many days the target was bought, then activity."""
    view = panel.view()
    return then(panel.dense(view, view.days), visits(panel))


def recency(panel: Panel) -> Scores:
    """Who bought the target most lately, then activity."""
    view = panel.view()
    latest = view.age[view.start[:-1]]
    return then(panel.dense(view, 1.0 / (1.0 + latest)), visits(panel))


def activity(panel: Panel) -> Scores:
    """How often the customer came in the last 90 days, whatever was bought."""
    return np.broadcast_to(visits(panel), panel.shape)


def random(panel: Panel) -> Scores:
    return np.random.default_rng(SEED).random(panel.shape)


def visits(panel: Panel) -> Scores:
    """float64[n_known]: purchases of the last 90 days; what falls into one hour is one."""
    customer, _, hour = panel.history.select(
        panel.kind, start=panel.cutoff - 24 * RULE_DAYS, end=panel.cutoff
    )
    hours = int(hour.max(initial=0)) + 1
    visit = distinct(customer.astype(np.int64) * hours + hour)
    count = np.bincount(visit // hours, minlength=panel.history.n_customers)
    return count[panel.customer].astype(np.float64)


def then(first: NDArray, second: NDArray) -> Scores:
    """Order by ``first``; ``second`` (≥ 0, broadcast) decides among equals.

    Both are replaced by their ranks among the distinct values, so that no difference is lost.
    """
    upper, lower = (
        np.unique(values, return_inverse=True)[1].reshape(values.shape).astype(np.float64)
        for values in (first, second)
    )
    return upper * (lower.max(initial=0.0) + 1.0) + lower


TARGETING = {
    "rule 90 days": rule_90_days,
    "frequency": frequency,
    "recency": recency,
    "activity": activity,
    "random": random,
}
