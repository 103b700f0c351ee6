"""A young shop: what its habits say, where too little has passed to learn from.

A shop younger than two horizons learns from shorter windows, in which nobody yet buys again what
they just bought; over the horizon they do. So its trees are believed as far as their windows
reach, and for the rest purchases are taken to go on at the rate seen: for each customer and target
the gamma-Poisson estimate of purchases a visit (Morrison and Schmittlein 1988), shrunk to those of
everybody, at the customer's own rate of visits.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from scoring.level import VISIT_DAYS, Level
from scoring.models import Floats, Ints
from scoring.models.activity import Activity

STRENGTH = 3.0  # visits that the rate of everybody counts for
FIRST_VISIT = 0.5  # what it counts for: without it the customer would not be known
CERTAIN = 1e-6

_FIRST = Activity.features.index("first_visit_days")


def habitual(level: Level, customer: Ints, target: Ints, horizon_days: int) -> Floats:
    """float32[n]: probability of a purchase of each pair within the horizon, if all goes on."""
    repeat, activity = level.scorers["repeat"], level.scorers["activity"].table
    visits = activity[:, VISIT_DAYS].astype(np.float64)
    span_days = np.nanmax(activity[:, _FIRST], initial=0) + 1
    days = repeat.features.index("days_bought")
    bought = np.bincount(
        (repeat.pair % level.n_targets), weights=repeat.table[:, days], minlength=level.n_targets
    )
    usual = bought / max(visits.sum(), 1)
    own = repeat.parts(customer, target)[0].columns(slice(days, days + 1))[:, 0]
    mine = visits[customer]
    a_visit = (own + STRENGTH * usual[target]) / (mine + STRENGTH)
    # who never came to buy comes half as often as who came once
    coming = np.where(mine > 0, mine - FIRST_VISIT, FIRST_VISIT / 2)
    expected = a_visit * coming * horizon_days / span_days
    return -np.expm1(-expected).astype(np.float32)


def blended(learned: Floats, habit: Floats, share: float) -> Floats:
    """float32[n]: in log-odds, ``share`` of what was learned and the rest of the habit."""
    one, other = (
        logit(np.clip(p.astype(np.float64), CERTAIN, 1 - CERTAIN)) for p in (learned, habit)
    )
    return expit(share * one + (1 - share) * other).astype(np.float32)
