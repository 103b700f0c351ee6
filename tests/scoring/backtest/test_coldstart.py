"""What is hidden is hidden, and what is judged is what came after it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scoring.backtest import ranking, targeting
from scoring.backtest.coldstart import (
    category_activity,
    category_days,
    first_days,
    new_customers,
    new_items,
    new_shop,
    newest_items,
    pooled_auc,
    some_customers,
    without_items,
    without_purchases,
)
from scoring.backtest.rivals import best_sellers
from scoring.backtest.targeting import observe
from scoring.history import BOUGHT, CLICKED, ENGAGED, History
from tests.scoring.histories import CUTOFF, Row, bought, days_ago, make
from tests.shop import NOW_HOUR, history, make_shop

WEEK = 7 * 24
OLD, LATE, LATER = 0, 8, 9  # items 1 to 7 are old too; 8 is three days old, 9 comes in the window


def in_window(customer: int, item: int, hour: int = 5) -> Row:
    return (customer, item, CUTOFF + hour, BOUGHT)


@pytest.fixture
def young() -> History:
    """Items of two categories: 0 to 4 and 8 of the first, 5 to 7 and 9 of the second."""
    rows = [row for item in range(8) for row in bought(item % 4, item, 60)]
    rows += [*bought(0, 0, 5, 6, 7), *bought(1, 5, 5), *bought(2, LATE, 3)]
    rows += [in_window(0, LATE), in_window(3, LATE), in_window(1, LATER), in_window(2, LATER)]
    rows += [(4, OLD, days_ago(2), ENGAGED), (3, LATE, days_ago(2), ENGAGED), in_window(5, LATE)]
    category = [0, 0, 0, 0, 0, 1, 1, 1, 0, 1]
    return make(rows, customers=6, items=10, category=category)


def test_newest_are_those_first_sold_last(young: History) -> None:
    assert newest_items(young, CUTOFF + WEEK, 0.2).tolist() == [LATE, LATER]
    assert newest_items(young, CUTOFF + WEEK, 0.1).tolist() == [LATER]
    assert newest_items(young, CUTOFF, 0.1).tolist() == [LATE]  # the other is not sold yet


def test_a_hidden_item_leaves_no_trace_but_its_place_in_the_catalogue(young: History) -> None:
    past = without_items(young, np.array([LATE], dtype=np.int32), CUTOFF)
    assert LATE not in past.item
    assert past.hour.max() < CUTOFF
    assert past.catalogue is young.catalogue
    others = (young.hour < CUTOFF) & (young.item != LATE)
    assert len(past.hour) == others.sum()


def test_events_about_no_item_stay() -> None:
    past = make([(0, -1, days_ago(1), ENGAGED), *bought(0, 2, 1)], customers=1, items=3)
    assert without_items(past, np.array([2], dtype=np.int32), CUTOFF).item.tolist() == [-1]


def test_new_items_are_judged_by_their_buyers_in_the_window(young: History) -> None:
    outcome = new_items(young, CUTOFF, WEEK, share=0.2, min_buyers=2)
    assert outcome.panel.target.tolist() == [LATE, LATER]
    assert outcome.panel.customer.tolist() == [0, 1, 2, 3, 4]  # 5 was not known
    buyers = [outcome.panel.customer[row].tolist() for row in outcome.bought]
    assert buyers == [[0, 3], [1, 2]]
    assert not outcome.repeat.any()  # customer 2 bought one before, which nobody may know
    assert outcome.panel.history.hour.max() < CUTOFF


def test_the_rival_of_new_items_ranks_by_days_of_the_category_then_by_visits(
    young: History,
) -> None:
    panel = observe(young, "item", CUTOFF, WEEK, min_buyers=1).panel
    panel = replace(panel, target=np.array([LATE, LATER], dtype=np.int32))
    assert category_days(panel).tolist() == [[4, 1, 2, 1, 0], [0, 2, 1, 1, 0]]
    milk, rest = category_activity(panel)
    assert np.argsort(-milk, kind="stable")[0] == 0  # on four days
    assert rest[1] == rest.max()  # on two days, the others on one
    assert milk[3] < milk[2]  # as often, but 2 came once more
    assert milk[4] == milk.min() == 0


def test_an_item_without_category_is_ranked_by_visits() -> None:
    rows = [*bought(0, 0, 1), *bought(1, 0, 1, 2, 3), in_window(0, 1), in_window(1, 1)]
    panel = observe(make(rows, customers=2, items=2), "item", CUTOFF, WEEK, min_buyers=1).panel
    assert category_activity(panel)[0].argmax() == 1


def test_hidden_purchases_are_the_purchases_of_the_hidden() -> None:
    rows = [(0, 1, days_ago(1), CLICKED), (0, 1, days_ago(1), ENGAGED), in_window(0, 1)]
    shown = make([*rows, *bought(0, 1, 4), *bought(1, 1, 4)], customers=2, items=2)
    past = without_purchases(shown, np.array([0], dtype=np.int32), CUTOFF)
    found = sorted(zip(past.customer.tolist(), past.kind.tolist(), strict=True))
    assert found == [(0, ENGAGED), (0, CLICKED), (1, BOUGHT)]


def test_a_new_shop_knows_its_first_days_only(young: History) -> None:
    past = first_days(young, CUTOFF)
    assert past.hour.min() >= CUTOFF - WEEK
    assert past.hour.max() < CUTOFF
    outcome = new_shop(young, "category", CUTOFF, WEEK, min_buyers=1).outcome
    assert outcome.panel.customer.tolist() == [0, 1, 2, 3, 4]
    assert outcome.bought.sum() == 4
    assert not outcome.repeat[0, 3]  # sixty days ago there was no shop


@pytest.fixture(scope="module")
def long() -> History:
    """120 customers; also the two weeks after the cut-off."""
    return history(make_shop(), before=None)


def test_one_in_ten_customers_is_held_out_the_same_ones_each_time(long: History) -> None:
    held = some_customers(long, NOW_HOUR)
    assert len(held) == 12
    assert (np.diff(held) > 0).all()
    np.testing.assert_array_equal(held, some_customers(long, NOW_HOUR))
    buyers = long.customer[(long.kind == BOUGHT) & (long.hour < NOW_HOUR)]
    assert np.isin(held, buyers).all()


def test_held_out_customers_are_ranked_though_they_bought_nothing(long: History) -> None:
    found = new_customers(long, "category", NOW_HOUR, WEEK, min_buyers=5)
    held = some_customers(long, NOW_HOUR)
    panel = found.outcome.panel
    assert panel.customer.tolist() == held.tolist()
    assert not np.isin(panel.history.select(BOUGHT, end=NOW_HOUR)[0], held).any()
    assert found.outcome.bought.any()
    assert not found.outcome.repeat.any()
    result = targeting.evaluate(found.outcome, {"nothing": np.zeros(panel.shape)})
    assert result.mean("nothing", "auc") == 0.5


def test_held_out_customers_are_shown_best_sellers_of_the_others(long: History) -> None:
    baskets = new_customers(long, "category", NOW_HOUR, WEEK, min_buyers=5).baskets
    lists = ranking.best_lists(baskets, best_sellers(baskets.panel))
    result = ranking.evaluate(baskets, {"best sellers": lists})
    assert result.customers == len(baskets.panel.customer) > 5
    assert result.mean("best sellers", ranking.HIT_RATE) > 0


def test_what_is_hidden_does_not_reach_a_method(long: History) -> None:
    """Another past of the hidden items gives the same panel history."""
    held = newest_items(long, NOW_HOUR + WEEK)
    less = ~(np.isin(long.item, held) & (long.hour < NOW_HOUR))
    other = replace(
        long,
        customer=long.customer[less],
        item=long.item[less],
        hour=long.hour[less],
        kind=long.kind[less],
    )
    one, two = (without_items(past, held, NOW_HOUR) for past in (long, other))
    for name in ("customer", "item", "hour", "kind"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_pooled_pairs_also_count_which_item_sells(long: History) -> None:
    outcome = observe(long, "item", NOW_HOUR, WEEK, min_buyers=3)
    popular = outcome.bought.sum(axis=1)[:, None] * np.ones(outcome.panel.shape)
    result = targeting.evaluate(outcome, {"popular": popular})
    assert result.mean("popular", "auc") == 0.5
    assert pooled_auc(outcome, popular) > 0.55


def test_bad_input_nothing_was_ever_sold() -> None:
    nothing = make([], customers=3, items=2)
    assert len(newest_items(nothing, CUTOFF)) == 0
    assert len(some_customers(nothing, CUTOFF)) == 0
    assert new_items(nothing, CUTOFF, WEEK).panel.shape == (0, 0)


def test_bad_input_nobody_bought_a_new_item_often_enough(young: History) -> None:
    outcome = new_items(young, CUTOFF, WEEK, min_buyers=50)
    assert outcome.panel.shape[0] == 0
    assert category_activity(outcome.panel).shape == outcome.panel.shape


def test_bad_input_a_shop_that_was_closed_for_a_week_knows_nobody() -> None:
    past = make([*bought(0, 0, 30), in_window(0, 0)], customers=1, items=1)
    found = new_shop(past, "item", CUTOFF, WEEK, min_buyers=1)
    assert found.outcome.panel.shape == (0, 0)
    assert len(found.baskets.panel.customer) == 0
