"""Cold start: items without sales, customers without purchases, a shop with one week of data.

Each backtest hides a part of what is known and judges what a method makes of the rest. A method is
given a panel whose history lacks the hidden part, and ends at the cut-off; the whole history is
read for the outcome only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scoring.backtest import metrics, ranking, rivals, targeting
from scoring.backtest.ranking import Baskets
from scoring.backtest.targeting import Outcome, Panel
from scoring.history import BOUGHT, History
from scoring.models import Ints

SHARE = 0.1  # of the items, or customers, that are held out
MIN_ITEM_BUYERS = 3  # an item that is new in the window seldom has more
FIRST_DAYS = 7  # what a brand-new shop has
SEED = 0


@dataclass(frozen=True)
class Both:
    """``outcome``: what targeting is judged by; ``baskets``: what ranking items is judged by."""

    outcome: Outcome
    baskets: Baskets


def newest_items(history: History, end: int, share: float = SHARE) -> Ints:
    """int32[m], sorted: the ``share`` of the items sold before ``end`` (hours) that were sold
    first most lately; of equally new ones those with the highest numbers."""
    _, item, hour = history.select(BOUGHT, end=end)
    first = np.full(history.catalogue.n_items, end, dtype=np.int64)
    np.minimum.at(first, item[item >= 0], hour[item >= 0])
    sold = np.flatnonzero(first < end)
    newest = sold[np.lexsort((sold, first[sold]))]
    return np.sort(newest[len(newest) - round(share * len(newest)) :]).astype(np.int32)


def without_items(history: History, items: Ints, cutoff: int) -> History:
    """The past before ``cutoff`` (hours) in which nobody did anything with ``items``.

    They stay in the catalogue with their content and price: a shop knows what it is about to sell.
    """
    hidden = np.zeros(history.catalogue.n_items + 1, dtype=bool)  # the last one: no item
    hidden[items] = True
    return history.where((history.hour < cutoff) & ~hidden[history.item])


def some_customers(history: History, cutoff: int, share: float = SHARE) -> Ints:
    """int32[m], sorted: a random ``share`` of those who bought anything before the cut-off."""
    customer, _, _ = history.select(BOUGHT, end=cutoff)
    buyers = np.unique(customer)
    count = round(share * len(buyers))
    chosen = np.random.default_rng(SEED).choice(buyers, count, replace=False)
    return np.sort(chosen).astype(np.int32)


def without_purchases(history: History, customers: Ints, cutoff: int) -> History:
    """The past before ``cutoff`` (hours) in which ``customers`` bought nothing; what they looked
    at, clicked and are known to be stays."""
    hidden = np.zeros(history.n_customers, dtype=bool)
    hidden[customers] = True
    purchase = (history.kind == BOUGHT) & hidden[history.customer]
    return history.where((history.hour < cutoff) & ~purchase)


def first_days(history: History, cutoff: int, days: int = FIRST_DAYS) -> History:
    """The past as a shop has it that opened ``days`` before ``cutoff`` (hours)."""
    begin = cutoff - 24 * days
    return history.where((history.hour >= begin) & (history.hour < cutoff))


def new_items(
    history: History,
    cutoff: int,
    horizon_hours: int,
    *,
    share: float = SHARE,
    min_buyers: int = MIN_ITEM_BUYERS,
) -> Outcome:
    """Every known customer, for each of the newest items with ``min_buyers`` in the window.

    The newest ``share`` of the items sold before the end of the window have no past at all in the
    panel's history, whether or not they were first sold before the cut-off.
    """
    held = newest_items(history, cutoff + horizon_hours, share)
    past = without_items(history, held, cutoff)
    return targeting.observe(
        past, "item", cutoff, horizon_hours, targets=held, min_buyers=min_buyers, truth=history
    )


def new_customers(
    history: History, level: str, cutoff: int, horizon_hours: int, *, min_buyers: int
) -> Both:
    """Those of ``some_customers``, known by everything but their purchases.

    Targeting is judged on the targets of ``level`` that ``min_buyers`` of all customers bought in
    the window, ranking on items.
    """
    held = some_customers(history, cutoff)
    past = without_purchases(history, held, cutoff)
    whole = targeting.observe(history, level, cutoff, horizon_hours, min_buyers=min_buyers)
    among = np.isin(whole.panel.customer, held)
    panel = replace(whole.panel, history=past, customer=whole.panel.customer[among])
    bought = whole.bought[:, among]
    outcome = Outcome(panel, bought, np.zeros_like(bought))
    lists = ranking.observe(history, "item", cutoff, horizon_hours)
    customer = np.intersect1d(lists.panel.customer, held)
    mine = np.isin(lists.bought // lists.panel.n_targets, held)
    panel = replace(lists.panel, history=past, customer=customer)
    return Both(outcome, Baskets(panel, lists.bought[mine], np.zeros(0, dtype=np.int64)))


def new_shop(
    history: History, level: str, cutoff: int, horizon_hours: int, *, min_buyers: int
) -> Both:
    """Targeting of ``level`` and ranking of items by what FIRST_DAYS tell, on what came next."""
    past = first_days(history, cutoff)
    outcome = targeting.observe(
        past, level, cutoff, horizon_hours, min_buyers=min_buyers, truth=history
    )
    return Both(outcome, ranking.observe(past, "item", cutoff, horizon_hours, truth=history))


def category_days(panel: Panel) -> NDArray[np.float32]:
    """The rule for an item that nobody bought: on how many days each customer bought of its
    category; many are equal. The panel's targets are items."""
    history = panel.history
    view = history.view("category", panel.cutoff, panel.kind)
    of_category = replace(
        panel,
        level="category",
        of_item=history.catalogue.of_item["category"],
        n_targets=view.n_targets,
        target=np.arange(view.n_targets, dtype=np.int32),
    )
    nothing = np.zeros((1, len(panel.customer)), dtype=np.float32)
    days = np.vstack([of_category.dense(view, view.days), nothing])
    return days[history.catalogue.of_item["category"][panel.target]]


def category_activity(panel: Panel) -> NDArray[np.float64]:
    """The same; of equal ones those who came most often at all."""
    return rivals.then(category_days(panel), rivals.visits(panel))


def pooled_auc(outcome: Outcome, score: NDArray) -> float:
    """Over all pairs at once: also which item sells counts. ``score`` as of ``evaluate``."""
    return metrics.auc(np.asarray(score).ravel(), outcome.bought.ravel())
