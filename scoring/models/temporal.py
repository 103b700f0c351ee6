"""Temporal ridge: what customers bought before a day, regressed on what they bought in the days
after it; the pairs (before, after) come from several past windows.

Where EASE (Steck 2019) asks what stands together in a history, this asks what comes next: the
label is the purchase in the following window. Inputs are decayed purchases of the level and of the
levels beside it, what was looked at, visits and profile, so that a customer who never bought
the target is judged by everything else. A second answer goes through few dimensions only
(reduced-rank regression, Izenman 1975), which says more where purchases are rare.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from scoring.history import BOUGHT, History
from scoring.models import Arrays, Floats, Ints
from scoring.models.ease import described, pack, propose_best, unpack
from scoring.models.lessons import Inputs, Lessons
from scoring.models.support import supported_targets

RIDGE = 1 / 250  # of the trace of the Gram matrix
RANK = 32
MAX_BESIDE = 300  # targets of each other level that describe the customer


@dataclass(frozen=True)
class Temporal:
    """``vectors``: CSR float32[n_customers, p]; ``weights``: float32[p, n_supported] and
    ``low_rank``: float32[p, n_supported], the same of reduced rank; ``position``:
    int32[n_targets], column of each target or -1."""

    vectors: sp.csr_array
    weights: Floats
    low_rank: Floats
    position: Ints

    features = ("next_window", "low_rank")

    @classmethod
    def fit(
        cls,
        history: History,
        level: str,
        cutoff: int,
        horizon_days: int,
        *,
        lessons: Lessons | None = None,
        beside: Sequence[str] = (),
        max_targets: int = 800,
        min_buyers: int = 5,
    ) -> Self:
        """Learns from windows of ``horizon_days`` that end before ``cutoff`` (hours).

        ``lessons``: what earlier cut-offs of the level have learned, which saves learning it anew;
        ``beside``: other levels whose purchases describe the customer too.
        """
        limits = {level: max_targets} | dict.fromkeys(beside, MAX_BESIDE)
        inputs = Inputs.of(history, limits, cutoff, min_buyers)
        vectors = inputs.at(0)[:, np.flatnonzero(inputs.used)]
        position = supported_targets(inputs.views[level, BOUGHT], min_buyers, max_targets)
        normal = (lessons or Lessons()).sums(inputs, horizon_days)
        if normal is None:
            nothing = np.full((vectors.shape[1], int(position.max(initial=-1)) + 1), np.nan)
            return cls(vectors, nothing.astype(np.float32), nothing.astype(np.float32), position)
        gram, moments = normal
        gram[np.diag_indices_from(gram)] += max(np.trace(gram) * RIDGE, 1e-6)
        weights = cho_solve(cho_factor(gram, overwrite_a=True), moments)
        reduced = _reduced(weights, moments, RANK)
        return cls(vectors, weights, reduced, position)

    def describe(self, customer: Ints, target: Ints) -> Floats:
        """NaN for targets with too few buyers, and where no window was there to learn from."""
        both = (self.weights, self.low_rank)
        return described(self.vectors, both, self.position, customer, target)

    def propose(self, limit: int, n_customers: int) -> tuple[Ints, Ints]:
        """(customer, target): the ``limit`` best scored targets of each customer."""
        weights = np.nan_to_num(self.weights)
        return propose_best(self.vectors, weights, self.position, limit, n_customers)

    def arrays(self) -> dict[str, NDArray]:
        return {
            "weights": self.weights,
            "low_rank": self.low_rank,
            "position": self.position,
            **pack("vectors", self.vectors),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        names = ("weights", "low_rank", "position")
        return cls(unpack("vectors", arrays), *(arrays[name] for name in names))


def _reduced(weights: Floats, moments: Floats, rank: int) -> Floats:
    """The weights projected onto the ``rank`` strongest directions of what they predict.

    Targets are scaled by the root of their label weight first, lest the best sellers fill all.
    """
    if weights.shape[1] <= rank:
        return weights
    scale = np.sqrt(np.maximum(np.abs(moments).max(axis=0), 1e-9))
    predicted = (weights / scale).T @ (moments / scale)
    _, vectors = np.linalg.eigh((predicted + predicted.T) / 2)
    strongest = vectors[:, -rank:]
    return (weights / scale) @ strongest @ strongest.T * scale
