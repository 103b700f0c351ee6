"""Whom a question is put to: items that sell, items that never sold, items within a customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from scoring import fitted as module
from scoring import young
from scoring.calibration import Calibrator
from scoring.fitted import ANY, NEWCOMERS, PROSPECTS, RANKING, Fitted, Judge
from scoring.history import BOUGHT, CLICKED, ENGAGED
from scoring.level import Level
from scoring.models.stacker import Stacker
from tests.scoring.conftest import Trained
from tests.scoring.histories import CUTOFF, all_pairs, bought, level_of, make

NEVER = 2  # the item that nobody bought
SHARES = {"item": 0.2, NEWCOMERS: 0.05, RANKING: 0.4, PROSPECTS: 0.3, ANY: 0.6}
NOBODY = np.zeros(0, dtype=np.int32)


def level(name: str = "item") -> Level:
    rows = [row for customer in range(6) for row in bought(customer, customer % 2, 1, 9)]
    return level_of(make(rows, customers=6, items=3), name, CUTOFF)


def judge(share: float, calibrator: Calibrator | None = None) -> Judge:
    return Judge(Stacker.constant(share), calibrator or Calibrator.none())


def fitted(
    *, horizon_days: int = 7, window_days: int = 7, judges: Mapping[str, Judge] | None = None
) -> Fitted:
    """Each judge answers everybody the same."""
    levels = {"item": level(), ANY: level(ANY)}
    all_judges = judges or {name: judge(share) for name, share in SHARES.items()}
    return Fitted(CUTOFF, horizon_days, window_days, levels, {BOUGHT: all_judges})


def test_an_item_that_never_sold_goes_to_its_own_judge() -> None:
    customer, item = all_pairs(make([], customers=6, items=3), 3)
    p = fitted().probability("item", customer, item)
    assert p.dtype == np.float32
    np.testing.assert_allclose(p[item == NEVER], 0.05, rtol=1e-5)
    np.testing.assert_allclose(p[item != NEVER], 0.2, rtol=1e-5)


def test_never_sold_items_are_those_without_a_buyer() -> None:
    assert level().never_sold.tolist() == [False, False, True]


def test_pairs_keep_their_places_however_they_are_mixed() -> None:
    item = np.array([NEVER, 0, NEVER, 1, 1, NEVER], np.int32)
    p = fitted().probability("item", np.arange(6, dtype=np.int32), item)
    np.testing.assert_allclose(p, np.where(item == NEVER, 0.05, 0.2), rtol=1e-5)


def test_items_for_a_customer_are_judged_by_another_than_customers_for_an_item() -> None:
    pairs = np.zeros(1, np.int32), np.array([NEVER], np.int32)
    assert fitted().preference(*pairs)[0] == pytest.approx(0.4, rel=1e-5)


def test_a_customer_who_bought_nothing_has_another_judge_of_items() -> None:
    looked = [(6, 0, CUTOFF - 3, ENGAGED)]
    rows = [row for customer in range(6) for row in bought(customer, customer % 2, 1, 9)]
    levels = {"item": level_of(make(rows + looked, customers=7, items=3), "item", CUTOFF)}
    everyone = np.arange(7, dtype=np.int32)
    p = replace(fitted(), levels=levels).preference(everyone, np.zeros_like(everyone))
    np.testing.assert_allclose(p, [0.4] * 6 + [0.3], rtol=1e-5)


def test_other_levels_have_one_judge() -> None:
    everyone = np.arange(6, dtype=np.int32)
    p = fitted().probability(ANY, everyone, np.zeros_like(everyone))
    np.testing.assert_allclose(p, 0.6, rtol=1e-5)


def test_what_is_said_is_calibrated() -> None:
    doubled_odds = Calibrator(np.zeros(1), np.log([2.0]), 0.25)
    one = fitted(judges={"item": judge(0.2, doubled_odds)})
    p = one.probability("item", np.zeros(1, np.int32), np.zeros(1, np.int32))
    assert p[0] == pytest.approx(1 / 3, rel=1e-5)
    assert one.relative_error("item") == 0.25


def test_a_window_of_the_horizon_is_taken_as_it_is() -> None:
    p = np.array([1e-6, 0.2, 0.999], np.float32)
    assert fitted().in_horizon(p).tolist() == p.tolist()


def test_a_longer_horizon_is_the_chance_of_any_of_its_windows() -> None:
    p = np.array([0.0, 1e-6, 0.2, 0.5, 1.0], np.float32)
    out = fitted(horizon_days=21, window_days=7).in_horizon(p)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, 1 - (1 - p.astype(float)) ** 3, rtol=1e-6)


def test_probability_and_preference_are_of_the_horizon() -> None:
    longer = fitted(horizon_days=14)
    one = np.zeros(1, np.int32)
    habit = young.habitual(longer.levels["item"], one, one, 14)
    both = young.blended(np.array([1 - 0.8**2], np.float32), habit, 7 / 14)
    np.testing.assert_allclose(longer.probability("item", one, one), both, rtol=1e-5)
    assert longer.preference(one, one)[0] == pytest.approx(1 - 0.6**2, rel=1e-5)


def test_more_pairs_than_a_chunk_are_scored_like_few(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer, item = all_pairs(trained.past, trained.past.catalogue.n_items)
    whole = trained.tonight.probability("item", customer, item)
    monkeypatch.setattr(module, "CHUNK", 97)
    np.testing.assert_array_equal(trained.tonight.probability("item", customer, item), whole)


@pytest.mark.parametrize("name", ["item", "brand", "category", ANY])
def test_a_pair_gets_the_same_bits_in_any_company(trained: Trained, name: str) -> None:
    """All at once, one target at a time, in no order, and as one description of all columns."""
    level, judge = trained.tonight.levels[name], trained.tonight.judges[BOUGHT][name]
    customer, target = all_pairs(trained.past, level.n_targets)
    whole = trained.tonight.probability(name, customer, target)
    order = np.random.default_rng(1).permutation(len(customer))
    mixed = trained.tonight.probability(name, customer[order], target[order])
    assert mixed.tobytes() == whole[order].tobytes()
    for number in range(level.n_targets):
        rows = target == number
        alone = trained.tonight.probability(name, customer[rows], target[rows])
        assert alone.tobytes() == whole[rows].tobytes()
    if name != "item":  # whose new items have another judge
        flat = trained.tonight.in_horizon(
            judge.probability(level.parts(customer, target), len(target))
        )
        assert flat.tobytes() == whole.tobytes()


def test_bad_input_no_pairs_have_no_probabilities() -> None:
    assert fitted().probability("item", NOBODY, NOBODY).shape == (0,)
    assert fitted().preference(NOBODY, NOBODY).shape == (0,)


@pytest.mark.parametrize(("level", "kind"), [("brand", BOUGHT), ("item", CLICKED)])
def test_bad_input_what_was_not_learned_is_not_guessed(level: str, kind: int) -> None:
    with pytest.raises(KeyError):
        fitted().probability(level, np.zeros(1, np.int32), np.zeros(1, np.int32), kind)
