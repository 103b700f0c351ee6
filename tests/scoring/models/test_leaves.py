"""Bit vectors answer as the trees of the library do."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from scoring.models import leaves as module
from scoring.models.leaves import Leaves
from scoring.models.parts import Part

ROWS, COLUMNS = 3_000, 6


def rows(seed: int = 1) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    x = random.normal(size=(ROWS, COLUMNS)).astype(np.float32)
    x[:, 1] = random.integers(0, 4, ROWS)  # values on both sides of a threshold, and equal ones
    x[random.random(x.shape) < 0.15] = np.nan
    return x


def trained(
    max_leaf_nodes: int, iterations: int = 20
) -> tuple[HistGradientBoostingClassifier, Leaves]:
    x = rows()
    y = np.nan_to_num(x[:, 0]) + np.nan_to_num(x[:, 1]) + np.isnan(x[:, 2]) > 1
    y ^= np.random.default_rng(4).random(ROWS) < 0.3
    model = HistGradientBoostingClassifier(
        max_iter=iterations, max_leaf_nodes=max_leaf_nodes, min_samples_leaf=1, random_state=0
    ).fit(x, y)
    nodes = [stage[0].nodes for stage in model._predictors]
    start = np.cumsum([0] + [len(part) for part in nodes]).astype(np.int64)
    return model, Leaves.of(
        np.concatenate(nodes), start, float(model._baseline_prediction.ravel()[0])
    )


@pytest.mark.parametrize("max_leaf_nodes", [2, 15, 16, 31, 60])
def test_the_answer_is_that_of_the_library(max_leaf_nodes: int) -> None:
    model, leaves = trained(max_leaf_nodes)
    other = rows(seed=2)
    np.testing.assert_allclose(
        leaves.raw([Part(other)], ROWS), model.decision_function(other), rtol=0, atol=1e-12
    )


def test_a_number_at_a_threshold_goes_where_the_library_sends_it() -> None:
    model, leaves = trained(15)
    edges = np.concatenate([each[np.isfinite(each)] for each in leaves.thresholds.values()])
    around = np.concatenate(
        [edges, np.nextafter(edges, np.float32(np.inf)), np.nextafter(edges, np.float32(-np.inf))]
    )
    extremes = np.array([0.0, -0.0, np.inf, -np.inf, 1e-40, 3e38, np.nan], dtype=np.float32)
    x = np.repeat(np.concatenate([around, extremes])[:, None], COLUMNS, axis=1).astype(np.float32)
    np.testing.assert_allclose(
        leaves.raw([Part(x)], len(x)), model.decision_function(x), atol=1e-12
    )


def test_what_pairs_share_changes_nothing() -> None:
    """Once as one row a pair, once as a customer's, a target's and the pair's own columns."""
    _, leaves = trained(15)
    x, random = rows(), np.random.default_rng(3)
    customers, targets = x[:50, :3], x[50:60, 3:5]
    who, what = random.integers(0, 50, ROWS), random.integers(-2, 10, ROWS)
    missing = np.array([[0, 0], [np.nan, 1]], dtype=np.float32)
    parts = [Part(customers, who), Part(targets, what, missing), Part(x[:, 5:])]
    flat = np.column_stack([part.columns() for part in parts])
    np.testing.assert_array_equal(leaves.raw(parts, ROWS), leaves.raw([Part(flat)], ROWS))


@pytest.mark.parametrize("joined", [1, 20_000, 10**7])
def test_asking_several_features_at_once_changes_nothing(
    joined: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, leaves = trained(15)
    monkeypatch.setattr(module, "JOINED", joined)
    x = rows(seed=2)
    np.testing.assert_allclose(leaves.raw([Part(x)], ROWS), model.decision_function(x), atol=1e-12)


def test_parts_of_the_same_customers_are_looked_up_together() -> None:
    _, leaves = trained(15)
    x, who = rows(), np.random.default_rng(3).integers(0, 50, ROWS)
    parts = [Part(x[:50, :2], who), Part(x[:, 2:4]), Part(x[:50, 4:], who)]
    flat = np.column_stack([part.columns() for part in parts])
    np.testing.assert_array_equal(leaves.raw(parts, ROWS), leaves.raw([Part(flat)], ROWS))


@pytest.mark.parametrize("iterations", [1, 2, 5])
def test_an_odd_number_of_trees(iterations: int) -> None:
    model, leaves = trained(15, iterations)
    x = rows(seed=2)
    np.testing.assert_allclose(leaves.raw([Part(x)], ROWS), model.decision_function(x), atol=1e-12)


@pytest.mark.parametrize("n", [0, 1, 511, 513, 2_999])
def test_any_number_of_rows(n: int) -> None:
    model, leaves = trained(15)
    x = rows()
    whole = model.decision_function(x)
    np.testing.assert_allclose(leaves.raw([Part(x[:n])], n), whole[:n], atol=1e-12)


def test_without_trees_the_baseline_is_the_answer() -> None:
    model, _ = trained(15)
    leaves = Leaves.of(model._predictors[0][0].nodes[:0], np.zeros(1, np.int64), -1.5)
    assert leaves.raw([Part(rows())], ROWS).tolist() == [-1.5] * ROWS


def test_bad_input_a_tree_too_large_for_a_word() -> None:
    with pytest.raises(ValueError, match="at most 64"):
        trained(80, iterations=2)
