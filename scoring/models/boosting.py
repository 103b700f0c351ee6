"""Gradient boosting over binned columns, with the tree grower of scikit-learn.

What HistGradientBoostingClassifier does for two classes (log loss, Newton steps, histograms: Ke et
al. 2017), with two savings. Rows are binned once for all the models that learn from some of them.
And each tree looks at a drawn share of the columns, of which alone it counts histograms; the
library draws anew for every split and has to count all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.ensemble._hist_gradient_boosting.grower import TreeGrower

from scoring.models import Floats

MAX_BINS = 255  # of known values; one more is for the missing
MISSING = MAX_BINS
FEWEST = 8  # columns that a tree looks at, if there are as many
SAMPLE = 50_000  # rows that the bins' edges are read from


@dataclass(frozen=True)
class Binned:
    """``bins``: uint8[n, k], column by column in memory: value ≤ ``edges[column][bin]``, or
    MISSING; ``edges``: float64 rising, of each column."""

    bins: NDArray[np.uint8]
    edges: Sequence[NDArray[np.float64]]

    @classmethod
    def of(cls, x: Floats, seen: int | None = None) -> Self:
        """Edges are read from the first ``seen`` rows of ``x`` (float32[n, k]) alone."""
        sample = x[: len(x) if seen is None else seen]
        sample = sample[:: max(len(sample) // SAMPLE, 1)]
        bins = np.empty(x.shape, dtype=np.uint8, order="F")
        edges = []
        for column in range(x.shape[1]):
            values = np.ascontiguousarray(x[:, column])
            found = _edges(sample[:, column])
            bins[:, column] = np.searchsorted(found, values)
            bins[np.isnan(values), column] = MISSING
            edges.append(found.astype(np.float64))
        return cls(bins, edges)


def _edges(values: Floats) -> Floats:
    """float32[≤ MAX_BINS − 1]: between the distinct values, or the quantiles of too many."""
    known = np.sort(values[~np.isnan(values)])
    distinct = known[np.append(True, known[1:] != known[:-1])] if len(known) else known
    if len(distinct) > MAX_BINS:
        at = np.arange(1, MAX_BINS) * len(known) // MAX_BINS
        distinct = known[at]
        return distinct[np.append(True, distinct[1:] != distinct[:-1])]
    return distinct[:-1] + (distinct[1:] - distinct[:-1]) / 2


@dataclass(frozen=True)
class Boosting:
    """How trees are grown. ``min_leaf``: rows; ``columns``: the share that each tree looks at;
    ``columns_a_split``: the share of these that each split looks at."""

    iterations: int
    learning_rate: float
    leaves: int
    min_leaf: int
    l2: float
    columns: float
    columns_a_split: float
    seed: int

    def fit(
        self, rows: Binned, y: NDArray[np.bool_], weight: Floats
    ) -> tuple[list[NDArray], float]:
        """(node arrays of each tree, log-odds before the first), from the first ``len(y)`` rows.

        One thread: two models at once on two cores are done sooner than one after the other.
        """
        k = rows.bins.shape[1]
        count = min(max(round(self.columns * k), FEWEST), k)
        rng = np.random.default_rng(self.seed)
        happened = y.astype(np.float32)
        share = float(np.average(happened, weights=weight.astype(np.float64)))
        baseline = float(np.log(share / (1 - share)))
        raw = np.full(len(y), baseline, dtype=np.float32)
        trees = []
        for _ in range(self.iterations):
            p = expit(raw)
            gradient, hessian = (p - happened) * weight, p * (1 - p) * weight
            drawn = np.sort(rng.choice(k, count, replace=False))
            grown = self._tree(rows, drawn, gradient, hessian, rng)
            for leaf in grown.finalized_leaves:
                raw[leaf.sample_indices] += np.float32(leaf.value)
            edges = [rows.edges[column] for column in drawn]
            nodes = grown.make_predictor(binning_thresholds=edges).nodes
            nodes["feature_idx"] = drawn[nodes["feature_idx"]]
            trees.append(nodes)
        return trees, baseline

    def _tree(
        self,
        rows: Binned,
        drawn: NDArray[np.int64],
        gradient: Floats,
        hessian: Floats,
        rng: np.random.Generator,
    ) -> TreeGrower:
        bins = rows.bins[: len(gradient), drawn]
        grower = TreeGrower(
            bins,
            gradient,
            hessian,
            n_bins=MAX_BINS + 1,
            n_bins_non_missing=[len(rows.edges[column]) + 1 for column in drawn],
            has_missing_values=(bins == MISSING).any(axis=0).astype(np.uint8),
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.min_leaf,
            l2_regularization=self.l2,
            feature_fraction_per_split=self.columns_a_split,
            rng=rng,
            shrinkage=self.learning_rate,
            n_threads=1,
        )
        grower.grow()
        return grower
