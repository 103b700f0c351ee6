"""Repeat intensity on purchases counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.models.repeat import RepeatIntensity
from tests.scoring.histories import CUTOFF, bought, make

HABITS = [
    *bought(0, 0, 0, 10, 20),  # every ten days, last today
    *bought(0, 1, 29),  # once, long ago
    *bought(1, 2, 1),
    *bought(1, 0, 50, 54),
]


@pytest.fixture
def repeat() -> RepeatIntensity:
    return RepeatIntensity.fit(make(HABITS, customers=3, items=3).view("item", CUTOFF))


def row(repeat: RepeatIntensity, customer: int, item: int) -> dict[str, float]:
    out = repeat.describe(np.array([customer], np.int32), np.array([item], np.int32))
    return dict(zip(repeat.features, out[0].tolist(), strict=True))


def test_days_recency_first_day_and_gap_are_counted(repeat: RepeatIntensity) -> None:
    found = row(repeat, 0, 0)
    assert found["days_bought"] == 3
    assert found["recency_days"] == 0
    assert found["first_bought_days"] == 20
    assert found["gap_days"] == 10
    assert found["bought_7d"] == pytest.approx(1 + 2 ** (-10 / 7) + 2 ** (-20 / 7))
    assert found["bought_180d"] == pytest.approx(1 + 2 ** (-10 / 180) + 2 ** (-20 / 180))


def test_who_is_past_the_usual_gap_is_due(repeat: RepeatIntensity) -> None:
    assert row(repeat, 0, 0)["due"] == pytest.approx(0.1)
    assert row(repeat, 1, 0)["due"] == pytest.approx(51 / 4)


def test_a_single_purchase_has_no_rhythm(repeat: RepeatIntensity) -> None:
    found = row(repeat, 0, 1)
    assert found["recency_days"] == found["first_bought_days"] == 29
    assert np.isnan(found["gap_days"])
    assert np.isnan(found["due"])


def test_a_pair_that_never_was_has_counts_of_zero_and_unknown_times(
    repeat: RepeatIntensity,
) -> None:
    values = list(row(repeat, 2, 0).values())
    assert values[:5] == [0] * 5
    assert np.isnan(values[5:]).all()


def test_two_purchases_of_one_day_are_one_day() -> None:
    rows = [(0, 0, CUTOFF - hour, 0) for hour in (2, 5, 9)]
    repeat = RepeatIntensity.fit(make(rows, customers=1, items=1).view("item", CUTOFF))
    assert row(repeat, 0, 0)["days_bought"] == 1


def test_the_strongest_habits_are_proposed_each_customer_apart(repeat: RepeatIntensity) -> None:
    customer, item = repeat.propose(1, 3)
    assert list(zip(customer.tolist(), item.tolist(), strict=True)) == [(0, 0), (1, 0)]
    customer, _ = repeat.propose(10, 3)
    assert np.bincount(customer, minlength=3).tolist() == [2, 2, 0]
