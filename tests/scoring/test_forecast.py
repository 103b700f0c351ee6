"""The predicted number of answers: its interval holds what happens, and never promises too much."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from scoring.forecast import answers, profitable

PROBABILITIES = arrays.arrays(np.float32, st.integers(0, 40), elements=st.floats(0, 1, width=32))


@given(PROBABILITIES, st.floats(0, 2))
def test_the_interval_lies_within_the_members_and_around_the_expectation(p, error):
    told = answers(p, error)
    assert 0 <= told.low <= told.expected + 1e-4
    assert told.expected - 1e-4 <= told.high <= len(p)


def test_nobody_answers_nothing():
    told = answers(np.zeros(0, np.float32), 0.2)
    assert (told.expected, told.low, told.high) == (0.0, 0, 0)


def test_those_who_are_certain_are_counted():
    told = answers(np.ones(5, np.float32), 0.5)
    assert (told.low, told.high) == (5, 5)


@pytest.mark.parametrize("error", [0.0, 0.2])
@pytest.mark.parametrize("mean", [0.002, 0.02, 0.2])
def test_the_interval_holds_what_happens_in_95_of_100_worlds(mean, error):
    rng = np.random.default_rng(7)
    p = rng.beta(1, 1 / mean - 1, 2000).astype(np.float32)
    told = answers(p, error)
    luck = np.exp(rng.normal(-(error**2) / 2, error, 1000))
    happened = [int((rng.random(2000) < np.minimum(p * world, 1)).sum()) for world in luck]
    held = np.mean([told.low <= count <= told.high for count in happened])
    assert 0.93 <= held <= 0.99


def test_luck_that_all_customers_share_widens_the_interval():
    p = np.full(10_000, 0.05, np.float32)
    sure, unsure = answers(p, 0.0), answers(p, 0.2)
    assert unsure.low < sure.low < 500 < sure.high < unsure.high


def test_the_size_of_most_profit_is_where_the_next_does_not_pay():
    p = np.array([0.5, 0.1, 0.03, 0.02, 0.01], np.float32)
    size = profitable(p, 0.02, 1.0)
    profit = np.cumsum(p) - 0.02 * np.arange(1, 6)
    assert size == 3 == int(profit.argmax()) + 1


@pytest.mark.parametrize(("cost", "margin", "size"), [(0.0, 1.0, 3), (1.0, 0.0, 0), (0.0, 0.0, 0)])
def test_bad_input_sends_for_nothing_and_answers_worth_nothing(cost, margin, size):
    assert profitable(np.array([0.9, 0.5, 0.1], np.float32), cost, margin) == size
