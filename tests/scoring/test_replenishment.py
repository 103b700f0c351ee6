"""What is bought again, after how long, and what is due: by hand on a few customers."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.history import History
from scoring.replenishment import due, repeat_days
from settings.memory import DUE_AHEAD_DAYS, MOST_DUE
from tests.scoring.histories import CUTOFF, bought, make

Purchases = list[tuple[int, int, int]]  # customer, item, days ago


def history(purchases: Purchases, category: list[int]) -> History:
    """Items 0, 1, … of these categories, bought so."""
    rows = [row for customer, item, ago in purchases for row in bought(customer, item, ago)]
    customers = max(customer for customer, _, _ in purchases) + 1
    return make(rows, customers=customers, items=len(category), category=category)


def rhythm(customers: int, item: int, gap: int, times: int = 4) -> Purchases:
    return [(who, item, gap * n) for who in range(customers) for n in range(times)]


def test_the_lower_quartile_of_the_gaps_is_the_interval() -> None:
    rows = [*rhythm(3, 0, 8), *[(3 + n, 0, day) for n in range(9) for day in (0, 20)]]
    assert repeat_days(history(rows, [0]), CUTOFF).tolist() == [8]


def test_what_few_buyers_buy_again_has_no_interval() -> None:
    once = [(who, 0, 50) for who in range(100)]
    assert repeat_days(history([*once, *rhythm(6, 0, 8, 2)], [0]), CUTOFF).tolist() == [0]


def test_a_rare_item_is_as_its_category_and_a_frequent_one_is_itself() -> None:
    rows = [*rhythm(30, 0, 10), (40, 1, 3), *[(who, 2, 5) for who in range(60)]]
    assert repeat_days(history(rows, [0, 0, 0]), CUTOFF).tolist() == [10, 10, 0]


def test_an_item_without_a_category_is_told_by_itself_alone() -> None:
    rows = [*rhythm(9, 0, 10), (9, 1, 3)]
    assert repeat_days(history(rows, [-1, -1]), CUTOFF).tolist() == [10, 0]


def all_pairs(past: History) -> tuple[np.ndarray, np.ndarray]:
    n_items = past.catalogue.n_items
    everyone = np.repeat(np.arange(past.n_customers, dtype=np.int32), n_items)
    return everyone, np.tile(np.arange(n_items, dtype=np.int32), past.n_customers)


def due_of(purchases: Purchases, typical: list[int], likely: list[float] | None = None) -> list:
    """(customer, item, due in, interval)."""
    past = history(purchases, [0] * len(typical))
    pairs = all_pairs(past)
    probability = np.array(likely or [0.5] * len(pairs[0]), np.float32)
    found = due(past, CUTOFF, pairs, probability, np.array(typical, np.uint16))
    return [tuple(map(int, row)) for row in zip(*found, strict=True)]


def test_the_own_mean_gap_counts_where_there_is_one() -> None:
    assert due_of([(0, 0, 3), (0, 0, 13), (0, 0, 21)], [30]) == [(0, 0, 6, 9)]


def test_what_was_bought_once_has_the_items_interval() -> None:
    assert due_of([(0, 0, 25), (0, 1, 25)], [30, 0]) == [(0, 0, 5, 30)]


@pytest.mark.parametrize(("since", "told"), [(15, False), (16, True), (60, True), (61, False)])
def test_told_is_what_is_due_soon_and_not_given_up(since: int, told: bool) -> None:
    interval = 30
    assert interval - 16 == DUE_AHEAD_DAYS
    assert bool(due_of([(0, 0, since), (0, 0, since + interval)], [0])) is told


def test_the_soonest_stands_first_of_the_most_likely() -> None:
    items = MOST_DUE + 2
    rows = [(0, item, ago - item) for item in range(items) for ago in (20, 40)]
    likely = [0.1 + 0.01 * item for item in range(items)]
    found = due_of(rows, [0] * items, likely)
    assert [row[1] for row in found] == list(range(2, items))
    assert [row[2] for row in found] == list(range(2, items))


def test_customers_come_in_order_and_items_out_of_candidates_do_not() -> None:
    past = history([(1, 0, 5), (1, 0, 10), (0, 0, 5), (0, 0, 10), (0, 1, 5), (0, 1, 9)], [0, 0])
    pairs = np.array([0, 1], np.int32), np.array([0, 0], np.int32)
    found = due(past, CUTOFF, pairs, np.array([0.1, 0.2], np.float32), np.zeros(2, np.uint16))
    assert (found.customer.tolist(), found.item.tolist()) == ([0, 1], [0, 0])
    nobody = np.zeros(0, np.int32), np.zeros(0, np.int32)
    assert not len(due(past, CUTOFF, nobody, np.zeros(0, np.float32), np.zeros(2, np.uint16)).item)
