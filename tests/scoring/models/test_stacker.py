"""The stacker: probabilities that mean what they say, by trees that are stored as arrays."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from scoring.models.boosting import Binned
from scoring.models.stacker import Stacker

Rows = tuple[NDArray[np.float32], NDArray[np.bool_]]
QUICK = {"iterations": 30, "learning_rate": 0.15}


def rows(count: int, seed: int) -> Rows:
    """Five columns, one of noise, one mostly unknown; about one in six happens."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, 5)).astype(np.float32)
    log_odds = x[:, 0] - 0.5 * np.abs(x[:, 1]) + x[:, 2] * (x[:, 0] > 0) - 2
    x[random.random(count) < 0.8, 3] = np.nan
    return x, random.random(count) < expit(log_odds)


def fitted(count: int = 4000, seed: int = 1) -> Stacker:
    x, y = rows(count, seed)
    return Stacker.fit(x, y, np.ones(count, np.float32), seed=1, **QUICK)


@pytest.fixture(scope="module")
def stacker() -> Stacker:
    return fitted()


def test_probabilities_lie_between_zero_and_one(stacker: Stacker) -> None:
    p = stacker.probability(rows(3000, 2)[0] * 100)
    assert p.dtype == np.float32
    assert ((p > 0) & (p < 1)).all()


def test_as_many_happen_as_expected_on_rows_never_seen(stacker: Stacker) -> None:
    x, y = rows(20_000, 3)
    p = stacker.probability(x)
    assert p.sum() / y.sum() == pytest.approx(1, abs=0.1)
    for part in np.array_split(np.argsort(p), 4):
        assert p[part].mean() == pytest.approx(y[part].mean(), rel=0.25, abs=0.01)


def test_a_weighted_draw_of_the_others_leaves_probabilities_alone() -> None:
    x, y = rows(12_000, 4)
    drawn = y | (np.random.default_rng(5).random(len(y)) < 0.2)
    weight = np.where(y, 1.0, 5.0).astype(np.float32)[drawn]
    p = Stacker.fit(x[drawn], y[drawn], weight, seed=1, **QUICK).probability(rows(20_000, 6)[0])
    assert p.mean() == pytest.approx(rows(20_000, 6)[1].mean(), rel=0.1)


def test_it_tells_the_likely_from_the_unlikely(stacker: Stacker) -> None:
    x, y = rows(5000, 7)
    p = stacker.probability(x)
    best = np.argsort(-p)[:500]
    assert y[best].mean() > 3 * y.mean()


def test_rows_binned_beforehand_give_the_same_trees() -> None:
    x, y = rows(4000, 1)
    binned = Stacker.fit(Binned.of(x), y, np.ones(4000, np.float32), seed=1, **QUICK)
    assert binned.nodes.tobytes() == fitted().nodes.tobytes()


def test_storing_without_pickle_changes_nothing(stacker: Stacker) -> None:
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **stacker.arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as stored:
        back = Stacker.from_arrays(dict(stored))
    x, _ = rows(1000, 9)
    assert back.probability(x).tobytes() == stacker.probability(x).tobytes()


def test_a_second_fit_gives_the_same_trees(stacker: Stacker) -> None:
    assert fitted().nodes.tobytes() == stacker.nodes.tobytes()


def test_a_hundred_thousand_weighted_rows_are_learned_in_seconds() -> None:
    x, y = rows(100_000, 11)
    x = np.hstack([x, x[::-1], -x])
    begin = time.process_time()
    Stacker.fit(x, y, np.where(y, 1.0, 3.0).astype(np.float32), seed=1, iterations=1)
    assert time.process_time() - begin < 2  # weighted bins took nearly 4


def test_no_rows_have_no_probabilities(stacker: Stacker) -> None:
    assert stacker.probability(np.zeros((0, 5), np.float32)).shape == (0,)


def test_bad_input_a_column_that_is_never_known_does_no_harm() -> None:
    x, y = rows(1500, 10)
    x[:, 3:] = np.nan
    stacker = Stacker.fit(x, y, np.ones(len(y), np.float32), seed=1, **QUICK)
    p = stacker.probability(x)
    assert p.mean() == pytest.approx(y.mean(), rel=0.05)
    x[:, 3:] = 1000  # known for once: nothing was learned of it
    assert stacker.probability(x).tobytes() == p.tobytes()


def test_bad_input_nothing_to_learn_from_is_a_small_constant() -> None:
    nothing = np.zeros((0, 5), np.float32)
    stacker = Stacker.fit(nothing, np.zeros(0, bool), np.zeros(0, np.float32), seed=1)
    p = stacker.probability(rows(10, 1)[0])
    assert ((p > 0) & (p < 1e-4)).all()


@pytest.mark.parametrize("happened", [False, True])
def test_bad_input_one_class_alone_is_a_constant(happened: bool) -> None:
    x, _ = rows(50, 1)
    y = np.full(50, happened)
    stacker = Stacker.fit(x, y, np.ones(50, np.float32), seed=1)
    back = Stacker.from_arrays(stacker.arrays())
    p = back.probability(x)
    assert len(set(p.tolist())) == 1
    assert ((p > 0) & (p < 1)).all()
    assert (p[0] > 0.5) == happened


def test_bad_input_a_handful_of_rows_gives_their_share() -> None:
    x, y = rows(12, 1)
    y[:3], y[3:] = True, False
    p = Stacker.fit(x, y, np.ones(12, np.float32), seed=1).probability(x)
    assert p.mean() == pytest.approx(0.25, abs=0.05)
