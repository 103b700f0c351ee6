"""One level at one cut-off: what its scorers say side by side, and whom they propose."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring.history import BOUGHT, ENGAGED, LEVELS, History
from scoring.level import POPULAR, PROPOSED, Level
from tests.scoring import histories
from tests.scoring.histories import (
    CUTOFF,
    all_pairs,
    arrays_of_level,
    assert_same,
    bought,
    level_of,
)
from tests.shop import NOW_HOUR, history, make_shop

every_level = pytest.mark.parametrize("name", LEVELS)


@pytest.fixture(scope="module")
def past() -> History:
    return history(make_shop(customers=40, items=24, days=60), before=None)


def fit(past: History, name: str, cutoff: int = NOW_HOUR) -> Level:
    return level_of(past, name, cutoff)


def everything(level: Level, past: History) -> NDArray[np.float32]:
    return level.describe(*all_pairs(past, level.n_targets))


def column(level: Level, past: History, feature: str) -> NDArray[np.float32]:
    """[n_customers, n_targets] of one feature."""
    shape = (past.n_customers, level.n_targets)
    return everything(level, past)[:, level.features.index(feature)].reshape(shape)


@every_level
def test_each_column_has_one_name(name: str, past: History) -> None:
    level = fit(past, name)
    out = everything(level, past)
    assert out.dtype == np.float32
    assert out.shape[1] == len(level.features) == len(set(level.features))
    assert not np.isinf(out).any()


@every_level
def test_what_comes_at_or_after_the_cutoff_changes_nothing(name: str, past: History) -> None:
    level = fit(past, name)
    for other in (
        histories.before(past, NOW_HOUR),
        histories.with_another_future(past, NOW_HOUR),
    ):
        again = fit(other, name)
        assert_same(arrays_of_level(again), arrays_of_level(level))
        assert everything(again, past).tobytes() == everything(level, past).tobytes()
        for one, two in zip(again.candidates(), level.candidates(), strict=True):
            np.testing.assert_array_equal(one, two)


@every_level
def test_candidates_are_sorted_and_distinct(name: str, past: History) -> None:
    level = fit(past, name)
    customer, target = level.candidates()
    assert customer.dtype == target.dtype == np.int32
    key = customer.astype(np.int64) * level.n_targets + target
    assert (np.diff(key) > 0).all()
    assert target.min() >= 0
    assert target.max() < level.n_targets


def test_habits_and_best_sellers_are_candidates_of_everyone_concerned(past: History) -> None:
    level = fit(past, "item")
    found = set(zip(*(part.tolist() for part in level.candidates()), strict=True))
    view = past.view("item", NOW_HOUR)
    habits = zip(view.pair_customer.tolist(), view.pair_target.tolist(), strict=True)
    assert set(habits) <= found
    best = int(level.scorers["popularity"].best(1)[0])
    assert {(customer, best) for customer in range(past.n_customers)} <= found


def test_like_minds_propose_nothing_to_who_bought_nothing(past: History) -> None:
    level = fit(past, "item")
    customer, target = level.candidates()
    best = set(level.scorers["popularity"].best(POPULAR).tolist())
    for name in ("engaged", "content"):
        who, what = level.scorers[name].propose(PROPOSED[name], past.n_customers)
        mine = level.bought_nothing[who]
        best |= set(zip(who[mine].tolist(), what[mine].tolist(), strict=True))
    silent = level.bought_nothing[customer]
    assert silent.any()
    for pair in zip(customer[silent].tolist(), target[silent].tolist(), strict=True):
        assert pair in best or pair[1] in best


def test_an_item_is_described_by_its_brand_and_category_too(past: History) -> None:
    level, brand = fit(past, "item"), fit(past, "brand")
    of_brand = past.catalogue.of_item["brand"]
    own = column(level, past, "brand.days_bought")
    expected = column(brand, past, "repeat.days_bought")
    for item in np.flatnonzero(of_brand >= 0):
        np.testing.assert_array_equal(own[:, item], expected[:, of_brand[item]])


def test_what_has_no_brand_is_unknown_there_not_someone_else_s(past: History) -> None:
    level = fit(past, "item")
    (item,) = np.flatnonzero(past.catalogue.of_item["brand"] < 0)
    assert np.isnan(column(level, past, "brand.days_bought")[:, item]).all()
    assert np.isfinite(column(level, past, "category.days_bought")[:, item]).all()


def test_a_group_of_a_category_s_items_is_described_like_the_category(past: History) -> None:
    category = fit(past, "category")
    inside = past.catalogue.of_item["category"] == 2
    group = Level.fit_group(past, np.where(inside, 0, -1).astype(np.int32), NOW_HOUR)
    for feature in group.features:
        if feature.startswith("activity."):
            continue  # breadth is counted among the targets of the level
        np.testing.assert_array_equal(
            column(group, past, feature)[:, 0], column(category, past, feature)[:, 2]
        )


def test_looking_is_told_from_buying() -> None:
    rows = [*bought(0, 0, 5), (0, 1, CUTOFF - 3, ENGAGED), (0, 1, CUTOFF - 30, ENGAGED)]
    past = histories.make(rows, customers=1, items=2)
    level = fit(past, "item", CUTOFF)
    assert column(level, past, "engaged.days_bought").tolist() == [[0, 2]]
    assert column(level, past, "repeat.days_bought").tolist() == [[1, 0]]


def test_a_shop_that_reports_only_purchases_has_no_engaged_columns() -> None:
    past = histories.make(bought(0, 0, 5), customers=1, items=1)
    level = fit(past, "item", CUTOFF)
    assert not any(feature.startswith("engaged.") for feature in level.features)


def test_bought_a_visit_is_the_share_of_the_visits_that_hold_the_target() -> None:
    rows = [row for day in (0, 1, 2, 3) for row in bought(0, 0, day)] + bought(0, 1, 0, 1, 2, 3)
    past = histories.make([*rows, *bought(0, 2, 0)], customers=2, items=3)
    share = column(fit(past, "item", CUTOFF), past, "bought_a_visit")
    assert share[0, :2].tolist() == [1, 1]
    assert 0.2 < share[0, 2] < 0.3
    assert share[1].tolist() == [0, 0, 0]


@every_level
def test_bad_input_an_empty_past_proposes_and_describes_nothing_known(name: str) -> None:
    nothing = histories.empty()
    level = fit(nothing, name, CUTOFF)
    assert len(level.candidates()[0]) == 0
    assert (np.nan_to_num(everything(level, nothing)) == 0).all()


@pytest.mark.parametrize("name", ["brand", "category"])
def test_bad_input_a_shop_without_brands_or_categories_has_an_empty_level(name: str) -> None:
    past = histories.make(bought(0, 0, 1), customers=2, items=1)
    level = fit(past, name, CUTOFF)
    assert level.n_targets == 0
    assert everything(level, past).shape == (0, len(level.features))
    assert len(level.candidates()[0]) == 0
    items = fit(past, "item", CUTOFF)
    assert np.isnan(column(items, past, f"{name}.days_bought")).all()


def test_bad_input_purchases_of_unknown_items_alone_make_visits() -> None:
    past = histories.make([(0, -1, CUTOFF - 5, BOUGHT)], customers=1, items=1, brand=[0])
    level = fit(past, "item", CUTOFF)
    assert column(level, past, "activity.visit_days").tolist() == [[1]]
    assert column(level, past, "repeat.days_bought").tolist() == [[0]]
