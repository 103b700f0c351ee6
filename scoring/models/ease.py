"""EASE: a linear item-to-item model in closed form (Steck 2019, "Embarrassingly Shallow").

The input vectors are decayed purchase days, log-scaled, so that what a customer buys now weighs
more. The weight matrix of the supported targets is cut to the strongest weights and kept sparse.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from scoring.history import LevelView
from scoring.models import Arrays, Floats, Ints
from scoring.models.linear import described
from scoring.models.support import log_vectors, supported_targets

HALF_LIFE_DAYS = 90.0
RIDGE = 1 / 200  # of the trace of the Gram matrix: more targets need a stronger one
CHUNK = 512  # customers scored at once: dense scores stay small


@dataclass(frozen=True)
class Ease:
    """``vectors``: CSR float32[n_customers, n_supported]; ``weights``: CSR float32[n_supported,
    n_supported]; ``position``: int32[n_targets], row in ``weights`` or -1."""

    vectors: sp.csr_array
    weights: sp.csr_array
    position: Ints

    features = ("ease",)

    @classmethod
    def fit(
        cls,
        view: LevelView,
        *,
        max_targets: int = 1200,
        min_buyers: int = 5,
        kept: int = 200,
    ) -> Self:
        """Takes the ``max_targets`` targets with most buyers, each with ``min_buyers`` at least."""
        position = supported_targets(view, min_buyers, max_targets)
        width = int(position.max(initial=-1)) + 1
        vectors = log_vectors(view, position, view.decayed(HALF_LIFE_DAYS))
        if width == 0:
            return cls(vectors, sp.csr_array((0, 0), dtype=np.float32), position)
        gram = (vectors.T @ vectors).toarray().astype(np.float64)
        gram[np.diag_indices_from(gram)] += max(np.trace(gram) * RIDGE, 1e-9)
        inverse = np.linalg.inv(gram)
        weights = -inverse / np.diag(inverse)
        np.fill_diagonal(weights, 0.0)
        return cls(vectors, strongest(weights.astype(np.float32), kept), position)

    def describe(self, customer: Ints, target: Ints) -> Floats:
        return described(self.vectors, self._columns, self.position, customer, target)

    def propose(self, limit: int, n_customers: int) -> tuple[Ints, Ints]:
        """(customer, target): the ``limit`` best scored targets of each customer."""
        return propose_best(self.vectors, self.weights, self.position, limit, n_customers)

    @functools.cached_property
    def _columns(self) -> sp.csc_array:
        return self.weights.tocsc()

    def arrays(self) -> dict[str, NDArray]:
        return {
            "position": self.position,
            **pack("vectors", self.vectors),
            **pack("weights", self.weights),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        return cls(unpack("vectors", arrays), unpack("weights", arrays), arrays["position"])


def strongest(weights: NDArray[np.float32], kept: int) -> sp.csr_array:
    """The ``kept`` largest absolute weights of each column, as CSR."""
    if weights.shape[0] > kept:
        rank = np.argpartition(-np.abs(weights), kept, axis=0)[kept:]
        np.put_along_axis(weights, rank, 0.0, axis=0)
    return sp.csr_array(weights)


def propose_best(
    vectors: sp.csr_array,
    weights: sp.csr_array | NDArray,
    position: Ints,
    limit: int,
    n_customers: int,
) -> tuple[Ints, Ints]:
    """(customer, target) of the ``limit`` highest positive scores of each customer."""
    targets = np.flatnonzero(position >= 0).astype(np.int32)
    customers, chosen = [], []
    for begin in range(0, n_customers if len(targets) else 0, CHUNK):
        product = vectors[begin : begin + CHUNK] @ weights
        scores = product.toarray() if sp.issparse(product) else product
        limit_here = min(limit, scores.shape[1])
        best = np.argpartition(-scores, limit_here - 1, axis=1)[:, :limit_here]
        best.sort(axis=1)
        rows = np.repeat(np.arange(len(scores)), limit_here)
        positive = scores[rows, best.ravel()] > 0
        customers.append((rows[positive] + begin).astype(np.int32))
        chosen.append(targets[best.ravel()[positive]])
    if not customers:
        return np.zeros(0, np.int32), np.zeros(0, np.int32)
    return np.concatenate(customers), np.concatenate(chosen)


def pack(name: str, matrix: sp.csr_array) -> dict[str, NDArray]:
    return {
        f"{name}_data": matrix.data,
        f"{name}_indices": matrix.indices,
        f"{name}_indptr": matrix.indptr,
        f"{name}_shape": np.array(matrix.shape, dtype=np.int64),
    }


def unpack(name: str, arrays: Arrays) -> sp.csr_array:
    parts = tuple(arrays[f"{name}_{part}"] for part in ("data", "indices", "indptr"))
    return sp.csr_array(parts, shape=tuple(int(n) for n in arrays[f"{name}_shape"]))
