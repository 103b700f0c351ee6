"""Trees over binned columns: the bins, and what is drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss

from scoring.models import boosting as module
from scoring.models.boosting import MAX_BINS, MISSING, Binned, Boosting
from scoring.models.stacker import Stacker

Floats = NDArray[np.float32]
USUAL = Boosting(
    iterations=40,
    learning_rate=0.1,
    leaves=15,
    min_leaf=20,
    l2=1.0,
    columns=0.5,
    columns_a_split=1.0,
    seed=1,
)


def rows(count: int, seed: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Twenty columns, of which four matter and the sixth is mostly unknown."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, 20)).astype(np.float32)
    log_odds = x[:, 0] + x[:, 1] * x[:, 2] - np.abs(x[:, 3]) - 1
    x[random.random(count) < 0.8, 5] = np.nan
    return x, random.random(count) < expit(log_odds)


def said(boosting: Boosting, binned: Binned, y: NDArray[np.bool_], asked: Floats) -> Floats:
    """Probabilities after learning from the first rows, all of weight 1."""
    trees, baseline = boosting.fit(binned, y, np.ones(len(y), np.float32))
    start = np.cumsum([0] + [len(nodes) for nodes in trees]).astype(np.int64)
    return Stacker(np.concatenate(trees), start, baseline).probability(asked)


@pytest.mark.parametrize("kinds", [1, 2, 40, MAX_BINS, MAX_BINS + 1, 5000])
def test_a_bin_is_what_lies_between_its_edges(kinds: int) -> None:
    random = np.random.default_rng(kinds)
    x = random.normal(size=kinds).astype(np.float32)[random.integers(0, kinds, (20_000, 1))]
    binned = Binned.of(x)
    bins, edges = binned.bins[:, 0], np.append(binned.edges[0], np.inf)
    assert len(edges) <= MAX_BINS
    assert (x[:, 0] <= edges[bins]).all()
    assert (x[:, 0] > np.append(-np.inf, edges)[bins]).all()
    if kinds <= MAX_BINS:
        assert len(np.unique(bins)) == len(np.unique(x))


def test_many_values_fill_their_bins_evenly() -> None:
    binned = Binned.of(np.random.default_rng(1).exponential(size=(30_000, 1)).astype(np.float32))
    count = np.bincount(binned.bins[:, 0])
    assert count.max() < 3 * count[count > 0].mean()


def test_what_is_missing_is_told_from_what_is_known() -> None:
    x = np.array([[1, np.nan], [np.nan, np.nan], [3, np.nan]], np.float32)
    binned = Binned.of(x)
    assert (binned.bins == MISSING).tolist() == np.isnan(x).tolist()


def test_edges_know_nothing_of_rows_that_they_may_not_see() -> None:
    x, _ = rows(2000, 2)
    other = x.copy()
    other[1000:] = other[1000:] * 9 + 5
    one, two = Binned.of(x, 1000), Binned.of(other, 1000)
    for mine, its in zip(one.edges, two.edges, strict=True):
        assert mine.tobytes() == its.tobytes()
    assert one.bins[:1000].tobytes() == two.bins[:1000].tobytes()


def test_later_rows_change_no_tree_that_does_not_learn_from_them() -> None:
    x, y = rows(3000, 3)
    other = x.copy()
    other[2000:, 5] = 1  # it is missing no more
    one, two = (said(USUAL, Binned.of(each, 2000), y[:2000], x) for each in (x, other))
    assert one.tobytes() == two.tobytes()


def test_it_learns_nearly_as_well_as_the_library_from_a_draw_of_few_columns() -> None:
    (x, y), (asked, happened) = rows(8000, 4), rows(8000, 5)
    own = log_loss(happened, said(USUAL, Binned.of(x), y, asked))
    library = HistGradientBoostingClassifier(
        max_iter=40, max_leaf_nodes=15, l2_regularization=1.0, max_features=0.5,
        early_stopping=False, random_state=1,
    ).fit(x, y)  # fmt: skip
    assert own < log_loss(happened, library.predict_proba(asked)[:, 1]) * 1.05


def test_without_a_draw_the_trees_are_those_of_the_library() -> None:
    """Of whole numbers every value has a bin, so that both look at the same."""
    x, y = rows(3000, 6)
    x = np.round(x * 3)
    library = HistGradientBoostingClassifier(
        max_iter=40, max_leaf_nodes=15, l2_regularization=1.0, early_stopping=False
    ).fit(x, y)
    own = said(replace(USUAL, columns=1.0), Binned.of(x), y, x)
    np.testing.assert_allclose(own, library.predict_proba(x)[:, 1], atol=1e-3)


def test_a_seed_draws_the_same_again() -> None:
    x, y = rows(2000, 7)
    one, again = (said(USUAL, Binned.of(x), y, x) for _ in range(2))
    assert one.tobytes() == again.tobytes()
    assert one.tobytes() != said(replace(USUAL, seed=2), Binned.of(x), y, x).tobytes()


def test_of_few_columns_each_tree_sees_all() -> None:
    x, y = rows(2000, 9)
    few = x[:, : module.FEWEST]
    one, two = (replace(USUAL, columns=share) for share in (0.1, 1.0))
    found = [said(boosting, Binned.of(few), y, few) for boosting in (one, two)]
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)


def test_a_sample_of_very_many_rows_gives_the_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    x, _ = rows(20_000, 8)
    whole = Binned.of(x).edges[0]
    monkeypatch.setattr(module, "SAMPLE", 5000)
    np.testing.assert_allclose(Binned.of(x).edges[0], whole, atol=0.5)


def test_bad_input_a_column_of_one_value_or_none_has_no_edge() -> None:
    x = np.array([[np.nan, 7]] * 5, np.float32)
    assert [len(edges) for edges in Binned.of(x).edges] == [0, 0]
