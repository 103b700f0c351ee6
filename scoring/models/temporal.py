"""Temporal ridge: what customers bought before a day, regressed on what they bought in the days
after it; the pairs (before, after) come from several past windows.

Where EASE (Steck 2019) asks what stands together in a history, this asks what comes next: the
label is the purchase in the following window. Inputs are decayed purchases of the level and of the
levels beside it, what was looked at, visits and profile, so that a customer who never bought
the target is judged by everything else. Two more answers go through few dimensions only
(reduced-rank regression, Izenman 1975), which say more where purchases are rare.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from scoring.history import History
from scoring.models import Arrays, Floats, Ints
from scoring.models.ease import pack, propose_best, unpack
from scoring.models.lessons import Inputs, Lessons
from scoring.models.linear import described
from scoring.models.lookup import dots

RIDGE = 1 / 3  # of the trace of the Gram matrix over the root of the rows: more rows, more trust
RANK = 32
BROAD_RANK, BROAD_RIDGE = 16, 1 / 9
MAX_BESIDE = 300  # targets of each other level that describe the customer


@dataclass(frozen=True)
class Temporal:
    """``vectors``: CSR float32[n_customers, p]; ``weights``: float32[p, n_supported];
    ``customer``: float32[n_customers, RANK + BROAD_RANK] and ``target``: float32[n_supported,
    likewise], the factors of the answers of reduced rank, one beside the other; ``position``:
    int32[n_targets], column of each target or -1."""

    vectors: sp.csr_array
    weights: Floats
    customer: Floats
    target: Floats
    position: Ints

    features = ("next_window", "low_rank", "broad")

    @classmethod
    def fit(
        cls,
        history: History,
        level: str,
        cutoff: int,
        window_days: int,
        *,
        lessons: Lessons | None = None,
        beside: Sequence[str] = (),
        max_targets: int = 800,
        min_buyers: int = 5,
    ) -> Self:
        """Learns from windows of ``window_days`` that end before ``cutoff`` (hours).

        ``lessons``: what earlier cut-offs of the level have learned, which saves learning it anew;
        ``beside``: other levels whose purchases describe the customer too.
        """
        limits = {level: max_targets} | dict.fromkeys(beside, MAX_BESIDE)
        inputs = Inputs.of(history, limits, cutoff, min_buyers)
        vectors = inputs.at(0)[:, np.flatnonzero(inputs.used)]
        position = np.full(history.catalogue.size(level), -1, dtype=np.int32)
        position[inputs.foretold] = np.arange(len(inputs.foretold), dtype=np.int32)
        lesson = (lessons or Lessons()).sums(inputs, window_days)
        if lesson is None:
            width = int(position.max(initial=-1)) + 1
            weights = np.full((vectors.shape[1], width), np.nan, dtype=np.float32)
            nobody = np.zeros((vectors.shape[0], RANK + BROAD_RANK), dtype=np.float32)
            nothing = np.full((width, RANK + BROAD_RANK), np.nan, dtype=np.float32)
            return cls(vectors, weights, nobody, nothing, position)
        gram, moments = lesson.gram[:-1, :-1], lesson.moments[:-1, :-1]
        share = np.trace(gram) / np.sqrt(lesson.rows)
        weights = _ridge(gram, moments, RIDGE * share)
        broad = _ridge(gram, moments, BROAD_RIDGE * share)
        left, right = zip(
            _factors(weights, moments, RANK), _factors(broad, moments, BROAD_RANK), strict=True
        )
        customer = vectors @ np.concatenate(left, axis=1)
        return cls(vectors, weights, customer, np.concatenate(right, axis=1), position)

    def describe(self, customer: Ints, target: Ints) -> Floats:
        """NaN for targets with too few buyers, and where no window was there to learn from."""
        whole = described(self.vectors, self.weights, self.position, customer, target)
        place, answers = self.position[target], (slice(0, RANK), slice(RANK, None))
        reduced = dots(self.customer, customer, self.target, place, answers)
        return np.concatenate([whole, reduced], axis=1)

    def propose(self, limit: int, n_customers: int) -> tuple[Ints, Ints]:
        """(customer, target): the ``limit`` best scored targets of each customer."""
        weights = np.nan_to_num(self.weights)
        return propose_best(self.vectors, weights, self.position, limit, n_customers)

    def arrays(self) -> dict[str, NDArray]:
        return {
            "weights": self.weights,
            "customer": self.customer,
            "target": self.target,
            "position": self.position,
            **pack("vectors", self.vectors),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        names = ("weights", "customer", "target", "position")
        return cls(unpack("vectors", arrays), *(arrays[name] for name in names))


def _ridge(gram: Floats, moments: Floats, ridge: float) -> Floats:
    """float32[p, n_supported]; ``gram``: its upper triangle counts."""
    penalised = gram.copy(order="F")
    penalised[np.diag_indices_from(penalised)] += max(ridge, 1e-6)
    return np.asarray(cho_solve(cho_factor(penalised, overwrite_a=True), moments))


def _factors(weights: Floats, moments: Floats, rank: int) -> tuple[Floats, Floats]:
    """(float32[p, rank], float32[n_supported, rank]), whose product is ``weights`` projected onto
    the ``rank`` strongest directions of what they predict; zeros where there are fewer.

    Targets are scaled by the root of their label weight first, lest the best sellers fill all.
    """
    scale = np.sqrt(np.maximum(np.abs(moments).max(axis=0), 1e-9))
    predicted = (weights / scale).T @ (moments / scale)
    _, vectors = np.linalg.eigh((predicted + predicted.T) / 2)
    strongest = np.zeros((weights.shape[1], rank), dtype=np.float32)
    found = vectors[:, -rank:]
    strongest[:, : found.shape[1]] = found
    return (weights / scale) @ strongest, strongest * scale[:, None]
