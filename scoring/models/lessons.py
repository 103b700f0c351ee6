"""What past windows teach the temporal ridge: who had bought what before a day (X) and what in the
window after it (Y), summed up as X'X and X'Y.

Cut-offs that lie a window apart share all of their past windows but the newest, so their sum is
kept and each window is added once. A target that is new among the best sellers was hardly sold in
the windows before; where these are FEW, all are summed up anew for it. A lesson knows nothing after
the cut-off at which it was learned, which is never later than the one at which it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg.blas import ssyrk

from scoring.history import BOUGHT, ENGAGED, History, LevelView, distinct
from scoring.models import Floats, Ints
from scoring.models.lookup import places
from scoring.models.support import log_vectors, supported_targets

WINDOWS = 20  # past windows that labels come from, at the first cut-off
FEW = 6  # windows that are soon summed up anew, and of which a young shop has no more
RHYTHMS = (4.0, 24.0)  # half-lives, in usual days between two visits
VISIT_HALF_LIVES_DAYS = (7.0, 30.0, 120.0)
MAX_CUSTOMERS = 25_000  # more teach nothing new to a linear model of this size
MIN_CUSTOMERS = 30  # a window known of fewer is no lesson
SPARE = 4  # one more target for so many is summed up: later cut-offs have other best sellers
BY_ENTRIES = 150  # so much longer takes a product of two entries alone than one in a dense block


@dataclass(frozen=True)
class Inputs:
    """What describes a customer at a cut-off (hours). ``targets[level]``: int64, rising, those that
    are columns; ``chosen[level]``: bool, which of them the model of this cut-off uses."""

    history: History
    cutoff: int
    views: Mapping[tuple[str, int], LevelView]
    visits: LevelView
    positions: Mapping[str, Ints]
    targets: Mapping[str, NDArray[np.int64]]
    chosen: Mapping[str, NDArray[np.bool_]]
    half_lives: tuple[float, ...]

    @classmethod
    def of(cls, history: History, limits: Mapping[str, int], cutoff: int, min_buyers: int) -> Self:
        """``limits``: how many targets of each level are used, the own level first."""
        kinds = [BOUGHT, ENGAGED] if (history.kind == ENGAGED).any() else [BOUGHT]
        views = {(lv, kind): history.view(lv, cutoff, kind) for lv in limits for kind in kinds}
        positions, targets, chosen = {}, {}, {}
        for level, most in limits.items():
            view = views[level, BOUGHT]
            positions[level] = supported_targets(view, min_buyers, most + -(-most // SPARE))
            targets[level] = np.flatnonzero(positions[level] >= 0)
            chosen[level] = supported_targets(view, min_buyers, most)[targets[level]] >= 0
        visits = history.visits(cutoff)
        rhythm = usual_gap_days(visits)
        half_lives = tuple(r * rhythm for r in RHYTHMS)
        return cls(history, cutoff, views, visits, positions, targets, chosen, half_lives)

    @property
    def own(self) -> str:
        """The level whose targets are foretold."""
        return next(iter(self.positions))

    @property
    def foretold(self) -> NDArray[np.int64]:
        """int64[w], rising: the targets of the own level that the model of this cut-off uses."""
        return self.targets[self.own][self.chosen[self.own]]

    @property
    def blocks(self) -> list[tuple[str, int, float]]:
        """(level, kind, half-life) of neighbouring columns."""
        short, long = self.half_lives
        found = []
        for level, kind in self.views:
            lives = (short,) if kind == ENGAGED else (long,) if level != self.own else (short, long)
            found += [(level, kind, life) for life in lives]
        return found

    @property
    def keys(self) -> NDArray[np.int64]:
        """int64[p], rising: what each column is, in the same numbers at every cut-off."""
        extra = 1 + len(VISIT_HALF_LIVES_DAYS) + len(self.history.profile_names)
        size = max([extra, *(view.n_targets for view in self.views.values())])
        parts = [size * n + self.targets[level] for n, (level, *_) in enumerate(self.blocks)]
        return np.concatenate([*parts, size * len(parts) + np.arange(extra)])

    @property
    def used(self) -> NDArray[np.bool_]:
        """bool[p]: the columns that the model of this cut-off uses."""
        used = np.ones(len(self.keys), dtype=bool)
        parts = [self.chosen[level] for level, *_ in self.blocks]
        bought = np.concatenate(parts)
        used[: len(bought)] = bought
        return used

    def at(self, days: int) -> sp.csr_array:
        """CSR float32[n_customers, p]: everyone as of ``days`` before the cut-off."""
        n = self.history.n_customers
        then = {key: view.before(days) for key, view in self.views.items()}
        parts = [
            log_vectors(then[lv, kind], self.positions[lv], then[lv, kind].decayed(life))
            for lv, kind, life in self.blocks
        ]
        bought = sp.csr_array(sp.hstack(parts, format="csr"))
        norm = np.sqrt(np.asarray(bought.multiply(bought).sum(axis=1)).ravel())
        # half way to unit vectors: a large basket says less about each thing in it
        tempered = bought.multiply(1.0 / np.sqrt(np.maximum(norm, 1e-6))[:, None])
        visits = self.visits.before(days)
        columns = [np.ones(n)]
        for life in VISIT_HALF_LIVES_DAYS:
            weight = np.exp2(-visits.age / life)
            columns.append(np.log1p(np.bincount(visits.customer, weights=weight, minlength=n)))
        index = (self.history.profile_customer, self.history.profile_feature)
        ones = np.ones(len(index[0]), dtype=np.float32)
        profile = sp.csr_array((ones, index), shape=(n, len(self.history.profile_names)))
        whole = [tempered, sp.csr_array(np.column_stack(columns)), profile]
        return sp.csr_array(sp.hstack(whole, format="csr"), dtype=np.float32)

    def known(self, days: int) -> NDArray[np.bool_]:
        """bool[n_customers]: bought something more than ``days`` before the cut-off."""
        known = np.zeros(self.history.n_customers, dtype=bool)
        known[self.visits.customer[self.visits.age >= days]] = True
        return known

    def bought_within(self, newest: int, oldest: int) -> sp.csr_array:
        """CSR float32[n_customers, own targets]: 1 where bought newest ≤ age < oldest days ago."""
        view, width = self.views[self.own, BOUGHT], len(self.targets[self.own])
        inside = (view.age >= newest) & (view.age < oldest)
        column = self.positions[self.own][view.target[inside]]
        has = column >= 0
        key = distinct(view.customer[inside][has].astype(np.int64) * width + column[has])
        ones = np.ones(len(key), dtype=np.float32)
        return sp.csr_array((ones, (key // width, key % width)), shape=(view.n_customers, width))


@dataclass(frozen=True)
class Lesson:
    """One window or several. ``keys``: as in Inputs; ``targets``: int64[w], those of the own level;
    ``gram``: float32[p + 1, p + 1], the upper triangle of X'X; ``moments``: float32[p + 1, w + 1],
    X'Y; the last row and column of both are 0; ``rows``: of X."""

    keys: NDArray[np.int64]
    targets: NDArray[np.int64]
    gram: Floats
    moments: Floats
    rows: int

    @classmethod
    def of(cls, inputs: Inputs, days: int, window_days: int) -> Self | None:
        """The window of ``window_days`` that begins ``days`` before the cut-off; None where too
        little is known."""
        rows = np.flatnonzero(inputs.known(days))
        targets = inputs.targets[inputs.own]
        if len(targets) == 0 or len(rows) < MIN_CUSTOMERS:
            return None
        if len(rows) > MAX_CUSTOMERS:
            rng = np.random.default_rng(days)
            rows = np.sort(rng.choice(rows, MAX_CUSTOMERS, replace=False))
        x = _with_blank(inputs.at(days)[rows])
        y = _with_blank(inputs.bought_within(days - window_days, days)[rows])
        return cls(inputs.keys, targets, gram(x), (x.T @ y).toarray(), len(rows))

    def of_columns(self, keys: NDArray[np.int64], targets: NDArray[np.int64]) -> Lesson:
        """What it says of these columns and targets: 0 where it lacks them."""
        if np.array_equal(keys, self.keys) and np.array_equal(targets, self.targets):
            return self
        row = np.append(places(self.keys, keys), -1)
        column = np.append(places(self.targets, targets), -1)
        of_gram = self.gram.T.take(row, axis=0).take(row, axis=1).T
        moments = self.moments.take(row, axis=0).take(column, axis=1)
        return Lesson(keys, targets, of_gram, moments, self.rows)

    def plus(self, other: Lesson) -> Lesson:
        """Both, of which the columns and targets are the same."""
        gram, moments = self.gram + other.gram, self.moments + other.moments
        return Lesson(self.keys, self.targets, gram, moments, self.rows + other.rows)


@dataclass(frozen=True)
class _Kept:
    """What ``windows`` windows before ``end`` (hours) teach together; ``like``: their length and
    half-lives."""

    end: int
    like: tuple[object, ...]
    windows: int
    lesson: Lesson


class Lessons:
    """Of one level: the windows before one cut-off after the other, oldest first."""

    def __init__(self) -> None:
        self._kept: _Kept | None = None

    def sums(self, inputs: Inputs, window_days: int) -> Lesson | None:
        """Over the past windows, for the columns and targets that the cut-off's model uses; None
        without any window to learn from."""
        like = (window_days, *inputs.half_lives)
        total, count, passed = None, 0, WINDOWS
        if (kept := self._of_use(inputs.cutoff, like, window_days)) is not None:
            total = kept.lesson.of_columns(inputs.keys, inputs.targets[inputs.own])
            count, passed = kept.windows, (inputs.cutoff - kept.end) // (24 * window_days)
        for days in range(window_days, (passed + 1) * window_days, window_days):
            lesson = Lesson.of(inputs, days, window_days)
            if lesson is None:
                break
            total = lesson if total is None else total.plus(lesson)
            count += 1
        if total is None:
            return None
        self._kept = _Kept(inputs.cutoff, like, count, total)
        return total.of_columns(inputs.keys[inputs.used], inputs.foretold)

    def _of_use(self, cutoff: int, like: tuple[object, ...], window_days: int) -> _Kept | None:
        """What is kept, if it ends a whole number of windows before and is of many."""
        kept = self._kept
        if kept is None or kept.like != like or kept.windows < FEW or kept.end > cutoff:
            return None
        return None if (cutoff - kept.end) % (24 * window_days) else kept


def usual_gap_days(visits: LevelView) -> float:
    """Median days between two visits of one customer, 1 … 60; 7 when nobody came twice."""
    same = visits.customer[1:] == visits.customer[:-1]
    gaps = (visits.age[1:] - visits.age[:-1])[same]
    return float(np.clip(np.median(gaps), 1.0, 60.0)) if len(gaps) else 7.0


def gram(x: sp.csr_array) -> Floats:
    """X'X (its upper triangle); by blocks of rows where that is less work than by entries."""
    entries = np.diff(x.indptr).astype(np.float64)
    if (entries**2).sum() * BY_ENTRIES < x.shape[0] * float(x.shape[1]) ** 2:
        return (x.T @ x).toarray()
    out = np.zeros((x.shape[1], x.shape[1]), dtype=np.float32, order="F")
    for begin in range(0, x.shape[0], 4096):
        block = x[begin : begin + 4096].toarray()
        out = ssyrk(1.0, block.T, beta=1.0, c=out, overwrite_c=True)
    return out


def _with_blank(x: sp.csr_array) -> sp.csr_array:
    """With one more column of zeros, where the index -1 finds what is not there."""
    return sp.csr_array((x.data, x.indices, x.indptr), shape=(x.shape[0], x.shape[1] + 1))
