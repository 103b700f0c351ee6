"""Temporal ridge: what customers bought before a day, regressed on what they bought in the days
after it; the pairs (before, after) come from several past windows.

Where EASE (Steck 2019) asks what stands together in a history, this asks what comes next: the
label is the purchase in the following window. Inputs are decayed purchases of the level and of the
levels beside it, what was looked at, visits and profile, so that a customer who never bought
the target is judged by everything else. A second answer goes through few dimensions only
(reduced-rank regression, Izenman 1975), which says more where purchases are rare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.blas import ssyrk

from scoring.history import BOUGHT, ENGAGED, History, LevelView, distinct
from scoring.models import Arrays, Floats, Ints
from scoring.models.ease import decayed_vectors, described, pack, propose_best, unpack
from scoring.models.support import supported_targets

WINDOWS = 6  # past windows that labels come from
RHYTHMS = (4.0, 24.0)  # half-lives, in usual days between two visits
VISIT_HALF_LIVES_DAYS = (7.0, 30.0, 120.0)
RIDGE = 1 / 250  # of the trace of the Gram matrix
RANK = 32
MAX_BESIDE = 300  # targets of each other level that describe the customer
MAX_CUSTOMERS = 25_000  # more teach nothing new to a linear model of this size
MIN_CUSTOMERS = 30  # a window known of fewer is no lesson


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
        beside: Sequence[str] = (),
        max_targets: int = 800,
        min_buyers: int = 5,
    ) -> Self:
        """Learns from windows of ``horizon_days`` that end before ``cutoff`` (hours).

        ``beside``: other levels whose purchases describe the customer too.
        """
        limits = {level: max_targets} | dict.fromkeys(beside, MAX_BESIDE)
        inputs = _Inputs.of(history, limits, cutoff, min_buyers)
        position = inputs.positions[level]
        vectors = inputs.at(0)
        view = inputs.views[level, BOUGHT]
        normal = _normal_equations(inputs, view, position, horizon_days)
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


@dataclass(frozen=True)
class _Inputs:
    """What describes a customer: ``positions[level]`` maps targets to columns."""

    history: History
    views: Mapping[tuple[str, int], LevelView]
    visits: LevelView
    positions: Mapping[str, Ints]
    half_lives: tuple[float, ...]

    @classmethod
    def of(cls, history: History, limits: Mapping[str, int], cutoff: int, min_buyers: int) -> Self:
        kinds = [BOUGHT, ENGAGED] if (history.kind == ENGAGED).any() else [BOUGHT]
        views = {(lv, kind): history.view(lv, cutoff, kind) for lv in limits for kind in kinds}
        positions = {
            lv: supported_targets(views[lv, BOUGHT], min_buyers, most)
            for lv, most in limits.items()
        }
        visits = history.visits(cutoff)
        rhythm = usual_gap_days(visits)
        return cls(history, views, visits, positions, tuple(r * rhythm for r in RHYTHMS))

    def known(self, days: int) -> NDArray[np.bool_]:
        """bool[n_customers]: bought something more than ``days`` before the cut-off."""
        known = np.zeros(self.history.n_customers, dtype=bool)
        known[self.visits.customer[self.visits.age >= days]] = True
        return known

    def at(self, days: int) -> sp.csr_array:
        """CSR float32[n_customers, p]: everyone as of ``days`` before the cut-off."""
        n = self.history.n_customers
        parts = []
        own = next(iter(self.positions))
        for (level, kind), view in self.views.items():
            position = self.positions[level]
            width = int(position.max(initial=-1)) + 1
            then = view.before(days)
            short, long = self.half_lives
            lives = (short,) if kind == ENGAGED else (short, long) if level == own else (long,)
            parts += [decayed_vectors(then, position, width, life) for life in lives]
        bought = sp.csr_array(sp.hstack(parts, format="csr"))
        norm = np.sqrt(np.asarray(bought.multiply(bought).sum(axis=1)).ravel())
        # half way to unit vectors: a large basket says less about each thing in it
        tempered = bought.multiply(1.0 / np.sqrt(np.maximum(norm, 1e-6))[:, None])
        then = self.visits.before(days)
        columns = [np.ones(n)]
        for life in VISIT_HALF_LIVES_DAYS:
            weight = np.exp2(-then.age / life)
            columns.append(np.log1p(np.bincount(then.customer, weights=weight, minlength=n)))
        index = (self.history.profile_customer, self.history.profile_feature)
        ones = np.ones(len(index[0]), dtype=np.float32)
        profile = sp.csr_array((ones, index), shape=(n, len(self.history.profile_names)))
        whole = [tempered, sp.csr_array(np.column_stack(columns)), profile]
        return sp.csr_array(sp.hstack(whole, format="csr"), dtype=np.float32)


def usual_gap_days(visits: LevelView) -> float:
    """Median days between two visits of one customer, 1 … 60; 7 when nobody came twice."""
    same = visits.customer[1:] == visits.customer[:-1]
    gaps = (visits.age[1:] - visits.age[:-1])[same]
    return float(np.clip(np.median(gaps), 1.0, 60.0)) if len(gaps) else 7.0


def _normal_equations(
    inputs: _Inputs, view: LevelView, position: Ints, horizon_days: int
) -> tuple[Floats, Floats] | None:
    """(X'X, X'Y) summed over the past windows; None without any window to learn from."""
    width = int(position.max(initial=-1)) + 1
    total: tuple[NDArray, NDArray] | None = None
    rng = np.random.default_rng(0)
    for window in range(1, WINDOWS + 1):
        days = window * horizon_days
        rows = np.flatnonzero(inputs.known(days))
        if width == 0 or len(rows) < MIN_CUSTOMERS:
            break
        if len(rows) > MAX_CUSTOMERS:
            rows = np.sort(rng.choice(rows, MAX_CUSTOMERS, replace=False))
        x = inputs.at(days)[rows]
        y = _bought_within(view, position, days - horizon_days, days)[rows]
        parts = (_gram(x), (x.T @ y).toarray())
        total = parts if total is None else (total[0] + parts[0], total[1] + parts[1])
    return total


def _bought_within(view: LevelView, position: Ints, newest: int, oldest: int) -> sp.csr_array:
    """CSR float32[n_customers, n_supported]: 1 where bought newest ≤ age < oldest days ago."""
    width = int(position.max(initial=-1)) + 1
    inside = (view.age >= newest) & (view.age < oldest)
    column = position[view.target[inside]]
    has = column >= 0
    key = distinct(view.customer[inside][has].astype(np.int64) * width + column[has])
    ones = np.ones(len(key), dtype=np.float32)
    return sp.csr_array((ones, (key // width, key % width)), shape=(view.n_customers, width))


def _gram(x: sp.csr_array) -> NDArray[np.float32]:
    """X'X (its upper triangle); by blocks of rows where that is less work than by entries."""
    entries = np.diff(x.indptr).astype(np.float64)
    if (entries**2).sum() * 40 < x.shape[0] * float(x.shape[1]) ** 2:
        return (x.T @ x).toarray()
    out = np.zeros((x.shape[1], x.shape[1]), dtype=np.float32, order="F")
    for begin in range(0, x.shape[0], 4096):
        block = x[begin : begin + 4096].toarray()
        out = ssyrk(1.0, block.T, beta=1.0, c=out, overwrite_c=True)
    return out


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
