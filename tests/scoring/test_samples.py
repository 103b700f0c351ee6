"""Rows to learn from: whom a window asks about, what happened, and how many pairs a row is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring import samples
from scoring.history import BOUGHT, CLICKED, ENGAGED, History
from scoring.level import Level
from scoring.samples import Rows, Window
from tests.scoring import histories
from tests.scoring.conftest import Trained
from tests.scoring.histories import CUTOFF, Row, assert_same, bought, level_of, make
from tests.shop import NOW_HOUR

WEEK = 7 * 24
Draw = Callable[[History, Level, Window], Rows]
every_population = pytest.mark.parametrize(
    "draw", [samples.targeting, samples.ranking, samples.prospects, samples.newcomers]
)


def window(kind: int = BOUGHT, *, seed: int = 1, cutoff: int = CUTOFF) -> Window:
    return Window(cutoff, cutoff + WEEK, kind, (seed, 0))


def small() -> History:
    """Customers 0 and 1 are known; 2 comes in the window, 3 after it. Item 1 was never sold."""
    rows: list[Row] = [*bought(0, 0, 1), *bought(1, 0, 2), (1, 2, CUTOFF - 1, BOUGHT)]
    rows += [(0, 1, CUTOFF, BOUGHT), (1, 0, CUTOFF + WEEK - 1, BOUGHT)]
    rows += [(1, 2, CUTOFF + WEEK, BOUGHT), (2, 0, CUTOFF + 5, BOUGHT)]
    rows += [(3, 0, CUTOFF + 2 * WEEK, BOUGHT)]
    rows += [(1, 2, CUTOFF - 5, ENGAGED), (0, 2, CUTOFF + 3, CLICKED)]
    return make(rows, customers=4, items=3)


def drawn(draw: Draw, past: History, at: Window | None = None) -> Rows:
    return draw(past, level_of(past, "item", CUTOFF), at or window())


def arrays(rows: Rows) -> dict[str, NDArray]:
    return {name: array for name, array in vars(rows).items() if array is not None}


def from_shop(trained: Trained, draw: Draw, seed: int = 1) -> Rows:
    """The rows of the week before NOW."""
    at = window(seed=seed, cutoff=NOW_HOUR - WEEK)
    return draw(trained.past, trained.holdout.levels["item"], at)


def labels(trained: Trained) -> set[tuple[int, int]]:
    """(customer, item) of everyone known a week before NOW who then bought within the week."""
    past = trained.past
    known = past.known_customers(NOW_HOUR - WEEK)
    customer, item, _ = past.select(BOUGHT, start=NOW_HOUR - WEEK, end=NOW_HOUR)
    return {
        (int(c), int(i)) for c, i in zip(customer, item, strict=True) if known[c] and i >= 0
    }  # fmt: skip


def test_a_campaign_asks_everyone_known_about_everything_that_sells() -> None:
    rows = drawn(samples.targeting, small())
    assert sorted(rows.target.tolist()) == [0, 0, 2, 2]
    assert rows.weight.tolist() == [1] * 4
    assert rows.x.shape == (4, len(level_of(small(), "item", CUTOFF).features))


def test_a_label_is_a_purchase_within_the_window_by_someone_known() -> None:
    rows = drawn(samples.targeting, small())
    assert rows.target[rows.y].tolist() == [0]  # not the one on the window's end, nor the stranger


def test_clicks_are_learned_from_clicks() -> None:
    rows = drawn(samples.targeting, small(), window(CLICKED))
    assert rows.target[rows.y].tolist() == [2]


def test_newcomers_are_sold_for_the_first_time_in_the_window() -> None:
    rows = drawn(samples.newcomers, small())
    assert rows.target.tolist() == [1, 1]
    assert rows.y.tolist() == [True, False]


def test_no_more_newcomers_are_taken_than_are_worth_drawing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [*bought(0, 0, 1), *bought(1, 0, 1)]
    rows += [(0, 1, CUTOFF, BOUGHT), (0, 2, CUTOFF, BOUGHT), (1, 2, CUTOFF, BOUGHT)]
    past = make(rows, customers=2, items=4)
    assert set(drawn(samples.newcomers, past).target) == {1, 2}  # not 3, which nobody buys
    monkeypatch.setattr(samples, "MOST_NEWCOMERS", 1)
    assert len(set(drawn(samples.newcomers, past).target)) == 1


def test_best_sellers_are_all_asked_about_and_some_of_the_others(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "BEST_SELLERS", 5)
    monkeypatch.setattr(samples, "OTHERS", 3)
    best = trained.holdout.levels["item"].scorers["popularity"].best(5)
    asked = set(from_shop(trained, samples.targeting).like_those_asked().target)
    assert set(best) <= asked
    assert len(asked) == 8


def test_habits_for_what_few_buy_are_learned_from_too(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "BEST_SELLERS", 5)
    monkeypatch.setattr(samples, "OTHERS", 3)
    rows = from_shop(trained, samples.targeting)
    rare = ~rows.genuine
    asked, sold = set(rows.target[~rare]), set(rows.target)
    level = trained.holdout.levels["item"]
    assert sold == set(level.scorers["popularity"].best(level.n_targets))
    assert not set(rows.target[rare]) & asked
    expected = sum(item not in asked for _, item in labels(trained) if item in sold)
    assert rows.weight[rare & rows.y].sum() == samples.RARE_SHARE * expected
    known = trained.past.known_customers(NOW_HOUR - WEEK).sum()
    pairs = known * (len(sold) - len(asked))
    assert rows.weight[rare].sum() == pytest.approx(samples.RARE_SHARE * pairs, rel=1e-4)
    habits = rows.x[rare, level.features.index("repeat.days_bought")] > 0
    assert habits.sum() > 0.3 * rare.sum()


def test_a_ranking_asks_about_the_candidates_of_everyone_known(trained: Trained) -> None:
    customer, item = trained.holdout.levels["item"].candidates()
    known = trained.past.known_customers(NOW_HOUR - WEEK)
    rows = from_shop(trained, samples.ranking)
    candidates = set(zip(customer.tolist(), item.tolist(), strict=True))
    assert len(rows.y) == known[customer].sum() < len(customer)
    assert rows.y.sum() == len(candidates & labels(trained))


def test_no_purchase_of_what_is_asked_about_is_missing(trained: Trained) -> None:
    rows = from_shop(trained, samples.targeting)
    asked = set(rows.target.tolist())
    expected = np.bincount([item for _, item in labels(trained) if item in asked])
    assert np.bincount(rows.target[rows.y]).tolist() == expected.tolist()


@every_population
def test_what_comes_after_the_window_changes_no_row(draw: Draw) -> None:
    other = histories.with_another_future(small(), CUTOFF + WEEK)
    assert_same(arrays(drawn(draw, small())), arrays(drawn(draw, other)))


def test_descriptions_see_nothing_of_the_window() -> None:
    one = drawn(samples.targeting, small())
    two = drawn(samples.targeting, histories.with_another_future(small(), CUTOFF))
    np.testing.assert_array_equal(np.sort(one.x, axis=0), np.sort(two.x, axis=0))


@pytest.mark.parametrize("draw", [samples.targeting, samples.ranking])
def test_a_draw_stands_for_all_pairs(
    draw: Draw, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = from_shop(trained, draw)
    assert (whole.weight == 1).all()
    monkeypatch.setattr(samples, "NEGATIVES", 100)
    some = from_shop(trained, draw)
    assert (~some.y).sum() == 100
    assert (some.weight[some.y] == 1).all()
    assert some.y.sum() == whole.y.sum()
    assert some.weight.sum() == pytest.approx(len(whole.y))


def test_of_too_many_positives_some_stand_for_all(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = from_shop(trained, samples.targeting)
    monkeypatch.setattr(samples, "POSITIVES", 20)
    some = from_shop(trained, samples.targeting)
    assert some.y.sum() == 20
    assert some.weight[some.y].sum() == pytest.approx(whole.y.sum())
    assert some.weight.sum() == pytest.approx(len(whole.y))


def test_of_a_large_shop_a_share_of_the_customers_is_asked(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = from_shop(trained, samples.targeting)
    monkeypatch.setattr(samples, "MOST_PAIRS", 800)
    some = from_shop(trained, samples.targeting)
    assert 400 < some.weight.sum() <= 800
    share = some.weight[some.y].sum() / some.weight.sum()
    assert share == pytest.approx(whole.y.mean(), rel=0.5)


def test_the_seed_decides_what_is_drawn(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "NEGATIVES", 100)
    one, again, other = (from_shop(trained, samples.targeting, seed) for seed in (1, 1, 2))
    assert_same(arrays(one), arrays(again))
    assert one.target.tolist() != other.target.tolist()


@every_population
def test_bad_input_without_anybody_known_there_are_no_rows(draw: Draw) -> None:
    later = make([(0, 0, CUTOFF + 1, BOUGHT)], customers=2, items=2)
    for past in (later, histories.empty()):
        rows = drawn(draw, past)
        assert len(rows.x) == len(rows.y) == len(rows.weight) == len(rows.target) == 0


@every_population
def test_bad_input_a_window_in_which_nobody_comes_has_no_positive(draw: Draw) -> None:
    rows = drawn(draw, make(bought(0, 0, 1), customers=1, items=2))
    assert not rows.y.any()


def test_bad_input_customers_known_by_their_views_alone_are_asked_too() -> None:
    rows = [*bought(0, 0, 1), (1, 0, CUTOFF - 2, ENGAGED), (1, 0, CUTOFF, BOUGHT)]
    found = drawn(samples.targeting, make(rows, customers=2, items=1))
    assert sorted(found.y.tolist()) == [False, True]
