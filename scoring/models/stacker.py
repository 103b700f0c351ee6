"""The pooled stacker: boosted trees turn a pair's description into a probability.

One model serves all targets of a level: it has never seen which target it judges, only how the
customer and the target stand to each other. Log loss on samples weighted by what they stand for
keeps the output a probability.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE

from scoring.models import Arrays, Floats
from scoring.models.boosting import Binned, Boosting
from scoring.models.leaves import Leaves
from scoring.models.parts import Part


@dataclass(frozen=True)
class Stacker:
    """``nodes``: the trees' node arrays one after another; ``tree_start``: int64[n_trees + 1];
    ``baseline``: log-odds before the first tree."""

    nodes: NDArray
    tree_start: NDArray[np.int64]
    baseline: float

    @classmethod
    def fit(
        cls,
        x: Floats | Binned,
        y: NDArray[np.bool_],
        weight: Floats,
        *,
        seed: int,
        iterations: int = 100,
        learning_rate: float = 0.06,
    ) -> Self:
        """``x``: float32[n, k], or binned rows, of which the first n are learned from; ``y``:
        bool[n]; ``weight``: float32[n], pairs a row stands for."""
        if len(y) == 0 or y.all() or not y.any():
            share = float(np.average(y, weights=weight)) if len(y) else 0.0
            return cls.constant(share)
        boosting = Boosting(
            iterations=iterations,
            learning_rate=learning_rate,
            leaves=15,
            min_leaf=min(max(20, len(y) // 1000), 300),
            l2=20.0,
            columns=0.5,
            columns_a_split=0.8,
            seed=seed,
        )
        rows = x if isinstance(x, Binned) else Binned.of(x)
        trees, baseline = boosting.fit(rows, y, weight)
        start = np.cumsum([0] + [len(nodes) for nodes in trees])
        return cls(np.concatenate(trees), start.astype(np.int64), baseline)

    @classmethod
    def constant(cls, share: float) -> Self:
        """A stacker that always answers ``share``: there was nothing to learn from."""
        share = min(max(share, 1e-6), 1 - 1e-6)
        nodes = np.zeros(0, dtype=PREDICTOR_RECORD_DTYPE)
        return cls(nodes, np.zeros(1, dtype=np.int64), float(np.log(share / (1 - share))))

    def probability(self, x: Floats) -> Floats:
        """float32[n] in (0, 1)."""
        return self.of_parts([Part(x)], len(x))

    def of_parts(self, parts: Sequence[Part], n: int) -> Floats:
        """The same of ``n`` rows that are described in parts."""
        return expit(self._leaves.raw(parts, n)).astype(np.float32)

    @functools.cached_property
    def _leaves(self) -> Leaves:
        return Leaves.of(self.nodes, self.tree_start, self.baseline)

    def arrays(self) -> dict[str, NDArray]:
        return {
            "nodes": self.nodes,
            "tree_start": self.tree_start,
            "baseline": np.array(self.baseline),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        return cls(arrays["nodes"], arrays["tree_start"], float(arrays["baseline"]))
