"""What customers bought and do not need again yet."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import columns as c
from scoring.bought import Out, out
from scoring.extras import bought_columns
from scoring.history import BOUGHT, ENGAGED
from scoring.store.bought_record import MOST_BOUGHT
from tests.scoring.histories import CUTOFF, bought, days_ago, empty, make

UNKNOWN = np.zeros(4, np.uint16)
DAY = CUTOFF // 24


def pairs(found: Out) -> list[tuple[int, int]]:
    return [divmod(int(pair), found.n_items) for pair in found.pair]


def test_an_item_is_out_for_as_long_as_it_lasts_and_a_least_time() -> None:
    rows = [*bought(0, 0, 1, 9), *bought(0, 1, 20), *bought(0, 2, 20), *bought(1, 3, 40)]
    past = make(rows, customers=3, items=4)
    lasts = np.array([0, 30, 14, 60], np.uint16)
    assert pairs(out(past, CUTOFF, lasts, 2)) == [(0, 0), (0, 1), (1, 3)]
    assert pairs(out(past, CUTOFF, lasts, 21)) == [(0, 0), (0, 1), (0, 2), (1, 3)]
    assert pairs(out(past, CUTOFF, UNKNOWN, 2)) == [(0, 0)]
    assert pairs(out(past, CUTOFF, UNKNOWN, 0)) == []


def test_the_last_purchase_counts_and_tells_the_day_from_which_it_may_be_shown() -> None:
    past = make([*bought(0, 1, 5, 20, 1), *bought(0, 0, 3)], customers=1, items=2)
    found = out(past, CUTOFF, np.array([7, 30], np.uint16), 2)
    assert found.hour.tolist() == [days_ago(3), days_ago(1)]
    assert found.until.tolist() == [DAY - 3 + 7, DAY - 1 + 30]  # bought at noon


def test_no_day_is_cut_short_even_after_midnight() -> None:
    past = make([(0, 0, CUTOFF - 48, BOUGHT)], customers=1, items=1)  # at 00:59, perhaps
    assert out(past, CUTOFF, np.array([7], np.uint16), 0).until.tolist() == [DAY - 2 + 7 + 1]


def test_what_came_later_or_was_only_looked_at_or_has_no_item_is_not_bought() -> None:
    rows = [(0, 0, CUTOFF, BOUGHT), (0, 1, CUTOFF - 1, ENGAGED), (0, -1, CUTOFF - 1, BOUGHT)]
    assert pairs(out(make(rows, customers=1, items=2), CUTOFF, UNKNOWN[:2], 9)) == []


def test_of_nothing_nothing_is_out() -> None:
    found = out(empty(), CUTOFF, np.zeros(3, np.uint16), 30)
    assert pairs(found) == []
    assert not found.holds(np.array([0, 1], np.int32), np.array([0, 1], np.int32)).any()


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 60 * 24)), max_size=40),
    st.lists(st.integers(0, 50), min_size=4, max_size=4),
    st.integers(0, 40),
)
def test_the_rule_is_that_of_send_time(
    purchases: list[tuple[int, int, int]], lasts: list[int], least: int
) -> None:
    rows = [(customer, item, CUTOFF - ago, BOUGHT) for customer, item, ago in purchases]
    past = make(rows, customers=4, items=4)
    found = out(past, CUTOFF, np.array(lasts, np.uint16), least)
    expected = {
        (customer, item)
        for customer, item, ago in purchases
        if max(least, lasts[item]) and ago <= 24 * max(least, lasts[item]) + 1
    }
    assert pairs(found) == sorted(expected)
    every = np.divmod(np.arange(16, dtype=np.int32), 4)
    held = found.holds(*every)
    assert {(int(a), int(b)) for a, b in zip(*every, strict=True) if held[a * 4 + b]} == expected


def test_a_snapshot_tells_the_last_purchases_first() -> None:
    rows = [*bought(0, 2, 1), *bought(0, 0, 3), *bought(0, 1, 1), *bought(2, 3, 2)]
    found = out(make(rows, customers=3, items=4), CUTOFF, UNKNOWN, 5)
    columns = bought_columns(found, 3)
    assert columns[c.BOUGHT_INDEX].to_pylist() == [[1, 2, 0], [], [3]]
    assert columns[c.BOUGHT_UNTIL].to_pylist() == [[DAY + 4, DAY + 4, DAY + 2], [], [DAY + 3]]


@pytest.mark.parametrize("items", [MOST_BOUGHT, MOST_BOUGHT + 5])
def test_a_snapshot_tells_so_many(items: int) -> None:
    rows = [row for item in range(items) for row in bought(1, item, items - item)]
    found = out(make(rows, customers=2, items=items), CUTOFF, np.zeros(items, np.uint16), 90)
    told = bought_columns(found, 2)[c.BOUGHT_INDEX].to_pylist()
    assert told == [[], list(range(items))[::-1][:MOST_BOUGHT]]
