"""Contributions: Shapley values by definition, to the last coalition."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import logit

from scoring.models import contributions as module
from scoring.models.contributions import contributions
from scoring.models.stacker import Stacker


def rows(count: int, columns: int, seed: int) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, columns)).astype(np.float32)
    x[random.random(x.shape) < 0.2] = np.nan
    return x


def fitted(x: NDArray[np.float32], seed: int = 1, iterations: int = 25) -> Stacker:
    """Trees with interactions, over columns of which the last is never asked for."""
    known = np.nan_to_num(x)
    log_odds = known[:, 0] + known[:, 1] * known[:, 2] - np.abs(known[:, 3]) - 1
    y = np.random.default_rng(seed).random(len(x)) < 1 / (1 + np.exp(-log_odds))
    learned = x.copy()
    learned[:, -1] = 0
    weight = np.where(y, 1, 3).astype(np.float32)
    return Stacker.fit(learned, y, weight, seed=seed, iterations=iterations)


def of(stacker: Stacker, x: NDArray[np.float32]) -> NDArray[np.float32]:
    return contributions(stacker.nodes, stacker.tree_start, stacker.baseline, x)


def answer(nodes: NDArray, row: NDArray, known: frozenset[int], at: int = 0) -> float:
    """A tree's expectation where only the ``known`` features are told: the game as defined."""
    node = nodes[at]
    if node["is_leaf"]:
        return float(node["value"])
    left, right, feature = int(node["left"]), int(node["right"]), int(node["feature_idx"])
    if feature in known:
        value = row[feature]
        to_left = node["missing_go_to_left"] if np.isnan(value) else value <= node["num_threshold"]
        return answer(nodes, row, known, left if to_left else right)
    share = nodes["count"][left] / node["count"]
    return share * answer(nodes, row, known, left) + (1 - share) * answer(nodes, row, known, right)


def by_definition(nodes: NDArray, row: NDArray, columns: int) -> list[float]:
    """Shapley values over all coalitions of the features."""
    values = []
    for feature in range(columns):
        others = [k for k in range(columns) if k != feature]
        value = 0.0
        for size in range(columns):
            weight = factorial(size) * factorial(columns - size - 1) / factorial(columns)
            for chosen in combinations(others, size):
                without = answer(nodes, row, frozenset(chosen))
                value += weight * (answer(nodes, row, frozenset({*chosen, feature})) - without)
        values.append(value)
    return values


def leaf(value: float, count: int) -> dict[str, float]:
    return {"value": value, "count": count, "is_leaf": 1}


def tree(*records: dict[str, float]) -> NDArray:
    nodes = np.zeros(len(records), dtype=Stacker.constant(0.5).nodes.dtype)
    for node, record in zip(nodes, records, strict=True):
        for name, value in record.items():
            node[name] = value
    return nodes


def question(feature: int, threshold: float, left: int, right: int, count: int) -> dict:
    return {
        "feature_idx": feature, "num_threshold": threshold, "left": left, "right": right,
        "count": count,
    }  # fmt: skip


def test_a_row_sums_to_the_log_odds_that_the_stacker_gives() -> None:
    x = rows(5000, 12, 1)
    stacker = fitted(x, iterations=100)
    added = of(stacker, x)
    assert added.shape == (5000, 13)
    assert added.dtype == np.float32
    expected = logit(stacker.probability(x).astype(np.float64))
    np.testing.assert_allclose(added.sum(axis=1), expected, atol=1e-4)


def test_they_are_the_shapley_values_of_all_coalitions() -> None:
    x = rows(3000, 6, 2)
    stacker = fitted(x, iterations=3)
    few = x[:8]
    wanted = np.zeros((len(few), 6))
    for begin, end in zip(stacker.tree_start[:-1], stacker.tree_start[1:], strict=True):
        nodes = stacker.nodes[begin:end]
        wanted += [by_definition(nodes, row.astype(np.float64), 6) for row in few]
    np.testing.assert_allclose(of(stacker, few)[:, :-1], wanted, atol=1e-6)


def test_the_last_column_is_the_mean_over_the_training_rows() -> None:
    x = rows(4000, 6, 3)
    stacker = fitted(x)
    added = of(stacker, x[:5])
    x[:, -1] = 0
    raw = logit(stacker.probability(x).astype(np.float64))
    assert len(set(added[:, -1].tolist())) == 1
    # a leaf may have been reached by other rows than those of its binned learning
    assert added[0, -1] == pytest.approx(raw.mean(), abs=0.02)


def test_a_feature_that_no_tree_asks_for_adds_nothing() -> None:
    x = rows(2000, 6, 4)
    assert (of(fitted(x), x)[:, 5] == 0).all()


def test_features_of_the_same_effect_add_the_same() -> None:
    nodes = tree(
        question(0, 0.0, 1, 2, 100), question(1, 0.0, 3, 4, 50), question(1, 0.0, 5, 6, 50),
        leaf(0.0, 25), leaf(1.0, 25), leaf(1.0, 25), leaf(4.0, 25),
    )  # fmt: skip
    x = np.array([[1, 1], [-1, -1], [1, -1]], np.float32)
    added = contributions(nodes, np.array([0, 7]), 0.5, x)
    np.testing.assert_allclose(added[:2, 0], added[:2, 1])
    assert added[0, 0] > 0 > added[1, 0]
    np.testing.assert_allclose(added.sum(axis=1), [4.5, 0.5, 1.5], rtol=1e-6)


def test_an_unknown_value_goes_where_the_tree_sends_it() -> None:
    first = question(0, 0.0, 1, 2, 4) | {"missing_go_to_left": 1}
    nodes = tree(first, leaf(1.0, 1), leaf(-1.0, 3))
    x = np.array([[np.nan], [5.0]], np.float32)
    assert contributions(nodes, np.array([0, 3]), 0.0, x).tolist() == [[1.5, -0.5], [-0.5, -0.5]]


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x = rows(700, 6, 5)
    stacker = fitted(x)
    whole = of(stacker, x)
    monkeypatch.setattr(module, "ROWS", 97)
    monkeypatch.setattr(module, "ANSWERS", 13)
    np.testing.assert_allclose(of(stacker, x), whole, atol=1e-6)


def test_a_tree_that_asks_nothing_adds_nothing() -> None:
    added = contributions(tree(leaf(0.25, 10)), np.array([0, 1]), -1.0, rows(4, 3, 6))
    assert added.tolist() == [[0, 0, 0, -0.75]] * 4


def test_a_stacker_without_trees_is_its_baseline() -> None:
    stacker = Stacker.constant(0.2)
    added = of(stacker, rows(4, 3, 7))
    assert (added[:, :3] == 0).all()
    np.testing.assert_allclose(added[:, 3], np.log(0.25), rtol=1e-6)


def test_no_rows_have_no_contributions() -> None:
    x = rows(500, 6, 8)
    assert of(fitted(x), x[:0]).shape == (0, 7)


def test_bad_input_too_few_columns_are_named() -> None:
    x = rows(800, 6, 9)
    with pytest.raises(ValueError, match=r"column [1-4], but x has 1 columns"):
        of(fitted(x), x[:, :1])


def test_bad_input_a_tree_beyond_the_bits_of_its_answers_is_refused() -> None:
    nodes = tree(*[question(0, -k, k + 1, 63, 200 - k) for k in range(63)], leaf(0, 1))
    with pytest.raises(ValueError, match="63 questions"):
        contributions(nodes, np.array([0, len(nodes)]), 0.0, np.zeros((2, 1), np.float32))
