"""The rules order customers as their words say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from scoring.backtest import ranking, rivals
from scoring.backtest.rivals import then
from scoring.backtest.targeting import Panel, evaluate, observe
from scoring.fitted import ANY
from scoring.history import BOUGHT, History
from tests.scoring.histories import CUTOFF, bought, make, with_another_future

WEEK = 7 * 24


@pytest.fixture
def past() -> History:
    """Who bought item 0: customer 0 lately, 1 twice and lately, 2 three times but long ago;
    3 and 4 never, and 4 comes more often than 3. Item 1 is what else they bought."""
    rows = [*bought(0, 0, 1), *bought(1, 0, 5, 20), *bought(2, 0, 91, 92, 93)]
    rows += [*bought(3, 1, 10), *bought(4, 1, 2, 7, 8), (0, 0, CUTOFF, BOUGHT)]
    return make(rows, customers=5, items=2)


def panel_of(history: History, level: str = "item") -> Panel:
    return observe(history, level, CUTOFF, WEEK, min_buyers=0).panel


def best_first(score: NDArray) -> list[int]:
    return np.argsort(-score, kind="stable").tolist()


@pytest.mark.parametrize(
    ("rule", "order"),
    [
        (rivals.rule_90_days, [1, 0, 4, 3, 2]),
        (rivals.frequency, [2, 1, 0, 4, 3]),
        (rivals.recency, [0, 1, 2, 4, 3]),
        (rivals.activity, [4, 1, 0, 3, 2]),
    ],
)
def test_a_rule_orders_customers_as_it_says(past: History, rule, order: list[int]) -> None:
    assert best_first(rule(panel_of(past))[0]) == order


@pytest.mark.parametrize("name", list(rivals.TARGETING))
def test_no_rule_looks_at_what_comes_after(past: History, name: str) -> None:
    rule = rivals.TARGETING[name]
    other = panel_of(with_another_future(past, CUTOFF))
    assert rule(panel_of(past)).tolist() == rule(other).tolist()


@pytest.mark.parametrize("name", list(rivals.RANKING))
def test_no_list_looks_at_what_comes_after(past: History, name: str) -> None:
    everyone = np.arange(5, dtype=np.int32)
    scores = [
        rivals.RANKING[name](panel_of(history))(everyone).tolist()
        for history in (past, with_another_future(past, CUTOFF))
    ]
    assert scores[0] == scores[1]


def test_every_rule_can_be_asked_who_buys_at_all(past: History) -> None:
    outcome = observe(past, ANY, CUTOFF, WEEK, min_buyers=1)
    result = evaluate(outcome, rivals.TARGETING)
    assert result.targets == [ANY]
    assert result.buyers == [1]
    assert result.mean("recency", "auc") == 1  # who bought last buys again


def test_several_lines_of_one_visit_are_one_visit(past: History) -> None:
    panel = panel_of(
        make([*bought(0, 0, 1), *bought(0, 1, 1), *bought(1, 0, 3)], customers=2, items=2)
    )
    assert rivals.visits(panel).tolist() == [1, 1]


def test_best_sellers_are_those_of_four_weeks_for_everybody() -> None:
    rows = [*bought(0, 2, 1), *bought(1, 2, 27), *bought(2, 1, 5), *bought(3, 0, 28, 30, 40)]
    panel = panel_of(make(rows, customers=4, items=3))
    score = rivals.best_sellers(panel)(np.array([0, 3], np.int32))
    assert score.tolist() == [[0, 1, 2]] * 2


def test_own_purchases_come_before_best_sellers() -> None:
    rows = [*bought(0, 0, 80, 81), *bought(0, 1, 1), *bought(1, 2, 1), *bought(2, 2, 1)]
    panel = panel_of(make(rows, customers=3, items=4))
    first = np.array([0], np.int32)
    assert best_first(rivals.personal_count(panel)(first)[0]) == [0, 1, 2, 3]
    assert best_first(rivals.personal_decayed(panel)(first)[0]) == [1, 0, 2, 3]


def test_lists_of_rules_are_made_like_those_of_models(past: History) -> None:
    baskets = ranking.observe(past, "item", CUTOFF, WEEK)
    found = ranking.evaluate(
        baskets,
        {n: ranking.best_lists(baskets, r(baskets.panel)) for n, r in rivals.RANKING.items()},
    )
    assert found.mean("personal count", ranking.HIT_RATE) == 1


VALUES = st.sampled_from([0.0, 0.25, 1.0, 1e-9, 7.0])


@given(arrays(np.float64, (2, 6), elements=VALUES), arrays(np.float64, 6, elements=VALUES))
def test_the_second_criterion_decides_among_equals_only(first: NDArray, second: NDArray) -> None:
    score = then(first, second)
    for row in range(2):
        expected = sorted(range(6), key=lambda i: (-first[row, i], -second[i]))
        assert best_first(score[row]) == expected


def test_bad_input_nobody_is_known(past: History) -> None:
    panel = observe(past, "item", 0, WEEK, min_buyers=0).panel
    for rule in rivals.TARGETING.values():
        assert rule(panel).shape == (2, 0)


def test_bad_input_a_shop_without_purchases_has_no_best_sellers() -> None:
    panel = panel_of(make([], customers=2, items=3))
    for rule in rivals.RANKING.values():
        assert rule(panel)(np.array([1], np.int32)).tolist() == [[0, 0, 0]]
