"""Measures against their definitions: ties by all permutations, AUC by the library's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from scoring.backtest.metrics import (
    Gains,
    auc,
    calibration,
    calibration_error,
    captured,
    interval,
    intervals,
    lift,
)

Case = tuple[NDArray[np.float64], NDArray[np.bool_]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to 30 customers with few different scores: many ties."""
    n = draw(st.integers(1, 30))
    score = draw(arrays(np.float64, n, elements=st.sampled_from([0.0, 0.1, 0.2, 0.7, 1.0])))
    return score, draw(arrays(np.bool_, n))


def by_luck(score: NDArray, bought: NDArray, size: int, rounds: int) -> float:
    """Mean share of the buyers among the best ``size`` when ties are broken by lot."""
    random = np.random.default_rng(1)
    lots = random.random((rounds, len(score)))
    best = np.lexsort((lots, np.broadcast_to(-score, lots.shape)), axis=1)[:, :size]
    return float(bought[best].sum(axis=1).mean() / bought.sum())


@given(cases(), st.sampled_from([0.05, 0.1, 0.2, 0.5, 1.0]))
def test_ties_count_as_breaking_them_by_lot_does_on_average(case: Case, share: float) -> None:
    score, bought = case
    assume(bought.any())
    rounds = 2000
    expected = by_luck(score, bought, round(share * len(score)), rounds)
    assert captured(score, bought, share) == pytest.approx(expected, abs=0.06)


@given(cases())
def test_auc_is_the_library_s(case: Case) -> None:
    score, bought = case
    assume(bought.any() and not bought.all())
    assert auc(score, bought) == pytest.approx(roc_auc_score(bought, score))


@given(cases(), st.sampled_from([0.05, 0.2, 1.0]))
def test_the_order_of_the_customers_does_not_matter(case: Case, share: float) -> None:
    score, bought = case
    turn = np.random.default_rng(2).permutation(len(score))
    one, two = captured(score, bought, share), captured(score[turn], bought[turn], share)
    assert one == pytest.approx(two, nan_ok=True)


def test_the_best_fifth_holding_all_buyers_lifts_five_times() -> None:
    score = np.arange(100.0)
    assert lift(score, score >= 80, 0.2) == pytest.approx(5)
    assert lift(score, score < 80, 0.2) == 0


def test_a_score_that_knows_nothing_lifts_once() -> None:
    bought = np.arange(100) % 7 == 0
    assert lift(np.zeros(100), bought, 0.2) == pytest.approx(1)
    assert auc(np.zeros(100), bought) == 0.5


def test_everyone_captures_everything() -> None:
    assert captured(np.array([3.0, 1.0]), np.array([False, True]), 1.0) == 1


def test_bad_input_nobody_bought_has_no_figure() -> None:
    nobody = np.zeros(10, bool)
    assert math.isnan(captured(np.arange(10.0), nobody, 0.2))
    assert math.isnan(auc(np.arange(10.0), nobody))
    assert math.isnan(auc(np.arange(10.0), ~nobody))


def test_bad_input_no_customers_have_no_figure() -> None:
    assert math.isnan(captured(np.zeros(0), np.zeros(0, bool), 0.2))
    assert math.isnan(auc(np.zeros(0), np.zeros(0, bool)))


def test_bad_input_a_share_smaller_than_one_customer_captures_nobody() -> None:
    assert captured(np.arange(4.0), np.ones(4, bool), 0.05) == 0


def test_the_interval_holds_the_mean_and_narrows_with_more_values() -> None:
    random = np.random.default_rng(3)
    few, many = random.normal(3, 1, 20), random.normal(3, 1, 2000)
    for values in (few, many):
        low, high = interval(values)
        assert low < values.mean() < high
    assert np.ptp(interval(many)) < np.ptp(interval(few)) / 5
    expected = 1.96 * many.std() / math.sqrt(2000)
    assert np.ptp(interval(many)) == pytest.approx(2 * expected, rel=0.1)


def test_the_interval_is_the_same_every_time() -> None:
    assert interval(np.arange(9.0)) == interval(np.arange(9.0))


def test_bad_input_targets_without_a_figure_are_left_out_of_the_interval() -> None:
    assert interval(np.array([2.0, np.nan, 2.0])) == (2, 2)
    assert all(math.isnan(end) for end in interval(np.array([np.nan])))


def test_calibration_sets_expected_beside_observed_in_bins_of_equal_size() -> None:
    probability = np.linspace(0, 1, 1000)
    happened = np.random.default_rng(4).random(1000) < probability
    rows = calibration(probability, happened)
    assert [row["count"] for row in rows] == [100] * 10
    for row in rows:
        assert row["observed"] == pytest.approx(row["expected"], abs=0.12)
    assert sum(row["expected"] * row["count"] for row in rows) == pytest.approx(500)


def test_bad_input_calibration_of_few_or_no_rows() -> None:
    assert calibration(np.zeros(0), np.zeros(0, bool)) == []
    rows = calibration(np.array([0.2, 0.1]), np.array([True, False]))
    assert [(row["expected"], row["observed"]) for row in rows] == [(0.1, 0), (0.2, 1)]


@given(cases())
def test_a_perfect_ranking_lifts_as_much_as_can_be(case: Case) -> None:
    _, bought = case
    assume(bought.any())
    for share in (0.05, 0.2, 0.5):
        size = round(share * len(bought))
        best = min(size, bought.sum()) / bought.sum()
        assert captured(bought.astype(float), bought, share) == pytest.approx(best)
        if size:
            assert lift(bought.astype(float), bought, share) == pytest.approx(
                best * len(bought) / size
            )


@given(cases())
def test_the_order_turned_round_gives_the_rest_of_the_area(case: Case) -> None:
    score, bought = case
    assume(bought.any() and not bought.all())
    assert auc(score, bought) + auc(-score, bought) == pytest.approx(1)
    assert auc(score, bought) == pytest.approx(auc(-score, ~bought))


@given(cases())
def test_the_curve_rises_from_nobody_to_everybody(case: Case) -> None:
    score, bought = case
    gains = Gains.of(score, bought)
    assert (gains.taken[0], gains.found[0]) == (0, 0)
    assert (gains.taken[-1], gains.found[-1]) == (len(score), bought.sum())
    assert (np.diff(gains.taken) > 0).all()
    assert (np.diff(gains.found) >= 0).all()


def test_columns_resampled_together_keep_what_they_share() -> None:
    random = np.random.default_rng(6)
    ours = random.normal(5, 3, 200)
    rival = ours - 0.1  # always a little worse
    low, high = interval(ours - rival)
    assert low == pytest.approx(0.1)
    assert high == pytest.approx(0.1)
    both = intervals(np.column_stack([ours, rival]))
    assert both[0] - both[1] == pytest.approx([0.1, 0.1])


def test_calibration_error_is_the_mean_distance_of_the_bins() -> None:
    rows = [
        {"count": 30, "expected": 0.2, "observed": 0.1},
        {"count": 10, "expected": 0.5, "observed": 0.7},
    ]
    assert calibration_error(rows) == pytest.approx((30 * 0.1 + 10 * 0.2) / 40)


def test_a_probability_that_is_true_has_hardly_any_calibration_error() -> None:
    random = np.random.default_rng(7)
    probability = random.random(100_000) ** 3
    happened = random.random(100_000) < probability
    assert calibration_error(calibration(probability, happened)) < 0.006
    assert calibration_error(calibration(probability / 2, happened)) > 0.1


def test_bad_input_no_rows_have_no_calibration_error() -> None:
    assert math.isnan(calibration_error([]))
