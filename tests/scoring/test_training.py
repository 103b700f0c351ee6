"""Temporal training: labels from the window alone, no model that saw what it is judged by."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import training
from scoring.backtest import report
from scoring.history import BOUGHT, CLICKED, ENGAGED, LEVELS, History
from scoring.level import Level
from scoring.models.affinity import AffinityTrainer
from scoring.training import ANY, Rows, fit_level, fit_stacker, training_rows
from tests.scoring import histories
from tests.scoring.conftest import Trained, train
from tests.scoring.histories import CUTOFF, all_pairs, arrays_of, assert_same, bought, make
from tests.shop import NOW_HOUR, no_progress, quick_models

WEEK = 7 * 24


def level_of(past: History, name: str, cutoff: int) -> Level:
    affinity = AffinityTrainer(past, cutoff, components=2, seed=1).advance(cutoff, 1)
    return fit_level(past, name, cutoff, affinity)


def rows_of(past: History, *, kind: int = BOUGHT, cutoff: int = CUTOFF) -> Rows:
    return training_rows(past, level_of(past, "item", cutoff), cutoff, WEEK, kind, (1, 2))


def small() -> History:
    """Customers 0 and 1 are known; 2 comes in the window, 3 after it."""
    hours = [(0, 1, CUTOFF), (1, 0, CUTOFF + WEEK - 1), (1, 1, CUTOFF + WEEK), (2, 0, CUTOFF + 5)]
    hours.append((1, 2, CUTOFF - 1))
    rows = [(c, i, h, BOUGHT) for c, i, h in hours]
    rows += [*bought(0, 0, 1), *bought(1, 0, 2), (3, 0, CUTOFF + 2 * WEEK, BOUGHT)]
    rows += [(1, 2, CUTOFF - 5, ENGAGED), (0, 2, CUTOFF + 3, CLICKED)]
    return make(rows, customers=4, items=3)


def test_a_label_is_a_purchase_within_the_window_by_someone_known() -> None:
    rows = rows_of(small())
    assert len(rows.y) == 2 * 3  # two known customers, three items
    assert rows.y.sum() == 2
    assert rows.weight.tolist() == [1] * 6


def test_clicks_are_learned_from_clicks() -> None:
    assert rows_of(small(), kind=CLICKED).y.sum() == 1


def test_what_comes_after_the_window_changes_no_row() -> None:
    one = rows_of(small())
    two = rows_of(histories.with_another_future(small(), CUTOFF + WEEK))
    assert_same(vars(one), vars(two))


def test_descriptions_see_nothing_of_the_window() -> None:
    past = small()
    other = histories.with_another_future(past, CUTOFF)
    one, two = rows_of(past), rows_of(other)
    np.testing.assert_array_equal(np.sort(one.x, axis=0), np.sort(two.x, axis=0))


def test_a_draw_of_many_others_stands_for_all_of_them(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    cutoff = NOW_HOUR - WEEK
    level = trained.holdout.levels["item"]
    whole = training_rows(trained.past, level, cutoff, WEEK, BOUGHT, (1,))
    monkeypatch.setattr(training, "ALL_PAIRS", 0)
    candidates = training_rows(trained.past, level, cutoff, WEEK, BOUGHT, (1,))
    monkeypatch.setattr(training, "NEGATIVES", 50)
    drawn = training_rows(trained.past, level, cutoff, WEEK, BOUGHT, (1,))
    assert (~drawn.y).sum() == 50
    assert drawn.y.sum() == candidates.y.sum() <= whole.y.sum()
    assert drawn.weight.sum() == pytest.approx(len(candidates.y))
    assert drawn.weight[drawn.y].tolist() == [1] * int(drawn.y.sum())


def test_no_windows_or_no_purchases_give_a_constant() -> None:
    x = np.zeros((3, 4), np.float32)
    none = Rows(x, np.zeros(3, bool), np.ones(3, np.float32))
    for stacker in (fit_stacker([], 1), fit_stacker([none], 1)):
        assert stacker.probability(x).tolist() == pytest.approx([1e-6] * 3)


def test_the_holdout_never_sees_the_window_it_is_judged_by(trained: Trained) -> None:
    _, holdout = train(histories.with_another_future(trained.past, NOW_HOUR - WEEK))
    assert_same(arrays_of(holdout), arrays_of(trained.holdout))


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
        assert set(fitted.stackers) == {BOUGHT, CLICKED}
        assert fitted.horizon_days == 7


@pytest.mark.parametrize("level", [*LEVELS, ANY])
@pytest.mark.parametrize("kind", [BOUGHT, CLICKED])
def test_everyone_has_a_probability_for_everything(trained: Trained, level: str, kind: int) -> None:
    pairs = all_pairs(trained.past, trained.tonight.levels[level].n_targets)
    p = trained.tonight.probability(level, *pairs, kind)
    assert p.shape == pairs[0].shape
    assert ((p > 0) & (p < 1)).all()


def test_the_holdout_finds_buyers_and_knows_how_many(trained: Trained) -> None:
    results = report.of_history(trained.past, trained.holdout, quick_models(), no_progress)
    assert [result.level for result in results] == list(LEVELS)
    for result in results:
        assert result.mean("model", "auc") > 0.7
        assert result.mean("model", "lift@20") > 1.7
        assert 0.7 < result.expected_over_observed < 1.4


def test_who_shops_more_often_is_more_likely_to_shop(trained: Trained) -> None:
    past = trained.past
    visits = np.zeros(past.n_customers)
    view = past.visits(NOW_HOUR)
    visits[view.pair_customer] = view.decayed(21)
    everyone = np.arange(past.n_customers, dtype=np.int32)
    p = trained.tonight.probability(ANY, everyone, np.zeros_like(everyone))
    often, seldom = np.argsort(-visits)[:20], np.argsort(visits)[:20]
    assert p[often].mean() > p[seldom].mean()


def test_more_pairs_than_a_chunk_are_scored_like_few(trained: Trained) -> None:
    customer = np.tile(np.arange(60, dtype=np.int32), 4300)
    target = np.full_like(customer, 3)
    p = trained.tonight.probability("item", customer, target)
    np.testing.assert_array_equal(p[-60:], p[:60])


def test_progress_ends_at_its_total() -> None:
    seen: list[tuple[str, int, int | None]] = []
    rows = [row for c in range(8) for row in bought(c, c % 2, *range(c % 3, 30, 2 + c % 4))]
    past = make(rows, customers=8, items=2, brand=[0, 0])
    training.train(
        past, CUTOFF, (BOUGHT,), quick_models(training_windows=1),
        lambda step, done, total: seen.append((step, done, total)),
    )  # fmt: skip
    for step in ("affinity", "train"):
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
