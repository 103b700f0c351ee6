"""Each customer's items: the best first, none that cannot be bought, as few as were asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.fitted import Fitted
from scoring.history import BOUGHT, History
from scoring.models import Floats, Ints
from scoring.ranking import Ranked, best, never_bought, recommendable
from tests.scoring import histories
from tests.scoring.conftest import Trained
from tests.scoring.histories import CUTOFF, bought, level_of, make
from tests.shop import NOW_HOUR

SCORED = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 9), st.sampled_from([0.1, 0.2, 0.3, 0.4])),
    unique_by=lambda row: row[:2],
    max_size=30,
)


class ByDaysBought(Fitted):
    """A fitted model's stand-in: on more days bought is more preferred."""

    def preference(self, customer: Ints, item: Ints) -> Floats:
        level = self.levels["item"]
        days = level.describe(customer, item)[:, level.features.index("repeat.days_bought")]
        return (1 - 0.5 / (1 + days)).astype(np.float32)


def by_days_bought(past: History) -> Fitted:
    return ByDaysBought(CUTOFF, 7, 7, {"item": level_of(past, "item", CUTOFF)}, {})


def lists(ranked: Ranked) -> list[list[int]]:
    return [part.tolist() for part in np.split(ranked.target, ranked.start[1:-1])]


def rank(
    past: History, fitted: Fitted, *, limit: int, new_only: bool = False, **asked: Any
) -> Ranked:
    """Each customer's list from its candidates."""
    customer, item = recommendable(past, fitted, **asked)
    if new_only:
        keep = never_bought(past, fitted.cutoff, customer, item)
        customer, item = customer[keep], item[keep]
    return best(customer, item, fitted.preference(customer, item), past.n_customers, limit)


def small() -> History:
    """Customer 0 bought item 1 three times and item 0 once; 1 bought item 2; 2 nothing."""
    rows = [*bought(0, 1, 2, 9, 16), *bought(0, 0, 30), *bought(1, 2, 1)]
    return make(rows, customers=3, items=4)


def test_the_best_come_first_and_best_sellers_fill_the_list() -> None:
    past = small()
    assert lists(rank(past, by_days_bought(past), limit=3)) == [[1, 0, 2], [2, 0, 1], [0, 1, 2]]


def test_no_more_than_asked() -> None:
    past = small()
    assert lists(rank(past, by_days_bought(past), limit=1)) == [[1], [2], [0]]


def test_new_only_leaves_out_what_was_ever_bought() -> None:
    past = small()
    found = rank(past, by_days_bought(past), limit=3, new_only=True)
    assert lists(found) == [[2], [0, 1], [0, 1, 2]]


def test_only_the_customers_asked_for_have_lists() -> None:
    past = small()
    fitted = by_days_bought(past)
    whole = lists(rank(past, fitted, limit=3))
    some = lists(rank(past, fitted, limit=3, customers=np.array([2, 0], np.int32)))
    assert some == [whole[0], [], whole[2]]


def test_what_was_just_bought_is_left_out() -> None:
    past = small()
    fitted = by_days_bought(past)
    assert lists(rank(past, fitted, limit=3, exclude_bought_days=5))[0] == [0, 2]
    assert lists(rank(past, fitted, limit=3, exclude_bought_days=31))[0] == [2]
    assert lists(rank(past, fitted, limit=3, exclude_bought_days=1))[1] == [2, 0, 1]
    assert lists(rank(past, fitted, limit=3, exclude_bought_days=2))[1] == [0, 1]


def test_what_cannot_be_bought_is_in_no_list() -> None:
    past = small()
    catalogue = histories.replace(past.catalogue, sellable=np.array([True, False, True, True]))
    sold_out = histories.replace(past, catalogue=catalogue)
    assert lists(rank(sold_out, by_days_bought(sold_out), limit=3))[0] == [0, 2]


def test_a_shop_s_lists_hold_what_they_promise(trained: Trained) -> None:
    past = trained.past
    ranked = rank(past, trained.tonight, limit=7, new_only=True, exclude_bought_days=3)
    sizes = np.diff(ranked.start)
    assert len(sizes) == past.n_customers
    assert (sizes > 0).all()
    assert (sizes <= 7).all()
    customer = np.repeat(np.arange(past.n_customers, dtype=np.int32), sizes)
    assert past.catalogue.sellable[ranked.target].all()
    assert not past.catalogue.sellable.all()
    assert (past.view("item", NOW_HOUR).find(customer, ranked.target) < 0).all()
    falls = np.diff(ranked.probability) <= 0
    assert falls[customer[1:] == customer[:-1]].all()
    assert len(np.unique(customer.astype(np.int64) * 100 + ranked.target)) == len(customer)


def test_a_shop_s_lists_are_of_its_most_preferred_candidates(trained: Trained) -> None:
    past = trained.past
    customer, item = recommendable(past, trained.tonight)
    preference = trained.tonight.preference(customer, item)
    ranked = rank(past, trained.tonight, limit=5)
    for who in range(0, past.n_customers, 9):
        mine = np.sort(preference[customer == who])[::-1][:5]
        found = ranked.probability[ranked.start[who] : ranked.start[who + 1]]
        np.testing.assert_allclose(found, mine, rtol=1e-5)


def test_what_is_ranked_first_is_bought_more_than_what_is_ranked_last(trained: Trained) -> None:
    past, level = trained.past, trained.holdout.levels["item"]
    ranked = rank(past, trained.holdout, limit=20)
    labels = past.labels(level.of_item, level.n_targets, NOW_HOUR - 168, NOW_HOUR, BOUGHT)
    sizes = np.diff(ranked.start)
    customer = np.repeat(np.arange(past.n_customers), sizes)
    place = np.arange(len(customer)) - ranked.start[customer]
    hit = np.isin(customer * level.n_targets + ranked.target, labels)
    assert hit[place < 5].mean() > 2 * hit[place >= 15].mean()


@given(SCORED, st.integers(1, 5))
def test_best_is_sorting_by_hand(rows: list[tuple[int, int, float]], limit: int) -> None:
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    ranked = best(
        np.array(columns[0], np.int32), np.array(columns[1], np.int32),
        np.array(columns[2], np.float32), 4, limit,
    )  # fmt: skip
    for who in range(4):
        mine = sorted((-score, target) for c, target, score in rows if c == who)[:limit]
        part = slice(ranked.start[who], ranked.start[who + 1])
        assert ranked.target[part].tolist() == [target for _, target in mine]
        np.testing.assert_allclose(ranked.probability[part], [-score for score, _ in mine])


def test_bad_input_a_shop_where_nothing_can_be_bought_recommends_nothing() -> None:
    past = small()
    catalogue = histories.replace(past.catalogue, sellable=np.zeros(4, dtype=bool))
    closed = histories.replace(past, catalogue=catalogue)
    assert lists(rank(closed, by_days_bought(closed), limit=3)) == [[], [], []]


def test_bad_input_nobody_asked_for_is_nobody_ranked() -> None:
    past = small()
    ranked = rank(past, by_days_bought(past), limit=3, customers=np.zeros(0, np.int32))
    assert ranked.start.tolist() == [0] * 4


def test_bad_input_a_shop_without_sales_has_empty_lists() -> None:
    nothing = histories.empty()
    assert lists(rank(nothing, by_days_bought(nothing), limit=3)) == [[]] * 4


@pytest.mark.parametrize("limit", [0, 1000])
def test_bad_input_any_limit_will_do(limit: int) -> None:
    past = small()
    found = lists(rank(past, by_days_bought(past), limit=limit))
    assert [len(part) for part in found] == ([0] * 3 if limit == 0 else [3] * 3)
