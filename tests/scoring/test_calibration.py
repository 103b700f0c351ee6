"""Calibration: what was said becomes what happened, in the same order, and no surer than it is."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit, logit

from scoring.calibration import FLOOR, MIN_HAPPENED, Calibrator
from scoring.samples import Rows

GRID = np.linspace(0.001, 0.95, 2000).astype(np.float32)


def happened(
    count: int,
    *,
    truth: float = 1.0,
    shift: float = 0.0,
    error: float = 0.0,
    targets: int = 100,
    weight: int = 1,
    seed: int = 1,
) -> tuple[NDArray[np.float32], Rows]:
    """(what is said, what happens): log-odds of happening are ``truth`` times those said plus
    ``shift``; a target's rate is off by a factor with standard deviation ``error``. Of what does
    not happen one row in ``weight`` is drawn."""
    random = np.random.default_rng(seed)
    said = expit(random.normal(-3.5, 1.2, count)).astype(np.float32)
    target = random.integers(0, targets, count).astype(np.int32)
    factor = np.maximum(1 + error * random.standard_normal(targets), 0.05)[target]
    y = random.random(count) < np.minimum(expit(truth * logit(said) + shift) * factor, 1)
    weights = np.where(y, 1, weight).astype(np.float32)
    drawn = y | (random.random(count) < 1 / weight)
    nothing = np.zeros((int(drawn.sum()), 0), np.float32)
    return said[drawn], Rows(nothing, y[drawn], weights[drawn], target[drawn])


def fit(said: NDArray[np.float32], rows: Rows) -> Calibrator:
    return Calibrator.fit(said, rows.y, rows.weight, rows.target)


def expected(calibrator: Calibrator, said: NDArray[np.float32], rows: Rows) -> float:
    return float((calibrator(said) * rows.weight).sum(dtype=np.float64))


def observed(rows: Rows) -> float:
    return float(rows.weight[rows.y].sum())


@pytest.mark.parametrize("shift", [-0.8, 0.8])
@pytest.mark.parametrize("count", [5_000, 30_000])
def test_a_better_week_is_not_carried_over(count: int, shift: float) -> None:
    """The stacker that is calibrated has learned from that week itself."""
    said, rows = happened(count, shift=shift)
    assert abs(np.log(said.sum() / observed(rows))) > 0.5
    later, truth = happened(count, seed=2)
    assert expected(fit(said, rows), later, truth) == pytest.approx(later.sum(), rel=0.1)


@pytest.mark.parametrize("truth", [0.6, 1.5])
def test_what_is_said_too_surely_or_too_timidly_is_bent(truth: float) -> None:
    said, rows = happened(100_000, truth=truth)
    later, outcome = happened(100_000, truth=truth, seed=2)
    now = fit(said, rows)(later)
    for part in np.array_split(np.argsort(later), 10)[-3:]:  # who is chosen
        share = outcome.y[part].sum() / outcome.y.sum()
        off = np.log([later[part].sum() / later.sum(), now[part].sum() / now.sum()]) - np.log(share)
        assert abs(off[1]) < max(0.6 * abs(off[0]), 0.06)


def test_rows_count_as_many_pairs_as_they_stand_for() -> None:
    said, rows = happened(60_000, truth=0.7, weight=10)
    whole, every = happened(60_000, truth=0.7)
    np.testing.assert_allclose(
        fit(said, rows)(GRID[20:600]), fit(whole, every)(GRID[20:600]), rtol=0.25
    )


def test_what_is_right_already_is_left_nearly_alone() -> None:
    said, rows = happened(50_000)
    middle = GRID[(GRID > 0.01) & (GRID < 0.5)]
    np.testing.assert_allclose(logit(fit(said, rows)(middle)), logit(middle), atol=0.25)


@given(st.integers(0, 10**6), st.sampled_from([40, 400, 4000]), st.floats(-3, 3), st.floats(0, 2))
def test_the_order_stays_and_nobody_becomes_equal(
    seed: int, count: int, shift: float, truth: float
) -> None:
    """Even where higher ones happen no more often (truth 0), or blocks are pooled."""
    calibrator = fit(*happened(count, shift=shift, truth=truth, seed=seed))
    now = calibrator(GRID)
    assert now.dtype == np.float32
    assert (np.diff(now) > 0).all()
    assert ((now > 0) & (now < 1)).all()


def test_the_order_stays_when_the_unlikely_happen_more_often() -> None:
    said, rows = happened(20_000, truth=-1.0, shift=-7.0)
    assert np.corrcoef(said, rows.y)[0, 1] < 0
    assert (np.diff(fit(said, rows)(GRID)) > 0).all()


def test_few_happenings_change_nothing_but_tell_how_unsure_it_is() -> None:
    said, rows = happened(1500, truth=0.3, shift=-2.5)
    assert 20 < rows.y.sum() < MIN_HAPPENED
    calibrator = fit(said, rows)
    np.testing.assert_allclose(calibrator(GRID), GRID, rtol=1e-5)
    assert calibrator.relative_error > 0.1


def test_equals_remain_equal_whatever_the_order_of_rows() -> None:
    """A stacker that tells nobody apart: everyone stays alike, though the happy come last."""
    said = np.full(5000, 0.1, np.float32)
    y = np.arange(5000) >= 4000
    one = fit(said, Rows(np.zeros((5000, 0), np.float32), y, said * 10, np.zeros(5000, np.int32)))
    assert one(said[:1])[0] == pytest.approx(0.1, rel=0.05)
    assert len(one.said) == 1


def test_the_order_of_rows_does_not_matter() -> None:
    said, rows = happened(8000, shift=0.4)
    said = np.round(said, 2)
    turned = Rows(rows.x, rows.y[::-1], rows.weight[::-1], rows.target[::-1])
    np.testing.assert_allclose(fit(said, rows)(GRID), fit(said[::-1], turned)(GRID), rtol=1e-5)


def test_beyond_what_was_seen_it_moves_as_at_the_edge() -> None:
    said, rows = happened(20_000, shift=1.0)
    calibrator = fit(said, rows)
    edge = calibrator.happened[-1] - calibrator.said[-1]
    assert logit(calibrator(np.array([0.999], np.float32)).astype(float))[0] == pytest.approx(
        logit(0.999) + edge, abs=0.01
    )


@pytest.mark.parametrize(("error", "weight"), [(0.0, 1), (0.0, 10), (0.3, 1), (0.3, 5), (0.3, 20)])
def test_how_far_targets_are_off_is_told_from_chance(error: float, weight: int) -> None:
    found = fit(*happened(600_000, error=error, weight=weight)).relative_error
    assert found == pytest.approx(error, abs=0.07)


def test_targets_too_rare_to_tell_are_taken_for_uncertain() -> None:
    assert fit(*happened(2000, targets=1000)).relative_error == 0.5


def test_storing_without_pickle_changes_nothing() -> None:
    calibrator = fit(*happened(5000, truth=0.7, error=0.3))
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **calibrator.arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as stored:
        back = Calibrator.from_arrays(dict(stored))
    assert back(GRID).tobytes() == calibrator(GRID).tobytes()
    assert back.relative_error == calibrator.relative_error


def test_no_pairs_have_no_probabilities() -> None:
    assert Calibrator.none()(np.zeros(0, np.float32)).shape == (0,)


@pytest.mark.parametrize("y", [[], [False] * 5, [True] * 5], ids=["no rows", "none", "all"])
def test_bad_input_nothing_to_learn_from_changes_nothing(y: list[bool]) -> None:
    count = len(y)
    rows = Rows(
        np.zeros((count, 0), np.float32), np.array(y, dtype=bool),
        np.ones(count, np.float32), np.zeros(count, np.int32),
    )  # fmt: skip
    calibrator = fit(np.full(count, 0.2, np.float32), rows)
    np.testing.assert_allclose(calibrator(GRID), GRID, rtol=1e-5)
    assert calibrator.relative_error == 0.5


def test_bad_input_certainties_are_neither_impossible_nor_infinite() -> None:
    now = fit(*happened(5000, shift=0.5))(np.array([0.0, FLOOR / 10, 1.0], np.float32))
    assert (now[:2] > 0).all()
    assert (now <= 1).all()
    assert np.isfinite(now).all()


def test_bad_input_a_single_happening_hardly_moves_anything() -> None:
    said = np.array([0.01, 0.02, 0.5], np.float32)
    rows = Rows(
        np.zeros((3, 0), np.float32), np.array([True, False, False]),
        np.ones(3, np.float32), np.zeros(3, np.int32),
    )  # fmt: skip
    np.testing.assert_allclose(fit(said, rows)(said), said, rtol=0.05)
