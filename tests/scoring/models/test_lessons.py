"""Past windows, summed up once for all the cut-offs that come after them."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.history import History
from scoring.models import lessons as module
from scoring.models.lessons import Inputs, Lesson, Lessons, gram, usual_gap_days
from scoring.models.temporal import Temporal
from tests.scoring import histories
from tests.scoring.histories import CUTOFF, Row, bought, make
from tests.scoring.models.test_temporal import scores, sequence

WEEK = 7 * 24


@pytest.fixture
def learned(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """When each window began that was summed up, in hours."""
    began: list[int] = []
    sum_up = Lesson.of

    def watched(inputs: Inputs, days: int, window_days: int) -> Lesson | None:
        began.append(inputs.cutoff - 24 * days)
        return sum_up(inputs, days, window_days)

    monkeypatch.setattr(Lesson, "of", watched)
    return began


def series(past: History, lessons: Lessons | None, cutoffs: int = 4, **more: int) -> list[Temporal]:
    """The models of weekly cut-offs, oldest first."""
    return [
        Temporal.fit(past, "item", CUTOFF - week * WEEK, 7, lessons=lessons, **more)
        for week in reversed(range(cutoffs))
    ]


def test_what_is_kept_says_the_same_as_what_is_learned_anew() -> None:
    past = sequence()
    for kept, anew in zip(series(past, Lessons()), series(past, None), strict=True):
        np.testing.assert_allclose(kept.weights, anew.weights, rtol=1e-4, atol=1e-5)


def test_each_window_is_summed_up_once(learned: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOWS", module.FEW + 2)
    series(sequence(), Lessons(), cutoffs=3)
    assert len(learned) == len(set(learned)) == module.WINDOWS + 2


def test_windows_that_have_become_old_still_teach(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept reaches as far back as at the first cut-off."""
    monkeypatch.setattr(module, "WINDOWS", module.FEW)
    past, lessons = sequence(), Lessons()
    kept = series(past, lessons, cutoffs=3)[-1]
    monkeypatch.setattr(module, "WINDOWS", module.FEW + 2)
    anew = series(past, None, cutoffs=1)[-1]
    np.testing.assert_allclose(kept.weights, anew.weights, rtol=1e-4, atol=1e-5)


def test_cutoffs_that_go_back_in_time_learn_anew() -> None:
    past, lessons = sequence(), Lessons()
    series(past, lessons, cutoffs=1)
    earlier = Temporal.fit(past, "item", CUTOFF - 2 * WEEK, 7, lessons=lessons)
    anew = Temporal.fit(past, "item", CUTOFF - 2 * WEEK, 7)
    np.testing.assert_allclose(earlier.weights, anew.weights, rtol=1e-4, atol=1e-5)


def test_windows_of_another_length_are_other_windows() -> None:
    past, lessons = sequence(), Lessons()
    series(past, lessons, cutoffs=1)
    after_a_week = Temporal.fit(past, "item", CUTOFF, 14, lessons=lessons)
    np.testing.assert_array_equal(
        after_a_week.weights, Temporal.fit(past, "item", CUTOFF, 14).weights
    )


def rising() -> History:
    """Three items sell all the time, a fourth, to everyone, in the last two weeks only."""
    rows: list[Row] = []
    for customer in range(60):
        rows += [row for n in range(3) for row in bought(customer, n, *range(n, 110, 7))]
        rows += bought(customer, 3, *range(customer % 7, 13, 2))
    return make(rows, customers=60, items=5)


def test_few_windows_are_summed_up_anew_for_a_new_best_seller(
    learned: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WINDOWS", module.FEW - 1)
    *_, before, now = series(rising(), Lessons())
    assert before.position[3] >= 0
    assert len(learned) > len(set(learned))
    np.testing.assert_allclose(now.weights, series(rising(), None)[-1].weights, atol=1e-4)


def test_of_many_windows_a_new_best_seller_is_learned_from_those_that_sold_it() -> None:
    *_, kept = series(rising(), Lessons())
    anew = series(rising(), None)[-1]
    everyone = np.arange(60, dtype=np.int32)
    new = np.full_like(everyone, 3)
    one, other = (model.describe(everyone, new)[:, 0] for model in (kept, anew))
    assert other.mean() > 0.3
    np.testing.assert_allclose(one, other, atol=0.1)


def test_a_window_that_knows_more_targets_serves_a_model_of_fewer() -> None:
    past = sequence()
    wide = Inputs.of(past, {"item": 4}, CUTOFF, 5)
    few = Inputs.of(past, {"item": 2}, CUTOFF, 5)
    keys, targets = few.keys[few.used], few.targets["item"][few.chosen["item"]]
    found = []
    for inputs in (wide, few):
        lesson = Lesson.of(inputs, 7, 7)
        assert lesson is not None
        found.append(lesson.of_columns(keys, targets).moments.shape)
    assert found[0] == found[1] == (len(keys) + 1, 3)


def test_what_a_window_lacks_counts_as_nothing() -> None:
    inputs = Inputs.of(sequence(), {"item": 4}, CUTOFF, 5)
    lesson = Lesson.of(inputs, 7, 7)
    assert lesson is not None
    unknown = np.append(inputs.keys, inputs.keys[-1] + 1)
    found = lesson.of_columns(unknown, np.array([0, 4]))
    assert not found.gram[-2:].any()
    assert not found.gram[:, -2:].any()
    assert not found.moments[-2:].any()
    assert not found.moments[:, 1:].any()
    assert found.moments[:, 0].any()


def test_dense_and_sparse_sums_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    x = Inputs.of(sequence(), {"item": 10}, CUTOFF, 5).at(7)
    found = []
    for by_entries in (1e-9, 1e9):
        monkeypatch.setattr(module, "BY_ENTRIES", by_entries)
        found.append(np.triu(gram(x)))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5, atol=1e-5)


def test_of_very_many_customers_some_say_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CUSTOMERS", 60)
    found = scores(sequence())
    in_turn = np.flatnonzero(np.arange(120) % 4 != 3)
    assert (found[in_turn].argmax(axis=1) == (in_turn + 16) % 3).all()
    np.testing.assert_array_equal(found, scores(sequence()))


@pytest.mark.parametrize(("gap", "usual"), [(1, 1), (5, 5), (30, 30), (90, 60)])
def test_the_usual_gap_is_that_between_visits(gap: int, usual: int) -> None:
    rows = [row for customer in range(5) for row in bought(customer, 0, 0, gap, 2 * gap)]
    assert usual_gap_days(make(rows, customers=5, items=1).visits(CUTOFF)) == usual


def test_bad_input_where_nobody_came_twice_a_week_is_usual() -> None:
    rows = [row for customer in range(5) for row in bought(customer, 0, customer)]
    assert usual_gap_days(make(rows, customers=5, items=1).visits(CUTOFF)) == 7
    assert usual_gap_days(histories.empty().visits(CUTOFF)) == 7


def test_bad_input_few_customers_are_no_lesson() -> None:
    rows = [r for c in range(module.MIN_CUSTOMERS - 1) for r in bought(c, 0, *range(0, 50, 5))]
    assert np.isnan(scores(make(rows, customers=40, items=1))).all()
