"""Collaborative models of libraries and papers, on purchases before a cut-off alone.

Each is fitted on a LevelView and scores any customers for its supported targets. What a function
takes beside the view is what benchmarks.rivals.choose looks for on an earlier cut-off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from implicit.als import AlternatingLeastSquares
from lightfm import LightFM
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from scoring.backtest.ranking import ScoreAll
from scoring.backtest.targeting import Panel
from scoring.history import LevelView
from scoring.models import Floats, Ints

SEED = 1
MIN_BUYERS = 3  # of a supported target
MAX_TARGETS = 4000  # of EASE: its inverse grows with the third power
AT_ONCE = 256  # customers scored at once


@dataclass(frozen=True)
class Collaborative:
    """``target``: int32[k], the supported targets; ``score``: customers int32[m] → [m, k]."""

    target: Ints
    score: Callable[[Ints], NDArray]

    def of_all(self, n_targets: int) -> ScoreAll:
        """Scores of all targets; those without support come last."""

        def score(customer: Ints) -> NDArray:
            out = np.full((len(customer), n_targets), -np.inf)
            out[:, self.target] = self.score(customer)
            return out

        return score


Fit = Callable[..., Collaborative]


def ease(view: LevelView, *, ridge: float, half_life_days: float | None = None) -> Collaborative:
    """EASE (Steck 2019, "Embarrassingly Shallow Autoencoders") on raw binary vectors, or on the
    logarithm of decayed day counts; ``ridge`` is in units of their mean square."""
    values = np.ones(len(view.pair))
    if half_life_days is not None:
        values = np.log1p(view.decayed(half_life_days))
    target, vectors = _vectors(view, values, limit=MAX_TARGETS)
    gram = (vectors.T @ vectors).toarray().astype(np.float64)
    scale = float(np.mean(np.square(vectors.data))) if vectors.nnz else 1.0
    gram[np.diag_indices_from(gram)] += ridge * scale
    inverse = np.linalg.inv(gram)
    weights = (inverse / -np.diag(inverse)).astype(np.float32)
    np.fill_diagonal(weights, 0.0)
    return Collaborative(target, lambda customer: vectors[customer] @ weights)


def als(view: LevelView, *, factors: int, regularization: float, alpha: float) -> Collaborative:
    """Implicit ALS (Hu, Koren and Volinsky 2008) of the library ``implicit``, on day counts."""
    target, vectors = _vectors(view, np.log1p(view.days))
    with threadpool_limits(1, "blas"):  # as the library asks for
        model = AlternatingLeastSquares(
            factors=factors,
            regularization=regularization,
            alpha=alpha,
            iterations=15,
            num_threads=1,
            random_state=SEED,
        )
        model.fit(sp.csr_matrix(vectors), show_progress=False)
    users, items = model.user_factors, model.item_factors
    return Collaborative(target, lambda customer: users[customer] @ items.T)


def user_knn(
    view: LevelView, *, half_life_days: float, neighbours: int, own: float = 0.0
) -> Collaborative:
    """The purchases of the most similar customers (cosine of decayed vectors), weighted by
    similarity; ``own`` is the weight of the customer's own (Hu et al. 2020, TIFU-kNN)."""
    target, vectors = _vectors(view, view.decayed(half_life_days))
    norm = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1))).ravel()
    unit = sp.csr_array(vectors.multiply(1.0 / np.maximum(norm, 1e-9)[:, None]))
    transposed = sp.csr_array(unit.T)

    def score(customer: Ints) -> NDArray:
        similar = (unit[customer] @ transposed).toarray()
        similar[np.arange(len(customer)), customer] = 0.0
        best = _strongest(similar, neighbours)
        total = np.maximum(np.asarray(best.sum(axis=1)).ravel(), 1e-9)
        mean = (best @ vectors).toarray() / total[:, None]
        return (1.0 - own) * mean + own * vectors[customer].toarray()

    return Collaborative(target, score)


def lightfm_warp(view: LevelView, *, components: int, epochs: int) -> Collaborative:
    """LightFM (Kula 2015) as usually used: customers are users, targets items, loss WARP.

    A customer's bias says nothing about the order of his items, for which it is trained: with it
    the ranking of customers is worse."""
    target, vectors = _vectors(view, np.ones(len(view.pair)))
    model = LightFM(no_components=components, loss="warp", random_state=SEED)
    model.fit(sp.coo_matrix(vectors), epochs=epochs, num_threads=1)
    _, user = model.get_user_representations()
    item_bias, item = model.get_item_representations()
    return Collaborative(target, lambda customer: user[customer] @ item.T + item_bias)


def targeting(fit: Fit, **chosen: Any) -> Callable[[Panel], Floats]:
    """The model as a method of targeting; unsupported targets get the same score for everybody."""

    def method(panel: Panel) -> Floats:
        model = fit(panel.view(), **chosen)
        column = np.full(panel.n_targets, -1)
        column[model.target] = np.arange(len(model.target))
        column = column[panel.target]
        known = column >= 0
        scores = np.zeros(panel.shape, dtype=np.float32)
        for begin in range(0, len(panel.customer), AT_ONCE):
            part = slice(begin, begin + AT_ONCE)
            scores[known, part] = model.score(panel.customer[part])[:, column[known]].T
        return scores

    return method


def ranking(fit: Fit, **chosen: Any) -> Callable[[Panel], ScoreAll]:
    """The model as a method of ranking."""
    return lambda panel: fit(panel.view(), **chosen).of_all(panel.n_targets)


def _vectors(
    view: LevelView, values: NDArray, *, limit: int | None = None
) -> tuple[Ints, sp.csr_array]:
    """(supported targets, CSR float32[n_customers, k]): the ``limit`` with most buyers."""
    buyers = np.bincount(view.pair_target, minlength=view.n_targets)
    order = np.argsort(-buyers, kind="stable")[:limit]
    target = np.sort(order[buyers[order] >= MIN_BUYERS]).astype(np.int32)
    position = np.full(view.n_targets, -1, dtype=np.int32)
    position[target] = np.arange(len(target), dtype=np.int32)
    column = position[view.pair_target]
    keep = column >= 0
    index = (view.pair_customer[keep], column[keep])
    shape = (view.n_customers, len(target))
    return target, sp.csr_array((values[keep].astype(np.float32), index), shape=shape)


def _strongest(similar: NDArray, kept: int) -> sp.csr_array:
    """The ``kept`` largest of each row, the others 0."""
    kept = min(kept, similar.shape[1] - 1)
    column = np.argpartition(-similar, kept, axis=1)[:, :kept]
    value = np.take_along_axis(similar, column, axis=1)
    row = np.repeat(np.arange(len(similar)), kept)
    return sp.csr_array((value.ravel(), (row, column.ravel())), shape=similar.shape)
