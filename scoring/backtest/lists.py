"""What each customer would be shown at a cut-off, beside the lists that a shop makes by rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from scoring.backtest import ranking, rivals
from scoring.backtest.ranking import LENGTH, Baskets, Ranking, ScoreAll
from scoring.backtest.report import EASE, MODEL
from scoring.fitted import Fitted
from scoring.history import History
from scoring.models import Floats, Ints
from scoring.models.ease import Ease
from scoring.ranking import best, never_bought, recommendable

CUSTOMERS = 20_000  # judged at most: more change nothing that can be seen
SEED = 1


@dataclass(frozen=True)
class Scored:
    """What the model says of the candidates of ``asked`` (int32[m]): ``customer``, ``item``
    int32[n], sorted by both; ``preference`` float32[n]; ``new`` bool[n], never bought."""

    asked: Ints
    customer: Ints
    item: Ints
    preference: Floats
    new: NDArray[np.bool_]
    n_customers: int

    @classmethod
    def of(cls, history: History, fitted: Fitted, asked: Ints) -> Self:
        # nobody knows what was out of stock then; no rival's list is without it
        everything = np.ones(history.catalogue.n_items, dtype=bool)
        past = replace(history, catalogue=replace(history.catalogue, sellable=everything))
        pairs = recommendable(past, fitted, customers=asked)
        new = never_bought(history, fitted.cutoff, *pairs)
        return cls(asked, *pairs, fitted.preference(*pairs), new, history.n_customers)

    def lists(self, *, new_only: bool) -> Ints:
        """int32[m, LENGTH]: best first, -1 where a list is shorter."""
        keep = self.new if new_only else slice(None)
        pairs = self.customer[keep], self.item[keep]
        ranked = best(*pairs, self.preference[keep], self.n_customers, LENGTH)
        return padded(ranked.start, ranked.target, self.asked)


def of_history(
    history: History, fitted: Fitted, horizon_days: int, *, truth: History | None = None
) -> list[Ranking]:
    """Rankings of items, all and new ones, judged by those who bought in the window.

    Nothing when nobody did. At most CUSTOMERS of them are drawn.
    """
    baskets = ranking.observe(history, "item", fitted.cutoff, horizon_days * 24, truth=truth)
    baskets = _drawn(baskets)
    if not len(baskets.panel.customer):
        return []
    scores: dict[str, ScoreAll] = {n: rule(baskets.panel) for n, rule in rivals.RANKING.items()}
    scores[EASE] = _ease(fitted.levels["item"].scorers["ease"], baskets.panel.n_targets)
    ours = Scored.of(history, fitted, baskets.panel.customer)
    results = []
    for new_only in (False, True):
        lists = {MODEL: ours.lists(new_only=new_only)}
        for name, score in scores.items():
            lists[name] = ranking.best_lists(baskets, score, new_only=new_only)
        results.append(ranking.evaluate(baskets, lists, new_only=new_only))
    return results


def combine(rankings: Sequence[Ranking]) -> Ranking:
    """The same customers' lists at several cut-offs: each counts at each of them."""
    first = rankings[0]
    measures = {
        method: {
            name: np.concatenate([one.measures[method][name] for one in rankings]) for name in found
        }
        for method, found in first.measures.items()
    }
    return Ranking(first.new_only, sum(one.customers for one in rankings), measures)


def padded(start: NDArray[np.int64], target: Ints, customer: Ints) -> Ints:
    """int32[len(customer), LENGTH] of ragged lists (``start``: offsets of each customer), -1 where
    a list is shorter."""
    at = start[customer][:, None] + np.arange(LENGTH)
    inside = at < start[customer + 1][:, None]
    filled = np.append(target, -1)
    return np.where(inside, filled[np.minimum(at, len(target))], -1).astype(np.int32)


def _drawn(baskets: Baskets) -> Baskets:
    panel = baskets.panel
    if len(panel.customer) <= CUSTOMERS:
        return baskets
    chosen = np.random.default_rng(SEED).choice(panel.customer, CUSTOMERS, replace=False)
    chosen.sort()
    mine = np.isin(baskets.bought // panel.n_targets, chosen)
    return replace(baskets, panel=replace(panel, customer=chosen), bought=baskets.bought[mine])


def _ease(ease: Ease, n_targets: int) -> ScoreAll:
    """The collaborative scorer alone; what it does not know is in no list."""
    known = np.flatnonzero(ease.position >= 0).astype(np.int32)

    def score(customer: Ints) -> NDArray:
        out = np.full((len(customer), n_targets), -np.inf)
        pairs = np.repeat(customer, len(known)), np.tile(known, len(customer))
        out[:, known] = ease.describe(*pairs).reshape(len(customer), len(known))
        return out

    return score
