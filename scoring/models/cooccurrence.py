"""Item-to-item co-occurrence: what the same customers buy.

Scores are cosine similarities shrunk towards 0 for rare pairs (Deshpande and Karypis 2004): rare
coincidences must not look like strong relations.
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
from scoring.models.ease import decayed_vectors, pack, propose_best, unpack
from scoring.models.linear import described
from scoring.models.support import supported_targets

HALF_LIFE_DAYS = 90.0
SHRINKAGE = 10.0
BLOCK = 256  # columns of the similarity matrix that are dense at once


@dataclass(frozen=True)
class Cooccurrence:
    """``similar``: CSR float32[n_supported, n_supported], column j holds the neighbours of j;
    ``vectors``: CSR float32[n_customers, n_supported]; ``position``: int32[n_targets] or -1."""

    vectors: sp.csr_array
    similar: sp.csr_array
    position: Ints

    features = ("neighbours",)

    @classmethod
    def fit(
        cls, view: LevelView, *, min_buyers: int = 5, max_targets: int = 6000, neighbours: int = 50
    ) -> Self:
        position = supported_targets(view, min_buyers, max_targets)
        width = int(position.max(initial=-1)) + 1
        vectors = decayed_vectors(view, position, width, HALF_LIFE_DAYS)
        unit = sp.csr_array(vectors.multiply(1.0 / np.maximum(_norms(vectors, 1), 1e-9)[:, None]))
        return cls(vectors, cosine_neighbours(unit, neighbours), position)

    def describe(self, customer: Ints, target: Ints) -> Floats:
        return described(self.vectors, (self._columns,), self.position, customer, target)

    def propose(self, limit: int, n_customers: int) -> tuple[Ints, Ints]:
        return propose_best(self.vectors, self.similar, self.position, limit, n_customers)

    @functools.cached_property
    def _columns(self) -> sp.csc_array:
        return self.similar.tocsc()

    def arrays(self) -> dict[str, NDArray]:
        return {
            "position": self.position,
            **pack("vectors", self.vectors),
            **pack("similar", self.similar),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        return cls(unpack("vectors", arrays), unpack("similar", arrays), arrays["position"])


def cosine_neighbours(rows: sp.csr_array, neighbours: int) -> sp.csr_array:
    """CSR float32[n, n]: each column's ``neighbours`` largest shrunk cosines, never itself."""
    n = rows.shape[1]
    norm = np.maximum(_norms(rows, 0), 1e-9).astype(np.float32)
    support = np.bincount(rows.indices, minlength=n).astype(np.float32)
    transposed, rows = sp.csr_array(rows.T), sp.csr_array(rows)
    parts = []
    for begin in range(0, n, BLOCK):
        block = (transposed[begin : begin + BLOCK] @ rows).toarray()
        own = np.arange(begin, begin + len(block))
        block[np.arange(len(block)), own] = 0.0
        less = np.minimum(support[own][:, None], support)
        block *= less / ((less + SHRINKAGE) * norm[own][:, None] * norm)
        parts.append(_largest(block, neighbours))
    if not parts:
        return sp.csr_array((n, n), dtype=np.float32)
    return sp.csr_array(sp.vstack(parts, format="csr").T)


def _largest(block: NDArray[np.float32], kept: int) -> sp.csr_array:
    """The ``kept`` largest values of each row."""
    if block.shape[1] <= kept:
        return sp.csr_array(block)
    column = np.argpartition(-block, kept, axis=1)[:, :kept]
    column.sort(axis=1)
    value = np.take_along_axis(block, column, axis=1).ravel()
    row = np.repeat(np.arange(len(block)), kept)
    keep = value > 0
    index = (row[keep], column.ravel()[keep])
    return sp.csr_array((value[keep], index), shape=block.shape)


def _norms(matrix: sp.csr_array, axis: int) -> NDArray[np.float64]:
    return np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=axis))).ravel()
