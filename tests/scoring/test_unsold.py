"""Items that are taken for never sold: nobody's purchase of them is seen, and all else is."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import samples, unsold
from scoring.calibration import prior_shift
from scoring.history import BOUGHT, ENGAGED, History
from scoring.samples import Window
from scoring.training import calibrate, fit_stacker
from tests.scoring.conftest import Trained
from tests.scoring.histories import CUTOFF, bought, level_of, make
from tests.shop import NOW_HOUR

WEEK = 7 * 24


def shop(*, twin: bool) -> History:
    """Item 0 and, if there is a ``twin``, item 1 of the same category are bought; 2 is viewed."""
    rows = [*bought(0, 0, 1, 9), *bought(1, 2, 4), (0, 2, CUTOFF - 5, ENGAGED)]
    if twin:
        rows += [*bought(0, 1, 2), *bought(1, 1, 3)]
    return make(rows, customers=2, items=3, category=[0, 0, 1], brand=[0, 0, 1])


def test_a_tenth_of_what_was_sold_before_the_cutoff_is_taken(trained: Trained) -> None:
    cutoff = NOW_HOUR - WEEK
    taken = unsold.some_sold(trained.past, cutoff, np.random.default_rng(1))
    _, item, _ = trained.past.select(BOUGHT, end=cutoff)
    sold = np.unique(item[item >= 0])
    assert len(taken) == round(unsold.SHARE * len(sold)) > 0
    assert np.isin(taken, sold).all()


def test_a_hidden_item_is_described_as_if_nobody_had_bought_it() -> None:
    """Customers, as they come and look, stay as they are."""
    both, one = shop(twin=True), shop(twin=False)
    hidden = unsold.hiding(
        level_of(both, "item", CUTOFF), both, np.array([1], dtype=np.int32), CUTOFF
    )
    never = level_of(one, "item", CUTOFF)
    customer, target = np.arange(2, dtype=np.int32), np.ones(2, dtype=np.int32)
    told = ~unsold.blank(never)
    visits = np.array([name.startswith("activity.") for name in never.features])
    found, expected = (level.describe(customer, target) for level in (hidden, never))
    np.testing.assert_array_equal(found[:, told & ~visits], expected[:, told & ~visits])
    with_twin = level_of(both, "item", CUTOFF).describe(customer, target)
    np.testing.assert_array_equal(found[:, visits], with_twin[:, visits])


def test_nothing_is_learned_from_an_items_own_sales(trained: Trained) -> None:
    level = trained.holdout.levels["item"]
    at = Window(NOW_HOUR - WEEK, NOW_HOUR, BOUGHT, (1, 0))
    rows = samples.newcomers(trained.past, level, at)
    own = [name.startswith(("repeat.", "popularity.", "ease.")) for name in level.features]
    assert np.isnan(rows.x[:, own]).all()
    assert rows.genuine is not None
    assert not rows.genuine.all()  # some that were sold are among them


@pytest.mark.parametrize("share", [0.01, 0.3])
def test_as_many_are_expected_as_happened(share: float) -> None:
    rng = np.random.default_rng(3)
    said, weight = rng.uniform(0.05, 0.6, (2, 4000)).astype(np.float32)
    y = rng.random(4000) < share
    shift = prior_shift(said, y, weight)
    shifted = 1 / (1 + np.exp(-np.log(said / (1 - said)) - shift))
    assert weight @ shifted == pytest.approx(weight[y].sum(), rel=1e-3)


def test_what_is_taken_for_new_does_not_say_how_well_new_items_sell() -> None:
    """One in fifty of the genuine rows is a purchase, and one in two of the others."""
    rng = np.random.default_rng(4)
    genuine = np.arange(4000) % 2 == 0
    x = rng.normal(size=(4000, 2)).astype(np.float32)
    y = rng.random(4000) < np.where(genuine, 0.02, 0.5)
    ones = np.ones(4000, dtype=np.float32)
    rows = samples.Rows(x, y, ones, np.zeros(4000, dtype=np.int32), genuine)
    stacker = fit_stacker([rows], seed=0)
    said = stacker.probability(x[genuine])
    assert said.mean() == pytest.approx(y[genuine].mean(), rel=0.01)
    kept = calibrate(stacker, rows)(said)
    assert kept.mean() == pytest.approx(y[genuine].mean(), rel=0.1)


@pytest.mark.parametrize("happened", [False, True])
def test_bad_input_where_all_rows_are_alike_there_is_no_shift(happened: bool) -> None:
    half = np.full(5, 0.5, dtype=np.float32)
    assert prior_shift(half, np.full(5, happened), half) == 0


def test_bad_input_a_shop_that_sold_nothing_hides_nothing() -> None:
    nothing = make([], customers=1, items=2)
    assert len(unsold.some_sold(nothing, CUTOFF, np.random.default_rng(1))) == 0
