"""A shop too young for windows of its horizon: habits are taken to go on."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import young
from scoring.history import ENGAGED
from tests.scoring.histories import CUTOFF, bought, level_of, make

TWO = np.zeros(2, dtype=np.int32)


def habit(customers: list[int], targets: list[int], *, horizon_days: int = 7) -> np.ndarray:
    """Customer 0 buys item 0 on each of three visits, 1 buys item 1 once; 2 only looks."""
    rows = [*bought(0, 0, 0, 3, 6), *bought(1, 1, 2), (2, 0, CUTOFF - 5, ENGAGED)]
    level = level_of(make(rows, customers=3, items=3), "item", CUTOFF)
    pairs = (np.array(numbers, dtype=np.int32) for numbers in (customers, targets))
    return young.habitual(level, *pairs, horizon_days)


def test_who_bought_it_and_who_comes_often_is_more_likely_to_buy() -> None:
    often, once, never, looked = habit([0, 1, 1, 2], [0, 1, 2, 1])
    assert often > once > looked > never == 0


def test_a_habit_goes_on_at_its_rate() -> None:
    """All of four visits in seven days, three of them with item 0 (shrunk by three visits)."""
    expected = (3 + young.STRENGTH * 3 / 4) / (3 + young.STRENGTH) * 2.5
    assert habit([0], [0])[0] == pytest.approx(1 - np.exp(-expected), rel=1e-5)
    assert habit([0], [0], horizon_days=14)[0] == pytest.approx(1 - np.exp(-2 * expected), rel=1e-5)


def test_what_was_learned_counts_by_its_share() -> None:
    learned, said = np.array([0.1, 0.9], np.float32), np.array([0.5, 0.5], np.float32)
    np.testing.assert_allclose(young.blended(learned, said, 1.0), learned, rtol=1e-5)
    np.testing.assert_allclose(young.blended(learned, said, 0.0), said, rtol=1e-5)
    assert 0.1 < young.blended(learned, said, 0.5)[0] < 0.5


def test_bad_input_certainties_stay_between_none_and_all() -> None:
    out = young.blended(np.array([0, 1], np.float32), np.array([1, 0], np.float32), 0.3)
    assert ((out > 0) & (out < 1)).all()


def test_bad_input_a_shop_without_purchases_has_no_habits() -> None:
    level = level_of(make([], customers=2, items=1), "item", CUTOFF)
    assert young.habitual(level, np.arange(2, dtype=np.int32), TWO, 7).tolist() == [0, 0]
