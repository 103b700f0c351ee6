"""Two-stage ranking: each customer's candidates, the most probable purchase first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.fitted import Fitted
from scoring.history import BOUGHT, History
from scoring.models import Floats, Ints


@dataclass(frozen=True)
class Ranked:
    """Each customer's best targets: ``start``: int64[n_customers + 1] offsets into ``target``
    (int32) and ``probability`` (float32), best first."""

    start: NDArray[np.int64]
    target: Ints
    probability: Floats


def recommendable(
    history: History,
    fitted: Fitted,
    *,
    customers: Ints | None = None,
    exclude_bought_days: int = 0,
) -> tuple[Ints, Ints]:
    """(customer, item), sorted by both: candidates that can be bought and were not bought in the
    last days. ``customers``: int32[m], whose (default: everyone's)."""
    customer, item = fitted.levels["item"].candidates()
    keep = history.catalogue.sellable[item]
    if customers is not None:
        wanted = np.zeros(history.n_customers, dtype=bool)
        wanted[customers] = True
        keep = keep & wanted[customer]
    if exclude_bought_days:
        # the cut-off was rounded up to an hour: one more, so that no day is cut short
        start = fitted.cutoff - 24 * exclude_bought_days - 1
        buyer, bought, _ = history.select(BOUGHT, start=start, end=fitted.cutoff)
        n_items = history.catalogue.n_items
        just = buyer[bought >= 0].astype(np.int64) * n_items + bought[bought >= 0]
        keep = keep & ~np.isin(customer.astype(np.int64) * n_items + item, just)
    return customer[keep], item[keep]


def never_bought(history: History, cutoff: int, customer: Ints, item: Ints) -> NDArray[np.bool_]:
    """bool[n]: the item of each pair is new to the customer at ``cutoff`` (hours)."""
    return history.view("item", cutoff).find(customer, item) < 0


def best(customer: Ints, target: Ints, score: Floats, n_customers: int, limit: int) -> Ranked:
    """The ``limit`` highest scores of each customer; equal ones in the order of targets."""
    order = np.lexsort((target, -score, customer))
    customer, target, score = customer[order], target[order], score[order]
    first = np.searchsorted(customer, np.arange(n_customers))
    keep = np.arange(len(customer)) - first[customer] < limit
    count = np.bincount(customer[keep], minlength=n_customers)
    start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    return Ranked(start, target[keep], score[keep])
