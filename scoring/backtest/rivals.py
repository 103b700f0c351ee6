"""What a shop could do without a model: the rules that ours is measured against.

A rule of targeting takes a Panel and gives float64[n_judged, n_known]; one of ranking gives a
function of customers, int32[m] → float64[m, n_targets]. Where a rule names a second criterion, that
one decides among equals only.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from scoring.backtest.ranking import ScoreAll
from scoring.backtest.targeting import Panel
from scoring.history import distinct

RULE_DAYS = 90
BEST_SELLER_DAYS = 28
HALF_LIFE_DAYS = 60.0
TIE = 1e-6  # less than any difference of two faded counts that matters
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


def best_sellers(panel: Panel, *, days: int = BEST_SELLER_DAYS) -> ScoreAll:
    """What most customers bought in the last ``days`` days; the same list for everybody."""
    popular = buyers(panel, days)
    return lambda customer: np.broadcast_to(popular, (len(customer), len(popular)))


def personal_count(panel: Panel, *, days: int = BEST_SELLER_DAYS) -> ScoreAll:
    """On how many days the customer bought it; equal ones by how many customers did lately."""
    view = panel.view()
    return _own_first(panel, view.days, days)


def personal_decayed(panel: Panel, *, days: int = BEST_SELLER_DAYS) -> ScoreAll:
    """The same with days that fade: half of the weight after 60 days."""
    return _own_first(panel, panel.view().decayed(HALF_LIFE_DAYS), days)


def buyers(panel: Panel, days: int) -> Scores:
    """float64[n_targets]: distinct buyers of each target in the last ``days`` days."""
    start = panel.cutoff - 24 * days
    pair = panel.history.labels(panel.of_item, panel.n_targets, start, panel.cutoff, panel.kind)
    return np.bincount(pair % panel.n_targets, minlength=panel.n_targets).astype(np.float64)


def _own_first(panel: Panel, values: NDArray, days: int) -> ScoreAll:
    """``values``: one a pair of the panel's view; equal ones by the best sellers of ``days``."""
    view, popular = panel.view(), buyers(panel, days)
    index = (view.pair_customer, view.pair_target)
    shape = (view.n_customers, view.n_targets)
    own = sp.csr_array((values.astype(np.float64), index), shape=shape)
    rest = popular / (popular.max(initial=0.0) + 1.0) * TIE
    return lambda customer: own[customer].toarray() + rest


TARGETING = {
    "rule 90 days": rule_90_days,
    "frequency": frequency,
    "recency": recency,
    "activity": activity,
    "random": random,
}

RANKING = {
    "best sellers": best_sellers,
    "personal count": personal_count,
    "personal decayed": personal_decayed,
}
