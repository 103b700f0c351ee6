"""Customers who bought nothing yet: what describes items for them, and who is taken for such.

They are known by what they looked at and by their profile. A shop may know few of them, and then
nothing is learned of how to rank items for one; so the purchases of a random share of the buyers
are hidden, too (dropout prepares a model for cold start: Volkovs et al. 2017). What only a
customer's own purchases can tell is blank in all rows, so no tree asks for it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scoring.history import BOUGHT, History
from scoring.level import Level
from scoring.models import Ints
from scoring.models.activity import Activity
from scoring.models.content import Content
from scoring.models.repeat import RepeatIntensity

SHARE = 0.3  # of those who bought: what they are asked about is all but the same for each
MOST = 5_000
TOLD = ("popularity", "engaged", "content")  # scorers that need no purchase of the customer


def some_buyers(history: History, cutoff: int, rng: np.random.Generator) -> Ints:
    """int32[≤ MOST], sorted: a random SHARE of those who bought before ``cutoff`` (hours)."""
    buyer, _, _ = history.select(BOUGHT, end=cutoff)
    buyers = np.flatnonzero(np.bincount(buyer, minlength=history.n_customers))
    count = min(round(SHARE * len(buyers)), MOST)
    return np.sort(rng.choice(buyers, count, replace=False)).astype(np.int32)


def hiding(level: Level, history: History, customers: Ints, cutoff: int) -> Level:
    """The item level at ``cutoff`` (hours) as if ``customers`` had never bought anything.

    Only their habits, visits and content, and what TOLD names, are right for them; what others buy
    stays as it was.
    """
    hidden = np.zeros(history.n_customers, dtype=bool)
    hidden[customers] = True
    past = history.where((history.kind != BOUGHT) | ~hidden[history.customer])
    view = past.view("item", cutoff)
    scorers = dict(level.scorers)
    scorers["repeat"] = RepeatIntensity.fit(view)
    scorers["activity"] = Activity.fit(past.visits(cutoff), view)
    if "content" in _told(level):
        scorers["content"] = Content.fit(past, level.of_item, level.n_targets, cutoff)
    return replace(level, scorers=scorers)


def blank(level: Level) -> NDArray[np.bool_]:
    """bool[n_features]: says nothing of a customer who bought nothing."""
    told = _told(level)
    return np.array([feature.split(".")[0] not in told for feature in level.features])


def _told(level: Level) -> tuple[str, ...]:
    """Where nothing is looked at, a customer without purchases has no taste."""
    return TOLD if {"engaged", "content"} <= set(level.scorers) else TOLD[:2]
