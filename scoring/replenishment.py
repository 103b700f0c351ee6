"""What is bought again and again: after how many days, and whose is due.

A customer's interval is the mean gap between their own purchases, which is also what the reason
"due again" tells; of who bought an item once, the item's. Own gaps say more than gaps drawn
towards the item's, and which of the due items is bought is told best by the night's model
(`python -m benchmarks.replenishment`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.history import History, LevelView
from scoring.models import Floats, Ints
from scoring.reasons.facts import BOUGHT_AGAIN_FROM, DUE_UNTIL
from settings.memory import DUE_AHEAD_DAYS, MOST_DUE

MIN_REPEATERS = 5  # customers who bought it again; fewer say nothing of an item by itself
QUANTILE = 0.25  # of the gaps


class Due(NamedTuple):
    """Due items ordered by customer, soonest first: int32 each. ``due_in``: days from now,
    negative for what is overdue; ``interval`` days."""

    customer: Ints
    item: Ints
    due_in: Ints
    interval: Ints


def repeat_days(history: History, cutoff: int) -> NDArray[np.uint16]:
    """uint16[n_items]: the lower quartile of the gaps between a customer's purchases of the item,
    whole days; 0 where the item is not bought again.

    Bought again is what MIN_REPEATERS customers, and a share of BOUGHT_AGAIN_FROM of its buyers,
    bought again. An item with too few buyers to tell has the value of its category, if that is
    what its items are.
    """
    view = history.view("item", cutoff)
    category = history.catalogue.of_item["category"]
    own, certain = _typical(view, np.arange(view.n_targets, dtype=np.int32), view.n_targets)
    size = max(history.catalogue.size("category"), 1)
    wider, _ = _typical(view, category, size)
    told = np.where(category >= 0, wider[category], 0)
    return np.where(certain, own, told).astype(np.uint16)


def _typical(view: LevelView, group: Ints, size: int) -> tuple[Ints, NDArray[np.bool_]]:
    """int32[size]: the typical gap of groups of items (``group`` int32[n_items], -1 none), 0 where
    they are not bought again; bool[size]: that there are enough buyers to tell."""
    pair = group[view.pair_target]
    counted = pair >= 0
    buyers = np.bincount(pair[counted], minlength=size)
    repeaters = np.bincount(pair[counted & (view.days > 1)], minlength=size)
    again = (repeaters >= MIN_REPEATERS) & (repeaters >= BOUGHT_AGAIN_FROM * buyers)
    certain = buyers >= MIN_REPEATERS / BOUGHT_AGAIN_FROM
    within = np.ones(len(view.age), dtype=bool)
    within[view.start[:-1]] = False  # the first of a pair is no gap
    later = np.flatnonzero(within)
    gap, of = view.age[later] - view.age[later - 1], group[view.target[later]]
    lower = _quantile(of[of >= 0], gap[of >= 0], size)
    return np.where(again, np.maximum(lower, 1), 0).astype(np.int32), certain | again


def _quantile(group: Ints, values: Ints, size: int) -> Ints:
    """int32[size]: the QUANTILE of each group's values, 0 where there are none."""
    order = np.lexsort((values, group))
    count = np.bincount(group, minlength=size)
    first = np.cumsum(count) - count
    found = np.zeros(size, dtype=np.int32)
    some = count > 0
    at = first[some] + ((count[some] - 1) * QUANTILE).astype(np.int64)
    found[some] = values[order][at]
    return found


def due(
    history: History,
    cutoff: int,
    candidates: tuple[Ints, Ints],
    probability: Floats,
    typical: NDArray[np.uint16],
) -> Due:
    """The MOST_DUE due items of each customer that they are most likely to buy.

    ``candidates``: (customer, item), sorted by both, with ``probability`` float32; ``typical``:
    uint16[n_items], of ``repeat_days``. An item is due from DUE_AHEAD_DAYS before to one interval
    after its day.
    """
    view = history.view("item", cutoff)
    pair, since, interval = _rhythm(view, typical)
    timely = (since <= DUE_UNTIL * interval) & (interval - since <= DUE_AHEAD_DAYS)
    pair, since, interval = pair[timely], since[timely], interval[timely]
    asked = candidates[0].astype(np.int64) * view.n_targets + candidates[1]
    at = np.minimum(np.searchsorted(asked, pair), max(len(asked) - 1, 0))
    there = asked[at] == pair if len(asked) else np.zeros(len(pair), dtype=bool)
    pair, likely = pair[there], probability[at[there]]
    due_in = (interval - since)[there]
    customer = (pair // view.n_targets).astype(np.int32)
    kept = _best(customer, likely)
    soonest = kept[np.lexsort((-likely[kept], due_in[kept], customer[kept]))]
    item = (pair % view.n_targets).astype(np.int32)
    columns = (customer, item, due_in.astype(np.int32), interval[there].astype(np.int32))
    return Due(*(column[soonest] for column in columns))


def _rhythm(
    view: LevelView, typical: NDArray[np.uint16]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(pair, days since the last purchase, interval) of what was bought again or typically is."""
    if not len(view.pair):
        return (np.zeros(0, dtype=np.int64),) * 3
    since = view.age[view.start[:-1]].astype(np.int64)
    first = view.age[view.start[1:] - 1]
    own = np.rint((first - since) / np.maximum(view.days - 1, 1)).astype(np.int64)
    interval = np.where(view.days > 1, np.maximum(own, 1), typical[view.pair_target])
    known = interval > 0
    return view.pair[known], since[known], interval[known]


def _best(customer: Ints, likely: Floats) -> NDArray[np.int64]:
    """Rows of the MOST_DUE most likely of each customer."""
    order = np.lexsort((-likely, customer))
    count = np.bincount(customer) if len(customer) else np.zeros(0, np.int64)
    first = np.cumsum(count) - count
    place = np.arange(len(order)) - first[customer[order]]
    return np.asarray(order[place < MOST_DUE])
