"""Implicit matrix factorisation by alternating least squares (Hu, Koren and Volinsky 2008).

Few dimensions say of everything that a customer might buy, also of what was never bought together:
the other view beside EASE, which says most where much was bought together. What was not bought
counts as a weak no, what was bought on many days as a strong yes. Factors of targets are learned
from MAX_CUSTOMERS at most; everybody is then placed among them by one more least-squares step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from scoring.history import LevelView
from scoring.models import Arrays, Floats, Ints
from scoring.models.lookup import dots
from scoring.models.support import log_vectors, supported_targets

RANK = 32
CONFIDENCE = 5.0  # what log(1 + purchase days) adds to the weight of a yes; a no weighs 1
REGULARIZATION = 10.0
ITERATIONS = 6
MAX_CUSTOMERS = 25_000  # more teach nothing new to a model of so few dimensions
CHUNK = 2048  # rows solved at once


@dataclass(frozen=True)
class Factors:
    """``customer``: float32[n_customers, RANK]; ``target``: float32[n_supported, RANK];
    ``position``: int32[n_targets], row in ``target`` or -1."""

    customer: Floats
    target: Floats
    position: Ints

    features = ("factors",)

    @classmethod
    def fit(cls, view: LevelView, *, max_targets: int = 4000, min_buyers: int = 5) -> Self:
        """Takes the ``max_targets`` targets with most buyers, each with ``min_buyers`` at least."""
        position = supported_targets(view, min_buyers, max_targets)
        width = int(position.max(initial=-1)) + 1
        bought = log_vectors(view, position, view.days)
        rng = np.random.default_rng(0)
        rows = np.flatnonzero(np.diff(bought.indptr))
        if len(rows) > MAX_CUSTOMERS:
            rows = np.sort(rng.choice(rows, MAX_CUSTOMERS, replace=False))
        some = bought[rows]
        turned = sp.csr_array(some.T)
        target = rng.normal(0.0, 0.1, (width, RANK)).astype(np.float32)
        for _ in range(ITERATIONS if width else 0):
            target = _solved(turned, _solved(some, target))
        return cls(_solved(bought, target), target, position)

    def describe(self, customer: Ints, target: Ints) -> Floats:
        """NaN for targets with too few buyers."""
        return dots(self.customer, customer, self.target, self.position[target])

    def arrays(self) -> dict[str, NDArray]:
        return {"customer": self.customer, "target": self.target, "position": self.position}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        return cls(arrays["customer"], arrays["target"], arrays["position"])


def _solved(bought: sp.csr_array, other: Floats) -> Floats:
    """float32[rows, RANK]: each row's factors, given those of its columns.

    The normal equations of a row are those of a row without purchases, plus what each purchase
    adds: an outer product of the column's factors, of which the upper triangle is enough.
    """
    upper = np.triu_indices(RANK)
    outer = other[:, upper[0]] * other[:, upper[1]]
    nothing = other.T @ other + REGULARIZATION * np.eye(RANK, dtype=np.float32)
    out = np.zeros((bought.shape[0], RANK), dtype=np.float32)
    for begin in range(0, bought.shape[0], CHUNK):
        added = CONFIDENCE * bought[begin : begin + CHUNK]
        left = np.empty((added.shape[0], RANK, RANK), dtype=np.float32)
        triangle = nothing[upper] + added @ outer
        left[:, upper[0], upper[1]] = triangle
        left[:, upper[1], upper[0]] = triangle
        added.data += 1.0  # the weight of a yes, whose value is 1
        out[begin : begin + CHUNK] = np.linalg.solve(left, (added @ other)[:, :, None])[:, :, 0]
    return out
