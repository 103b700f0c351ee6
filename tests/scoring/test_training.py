"""Temporal training: windows that end by tonight, no model that saw what it is judged by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import training
from scoring.fitted import NEWCOMERS, PROSPECTS, RANKING, Fitted
from scoring.history import BOUGHT, CLICKED, LEVELS, History
from scoring.samples import Rows
from scoring.training import ANY, LONGEST_STEP_DAYS, Plan, fit_stacker
from tests.scoring import histories
from tests.scoring.conftest import Trained, quick_trees
from tests.scoring.histories import CUTOFF, all_pairs, arrays_of, assert_same, bought, make
from tests.shop import NOW_HOUR, history, make_shop, no_progress, quick_models

WEEK = 7 * 24
HOURS = st.lists(st.integers(CUTOFF - 24 * 400, CUTOFF + 24 * 60), max_size=30)


def fit(past: History, cutoff: int, horizon_days: int, *levels: str, **changes: object) -> Fitted:
    """Of items, unless other levels are named; with few trees and two windows."""
    models = quick_models(**{"training_windows": 2, **changes})
    with quick_trees():
        return training.fit(
            past, cutoff, horizon_days=horizon_days, levels=levels or ("item",), settings=models
        )


def regulars(customers: int = 30, *, days: int = 400, items: int = 3) -> History:
    """Everyone buys one and the same item, in gaps from four days to thirteen."""
    rows = [r for c in range(customers) for r in bought(c, c % items, *range(c, days, 4 + c % 10))]
    return make(rows, customers=customers, items=items)


def at_hours(hours: list[int]) -> History:
    return make([(n, 0, hour, BOUGHT) for n, hour in enumerate(hours)], customers=30, items=1)


@given(HOURS, st.integers(1, 90), st.integers(0, 8))
def test_no_window_reaches_past_tonight(hours: list[int], horizon: int, windows: int) -> None:
    plan = Plan.of(at_hours(hours), CUTOFF, horizon, windows)
    *earlier, tonight = plan.cutoffs
    assert tonight == CUTOFF
    assert all(start + plan.window <= CUTOFF for start in earlier)
    assert len(earlier) <= windows
    assert 24 <= plan.window <= horizon * 24
    assert plan.window % 24 == 0


@given(HOURS, st.integers(1, 90))
def test_windows_are_a_window_or_four_weeks_apart(hours: list[int], horizon: int) -> None:
    plan = Plan.of(at_hours(hours), CUTOFF, horizon, 8)
    *earlier, _ = plan.cutoffs
    assert set(np.diff(earlier)) <= {min(plan.window, LONGEST_STEP_DAYS * 24)}
    if earlier:
        assert earlier[-1] == CUTOFF - plan.window


@given(HOURS, st.integers(1, 90))
def test_somebody_is_known_at_every_cutoff_but_tonight(hours: list[int], horizon: int) -> None:
    past = at_hours(hours)
    for start in Plan.of(past, CUTOFF, horizon, 8).cutoffs[:-1]:
        assert past.known_customers(start).any()


def test_a_long_history_gives_as_many_windows_as_asked() -> None:
    plan = Plan.of(regulars(), CUTOFF, 7, 5)
    assert plan.window == WEEK
    assert plan.cutoffs == tuple(CUTOFF - n * WEEK for n in (5, 4, 3, 2, 1, 0))


def test_long_windows_overlap() -> None:
    plan = Plan.of(regulars(), CUTOFF, 90, 3)
    assert plan.window == 90 * 24
    assert plan.cutoffs == tuple(CUTOFF - n * 24 for n in (146, 118, 90, 0))


@pytest.mark.parametrize(("days", "window_days"), [(1, 1), (8, 4), (40, 20), (120, 60), (200, 90)])
def test_a_young_shop_learns_from_windows_of_half_its_past(days: int, window_days: int) -> None:
    past = make(bought(0, 0, *range(days + 1)), customers=1, items=1)
    plan = Plan.of(past, CUTOFF, 90, 4)
    assert plan.window == window_days * 24
    assert len(plan.cutoffs) > 1


def test_a_window_known_of_hardly_anybody_of_tonight_is_left_out() -> None:
    old = bought(0, 0, 100)
    new = [row for c in range(1, 41) for row in bought(c, 0, 1)]
    past = make([*old, *new], customers=41, items=1)
    assert Plan.of(past, CUTOFF, 7, 3).cutoffs == (CUTOFF,)


def test_no_windows_or_no_purchases_give_a_constant() -> None:
    x = np.zeros((3, 4), np.float32)
    none = Rows(x, np.zeros(3, bool), np.ones(3, np.float32), np.zeros(3, np.int32))
    for stacker in (fit_stacker([], 1), fit_stacker([none], 1)):
        assert stacker.probability(x).tolist() == pytest.approx([1e-6] * 3)


def test_training_looks_at_nothing_from_now_on_and_is_the_same_twice(
    trained: Trained, trained_without_future: Trained
) -> None:
    again = trained_without_future
    assert_same(arrays_of(again.tonight), arrays_of(trained.tonight))
    assert_same(arrays_of(again.holdout), arrays_of(trained.holdout))


def test_tonight_and_holdout_are_one_window_apart(trained: Trained) -> None:
    assert trained.tonight.cutoff == NOW_HOUR
    assert trained.holdout.cutoff == NOW_HOUR - WEEK
    for fitted in (trained.tonight, trained.holdout):
        assert set(fitted.levels) == {*LEVELS, ANY}
        assert set(fitted.judges[BOUGHT]) == {*LEVELS, ANY, RANKING, PROSPECTS, NEWCOMERS}
        assert set(fitted.judges[CLICKED]) == {*LEVELS, ANY, NEWCOMERS}
        assert fitted.horizon_days == fitted.window_days == 7


@pytest.mark.parametrize("level", [*LEVELS, ANY])
@pytest.mark.parametrize("kind", [BOUGHT, CLICKED])
def test_everyone_has_a_probability_for_everything(trained: Trained, level: str, kind: int) -> None:
    pairs = all_pairs(trained.past, trained.tonight.levels[level].n_targets)
    p = trained.tonight.probability(level, *pairs, kind)
    assert p.shape == pairs[0].shape
    assert ((p > 0) & (p < 1)).all()


@pytest.mark.parametrize("level", LEVELS)
def test_the_holdout_finds_buyers_and_knows_how_many(trained: Trained, level: str) -> None:
    past, holdout = trained.past, trained.holdout
    fitted = holdout.levels[level]
    labels = past.labels(
        fitted.of_item, fitted.n_targets, holdout.cutoff, holdout.cutoff + WEEK, BOUGHT
    )
    customer, target = all_pairs(past, fitted.n_targets)
    known = past.known_customers(holdout.cutoff)[customer]
    p = holdout.probability(level, customer[known], target[known]).reshape(-1, fitted.n_targets)
    bought = np.isin(np.arange(len(customer)), labels)[known].reshape(p.shape)
    auc = [
        (buyers[:, None] > others).mean()
        for buyers, others in (
            (said[happened], said[~happened]) for said, happened in zip(p.T, bought.T, strict=True)
        )
        if len(buyers) >= 3
    ]
    assert np.mean(auc) > 0.7
    assert 0.7 < p.sum() / bought.sum() < 1.4


def test_who_shops_more_often_is_more_likely_to_shop(trained: Trained) -> None:
    past = trained.past
    visits = np.zeros(past.n_customers)
    view = past.visits(NOW_HOUR)
    visits[view.pair_customer] = view.decayed(21)
    everyone = np.arange(past.n_customers, dtype=np.int32)
    p = trained.tonight.probability(ANY, everyone, np.zeros_like(everyone))
    often, seldom = np.argsort(-visits)[:20], np.argsort(visits)[:20]
    assert p[often].mean() > p[seldom].mean()


def test_progress_ends_at_its_total() -> None:
    seen: list[tuple[str, int, int | None]] = []
    rows = [row for c in range(8) for row in bought(c, c % 2, *range(c % 3, 30, 2 + c % 4))]
    past = make(rows, customers=8, items=2, brand=[0, 0])
    training.train(
        past, CUTOFF, (BOUGHT,), quick_models(training_windows=1),
        lambda step, done, total: seen.append((step, done, total)),
    )  # fmt: skip
    assert {name for name, _, _ in seen} == {"train", "stack"}
    for step in ("train", "stack"):
        counts = [(done, total) for name, done, total in seen if name == step]
        assert [done for done, _ in counts] == sorted({done for done, _ in counts})
        assert counts[-1][0] == counts[-1][1]


def test_bad_input_a_shop_younger_than_its_windows_is_trained_all_the_same() -> None:
    rows = [row for c in range(30) for row in bought(c, c % 3, *range(c % 4, 9, 3))]
    past = make(rows, customers=31, items=4)
    tonight, holdout = training.train(
        past, CUTOFF, (BOUGHT,), quick_models(training_windows=3), no_progress
    )
    for fitted in (tonight, holdout):
        p = fitted.probability("item", *all_pairs(past, 4))
        assert ((p > 0) & (p < 1)).all()


def test_bad_input_a_single_purchase_trains_to_small_probabilities() -> None:
    past = make(bought(0, 0, 1), customers=2, items=1)
    tonight, _ = training.train(past, CUTOFF, (BOUGHT,), quick_models(), no_progress)
    p = tonight.probability("item", *all_pairs(past, 1))
    assert ((p > 0) & (p < 0.5)).all()


@pytest.fixture(scope="module")
def long_past() -> History:
    return history(make_shop(customers=40, items=24, days=220))


def test_more_is_bought_in_a_longer_time(long_past: History) -> None:
    """The horizons from a day to a quarter, each learned on its own."""
    means = []
    for horizon_days in (1, 7, 28, 90):
        fitted = fit(long_past, NOW_HOUR, horizon_days)
        assert (fitted.horizon_days, fitted.window_days) == (horizon_days, horizon_days)
        customer, item = all_pairs(long_past, 24)
        p = fitted.probability("item", customer, item)
        assert np.isfinite(p).all()
        means.append(p[customer < 40].mean())
    assert means == sorted(means)
    assert means[-1] > 3 * means[0]


def test_the_week_s_expectation_is_what_a_usual_week_holds(long_past: History) -> None:
    fitted = fit(long_past, NOW_HOUR, 7, ANY)
    known = np.flatnonzero(long_past.known_customers(NOW_HOUR)).astype(np.int32)
    expected = fitted.probability(ANY, known, np.zeros_like(known)).sum()
    usual = [
        len(np.unique(long_past.select(BOUGHT, start=end - WEEK, end=end)[0]))
        for end in range(NOW_HOUR - 4 * WEEK, NOW_HOUR + 1, WEEK)
    ]
    assert expected == pytest.approx(np.mean(usual), rel=0.2)


def test_a_horizon_beyond_the_history_is_extended_from_shorter_windows() -> None:
    """Forty days of purchases: whoever comes every day comes within 90 of them."""
    rows = [row for c in range(20) for row in bought(c, c % 2, *range(0, 41, 1 + 8 * (c >= 10)))]
    past = make(rows, customers=20, items=2)
    fitted = fit(past, CUTOFF, 90)
    assert (fitted.horizon_days, fitted.window_days) == (90, 20)
    p = fitted.probability("item", *all_pairs(past, 2)).reshape(20, 2)
    assert p[np.arange(20), np.arange(20) % 2].min() > 0.5


@pytest.mark.parametrize("level", [*LEVELS, ANY])
def test_one_level_is_learned_alone_as_with_the_others(trained: Trained, level: str) -> None:
    past = histories.before(trained.past, NOW_HOUR)
    alone = fit(past, NOW_HOUR, 7, level)
    assert set(alone.levels) == {level}
    pairs = all_pairs(past, alone.levels[level].n_targets)
    one, both = alone.probability(level, *pairs), trained.tonight.probability(level, *pairs)
    assert one.tobytes() == both.tobytes()


def test_an_own_seed_gives_own_trees(long_past: History) -> None:
    one, again, other = (arrays_of(fit(long_past, NOW_HOUR, 7, seed=seed)) for seed in (1, 1, 2))
    assert_same(one, again)
    name = "stacker/0/item/nodes"
    assert one[name].tobytes() != other[name].tobytes()


@pytest.mark.parametrize("horizon_days", [1, 7, 28, 90])
@pytest.mark.parametrize("days", [1, 7])
def test_bad_input_a_shop_of_a_day_or_a_week_has_finite_probabilities(
    horizon_days: int, days: int
) -> None:
    rows = [row for c in range(12) for row in bought(c, c % 3, *range(c % days, days, 2))]
    past = make(rows, customers=13, items=4, brand=[0, 0, 1, 1], category=[0, 1, 0, 1])
    fitted = fit(past, CUTOFF, horizon_days, *LEVELS, ANY)
    for level in (*LEVELS, ANY):
        p = fitted.probability(level, *all_pairs(past, fitted.levels[level].n_targets))
        assert ((p > 0) & (p < 1)).all()


@pytest.mark.parametrize(
    ("customers", "items"), [(1, 3), (20, 1), (1, 1)], ids=["customer", "item", "both"]
)
def test_bad_input_a_shop_of_one_customer_or_item_can_be_trained(
    customers: int, items: int
) -> None:
    rows = [r for c in range(customers) for r in bought(c, c % items, *range(c % 5, 80, 5))]
    past = make(rows, customers=customers, items=items)
    fitted = fit(past, CUTOFF, 7, *LEVELS, ANY)
    p = fitted.probability("item", *all_pairs(past, items))
    assert ((p > 0) & (p < 1)).all()
    assert fitted.preference(*all_pairs(past, items)).shape == p.shape
    for level in ("brand", "category"):  # there are none
        assert fitted.probability(level, *all_pairs(past, 0)).shape == (0,)


def test_bad_input_a_shop_that_never_sold_anything_expects_next_to_nothing() -> None:
    past = histories.empty()
    fitted = fit(past, CUTOFF, 7, *LEVELS, ANY)
    for level in (*LEVELS, ANY):
        p = fitted.probability(level, *all_pairs(past, fitted.levels[level].n_targets))
        assert ((p > 0) & (p < 1e-3)).all()


def test_bad_input_a_cutoff_before_everything_learns_nothing_of_it() -> None:
    fitted = fit(regulars(), CUTOFF - 24 * 500, 7)
    p = fitted.probability("item", *all_pairs(regulars(), 3))
    assert (p < 1e-3).all()
