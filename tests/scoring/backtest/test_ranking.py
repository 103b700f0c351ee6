"""Lists on a shop whose answer is counted by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from scoring.backtest.metrics import of_lists
from scoring.backtest.ranking import (
    HIT_RATE,
    LENGTH,
    NDCG,
    RECALL,
    Baskets,
    best_lists,
    evaluate,
    observe,
)
from scoring.history import BOUGHT, ENGAGED, History
from tests.scoring.histories import CUTOFF, before, bought, make, with_another_future, with_rows

WEEK = 7 * 24
SECOND, THIRD = 1 / math.log2(3), 1 / math.log2(4)  # gains of the second and third place


@pytest.fixture
def past() -> History:
    """Customers 0, 1 and 2 know the shop; 0 buys items 1, 2 and 5, of which 2 is new, 1 buys
    item 0 again, 2 only looks, 3 comes new."""
    rows = [*bought(0, 1, 3, 9), *bought(0, 5, 2), *bought(1, 0, 1), *bought(2, 3, 4)]
    rows += bought(2, 2, 30)
    rows += [(0, item, CUTOFF, BOUGHT) for item in (1, 2, 5)]
    rows += [(1, 0, CUTOFF + WEEK - 1, BOUGHT), (1, 4, CUTOFF + WEEK, BOUGHT)]
    rows += [(2, 3, CUTOFF, ENGAGED), (3, 0, CUTOFF, BOUGHT)]
    return make(rows, customers=4, items=6)


@pytest.fixture
def baskets(past: History) -> Baskets:
    return observe(past, "item", CUTOFF, WEEK)


def lists(*rows: list[int]) -> NDArray[np.int32]:
    out = np.full((len(rows), LENGTH), -1, dtype=np.int32)
    for row, targets in enumerate(rows):
        out[row, : len(targets)] = targets
    return out


def test_judged_are_known_customers_who_bought_in_the_window(baskets: Baskets) -> None:
    assert baskets.panel.customer.tolist() == [0, 1]
    assert baskets.bought.tolist() == [0 * 6 + 1, 0 * 6 + 2, 0 * 6 + 5, 1 * 6 + 0]


def test_every_measure_is_as_counted_by_hand(baskets: Baskets) -> None:
    found = evaluate(baskets, {"ours": lists([3, 1, 5], [2, 4])})
    ours = found.measures["ours"]
    assert ours[HIT_RATE].tolist() == [1, 0]
    assert ours[RECALL] == pytest.approx([2 / 3, 0])
    assert ours[NDCG] == pytest.approx([(SECOND + THIRD) / (1 + SECOND + THIRD), 0])
    assert found.mean("ours", RECALL) == pytest.approx(1 / 3)


def test_among_new_items_only_those_never_bought_are_relevant(baskets: Baskets) -> None:
    found = evaluate(baskets, {"ours": lists([3, 2], [2])}, new_only=True)
    assert found.customers == 1  # customer 1 bought nothing new
    assert found.measures["ours"][RECALL].tolist() == [1]
    assert found.measures["ours"][NDCG] == pytest.approx([SECOND])


def test_an_item_that_nobody_had_bought_is_judged_elsewhere(past: History) -> None:
    launched = with_rows(past, [(0, 4, CUTOFF, BOUGHT), (2, 4, CUTOFF, BOUGHT)])
    baskets = observe(launched, "item", CUTOFF, WEEK)
    assert baskets.panel.customer.tolist() == [0, 1]
    assert 4 not in baskets.bought % 6


def test_methods_are_compared_customer_by_customer(baskets: Baskets) -> None:
    found = evaluate(baskets, {"ours": lists([1, 2, 5], [0]), "rival": lists([1, 2, 5], [4])})
    assert found.difference("ours", "rival", HIT_RATE)[0] == pytest.approx(0.5)
    assert found.ratio("ours", "rival", NDCG) == pytest.approx(2)
    low, high = found.interval("ours", NDCG)
    assert low == high == 1


def test_the_best_scored_make_the_list(baskets: Baskets) -> None:
    def score(customer: NDArray[np.int32]) -> NDArray:
        return np.arange(6.0) + np.zeros((len(customer), 1))

    everything = best_lists(baskets, score)
    assert everything.tolist() == [[5, 4, 3, 2, 1, 0]] * 2
    new = best_lists(baskets, score, new_only=True)
    assert new.tolist() == [[4, 3, 2, 0, -1, -1], [5, 4, 3, 2, 1, -1]]


def test_equal_scores_keep_the_order_of_the_targets(baskets: Baskets) -> None:
    same = best_lists(baskets, lambda customer: np.zeros((len(customer), 6)))
    assert same.tolist() == [[0, 1, 2, 3, 4, 5]] * 2


def test_a_list_may_be_shorter_than_ten(baskets: Baskets) -> None:
    found = evaluate(baskets, {"ours": lists([], [0])})
    assert found.measures["ours"][HIT_RATE].tolist() == [0, 1]


def test_the_truth_may_come_from_elsewhere(past: History, baskets: Baskets) -> None:
    known = before(past, CUTOFF)
    apart = observe(known, "item", CUTOFF, WEEK, truth=past)
    assert apart.bought.tolist() == baskets.bought.tolist()


def test_what_was_known_does_not_depend_on_what_came_after(past: History) -> None:
    other = observe(with_another_future(past, CUTOFF), "item", CUTOFF, WEEK)
    assert other.before.tolist() == observe(past, "item", CUTOFF, WEEK).before.tolist()


@given(st.lists(st.booleans(), min_size=LENGTH, max_size=LENGTH), st.integers(0, 20))
def test_measures_lie_between_nothing_and_everything(hits: list[bool], missed: int) -> None:
    relevant = sum(hits) + missed
    found = of_lists(np.array([hits]), np.array([relevant]))
    if not relevant:
        assert math.isnan(found.ndcg[0])
        assert math.isnan(found.hit_rate[0])
        return
    assert 0 <= found.ndcg[0] <= 1 + 1e-9
    assert found.recall[0] == sum(hits) / relevant
    assert found.hit_rate[0] == any(hits)


@given(st.lists(st.booleans(), min_size=LENGTH, max_size=LENGTH))
def test_the_hits_first_are_the_ideal_list(hits: list[bool]) -> None:
    count = np.array([max(sum(hits), 1)])
    first = of_lists(np.array([sorted(hits, reverse=True)]), count)
    given_order = of_lists(np.array([hits]), count)
    assert first.ndcg[0] >= given_order.ndcg[0]
    assert first.ndcg[0] == pytest.approx(1 if any(hits) else 0)


def test_bad_input_lists_of_other_customers_are_refused(baskets: Baskets) -> None:
    with pytest.raises(ValueError, match="'ours' are of 1 customers, not 2"):
        evaluate(baskets, {"ours": lists([1])})


def test_bad_input_a_target_twice_in_a_list_is_refused(baskets: Baskets) -> None:
    with pytest.raises(ValueError, match="'ours' hold a target twice"):
        evaluate(baskets, {"ours": lists([1, 2, 1], [0])})


def test_bad_input_nobody_bought_anything_new(past: History) -> None:
    nobody = observe(before(past, CUTOFF), "item", CUTOFF, WEEK)
    found = evaluate(nobody, {"ours": lists()}, new_only=True)
    assert found.customers == 0
    assert math.isnan(found.mean("ours", NDCG))


def test_bad_input_a_baseline_that_never_hits_has_no_ratio(baskets: Baskets) -> None:
    found = evaluate(baskets, {"ours": lists([1], [0]), "none": lists([], [])})
    assert math.isnan(found.ratio("ours", "none", NDCG))


def test_bad_input_fewer_targets_than_the_list_is_long(baskets: Baskets) -> None:
    assert best_lists(baskets, lambda c: np.full((len(c), 6), -np.inf)).tolist() == [[-1] * 6] * 2
    nobody = replace(baskets, panel=replace(baskets.panel, customer=np.zeros(0, np.int32)))
    assert best_lists(nobody, lambda c: np.zeros((len(c), 6))).shape == (0, 6)
