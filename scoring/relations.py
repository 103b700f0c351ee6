"""Others you may like (bought on the next visit) and what is bought together (in one basket).

Both say how likely one who has this item buys that one: the conditional probability of Deshpande
and Karypis (2004), c(i, j) / c(i), smoothed towards how many buy that item at all lately, as if
so many more baskets had held this one. What coincided once says little; what many buy with
everything is not hidden, for it is what comes next. Chosen by the next purchase and by the rest of
the basket on earlier cut-offs (benchmarks.relations).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from scoring import columns as c
from scoring.history import BOUGHT, History, distinct, starts
from scoring.models import Floats, Ints

HALF_LIFE_DAYS, PRIOR_HALF_LIFE_DAYS = 120.0, 10.0
NEXT_PRIOR, TOGETHER_PRIOR = 250.0, 60.0  # baskets
MIN_COUNT = 5  # baskets
MAX_ITEMS = 8_000  # that are compared with each other
BASKET_ITEMS = 100  # a larger one says little about any pair in it
BLOCK = 256  # rows of the matrix that are dense at once


@dataclass(frozen=True)
class Relations:
    """For each item the best others, best first: ``target``: int32[n_items, k], -1 none;
    ``score``: float32."""

    target: Ints
    score: Floats


@dataclass(frozen=True)
class Baskets:
    """``held``: CSR float32[n_baskets, n_supported] of ones, a customer's purchases of one hour in
    the order of customers and time; ``customer``: int32[n_baskets]; ``age_days``:
    float32[n_baskets] before the cut-off; ``position``: int32[n_items] column of each item or -1.
    """

    held: sp.csr_array
    customer: Ints
    age_days: Floats
    position: Ints

    @classmethod
    def of(cls, history: History, cutoff: int) -> Self:
        """Those before ``cutoff`` (hours), without any of more than BASKET_ITEMS."""
        customer, item, hour = history.select(BOUGHT, end=cutoff)
        n_items = history.catalogue.n_items
        some = item >= 0
        customer, item, hour = customer[some], item[some], hour[some]
        order = np.lexsort((item, hour, customer))
        customer, item, hour = customer[order], item[order], hour[order]
        visit = customer.astype(np.int64) << 32 | hour.astype(np.int64)
        first = starts(visit)
        basket = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(visit))))
        key = distinct(basket * n_items + item)
        basket, item = key // n_items, (key % n_items).astype(np.int32)
        small = np.bincount(basket, minlength=len(first))[basket] <= BASKET_ITEMS
        basket, item = basket[small], item[small]
        position = _supported(np.bincount(item, minlength=n_items))
        column = position[item]
        index = (basket[column >= 0], column[column >= 0])
        shape = (len(first), int(position.max(initial=-1)) + 1)
        held = sp.csr_array((np.ones(len(index[0]), dtype=np.float32), index), shape=shape)
        age = ((cutoff - hour[first]) / 24).astype(np.float32)
        return cls(held, customer[first], age, position)

    def sold(self) -> Floats:
        """float32[n_supported]: the share of lately sold baskets that hold each item."""
        weight = np.exp2(-self.age_days / PRIOR_HALF_LIFE_DAYS)
        return np.asarray(self.held.T @ weight / max(weight.sum(), 1e-9)).astype(np.float32)


def related(baskets: Baskets, limit: int) -> Relations:
    """Others you may like: what those who bought it buy on their next visit."""
    same = np.flatnonzero(baskets.customer[1:] == baskets.customer[:-1])
    weight = np.exp2(-baskets.age_days[same] / HALF_LIFE_DAYS).astype(np.float32)
    before = sp.csr_array(baskets.held[same].multiply(weight[:, None]))
    return _likely(before, sp.csr_array(baskets.held[same + 1]), baskets, limit, NEXT_PRIOR)


def bought_together(baskets: Baskets, limit: int) -> Relations:
    """Bought in the same basket."""
    weight = np.exp2(-baskets.age_days / HALF_LIFE_DAYS).astype(np.float32)
    weighted = sp.csr_array(baskets.held.multiply(weight[:, None]))
    return _likely(weighted, baskets.held, baskets, limit, TOGETHER_PRIOR)


def _likely(
    given: sp.csr_array, then: sp.csr_array, baskets: Baskets, limit: int, prior_baskets: float
) -> Relations:
    """The most likely columns of ``then`` for each column of ``given``, never itself."""
    count = np.asarray(given.sum(axis=0)).ravel().astype(np.float32)
    prior = prior_baskets * baskets.sold()
    turned = sp.csr_array(given.T)
    original = np.flatnonzero(baskets.position >= 0).astype(np.int32)
    target = np.full((len(baskets.position), limit), -1, dtype=np.int32)
    score = np.zeros((len(baskets.position), limit), dtype=np.float32)
    kept = min(limit, len(original))
    for begin in range(0, len(original), BLOCK):
        own = np.arange(begin, min(begin + BLOCK, len(original)))
        block = (turned[own] @ then).toarray() + prior
        block /= count[own][:, None] + prior_baskets
        block[np.arange(len(own)), own] = 0.0
        best = np.argpartition(-block, kept - 1, axis=1)[:, :kept]
        best.sort(axis=1)
        value = np.take_along_axis(block, best, axis=1)
        order = np.argsort(-value, axis=1, kind="stable")
        best, value = (np.take_along_axis(each, order, axis=1) for each in (best, value))
        target[original[own], :kept] = np.where(value > 0, original[best], -1)
        score[original[own], :kept] = value
    return Relations(target, score)


def _supported(count: NDArray[np.int64]) -> Ints:
    """int32[n_items]: the column of each item that is compared with others, or -1."""
    order = np.lexsort((np.arange(len(count)), -count))[:MAX_ITEMS]
    chosen = np.sort(order[count[order] >= MIN_COUNT])
    position = np.full(len(count), -1, dtype=np.int32)
    position[chosen] = np.arange(len(chosen), dtype=np.int32)
    return position


def sold(baskets: Baskets) -> Floats:
    """float32[n_items]: the share of lately sold baskets that hold each item; 0 for those that are
    not compared with others."""
    out = np.zeros(len(baskets.position), dtype=np.float32)
    out[baskets.position >= 0] = baskets.sold()
    return out


def table(history: History, baskets: Baskets, limit: int) -> pa.Table:
    """The snapshot's ``related``: of every item that has any, only what can be bought."""
    like, together = related(baskets, 2 * limit), bought_together(baskets, 2 * limit)
    has = np.flatnonzero((like.target[:, 0] >= 0) | (together.target[:, 0] >= 0))
    columns: dict[str, pa.Array] = {c.ITEM_INDEX: pa.array(has, pa.uint32())}
    for name, relation in (("related", like), ("together", together)):
        index, score = _ragged(relation, has, history.catalogue.sellable, limit)
        columns |= {f"{name}_index": index, f"{name}_score": score}
    return pa.table(columns)


def _ragged(
    relation: Relations, rows: NDArray[np.int64], sellable: NDArray[np.bool_], limit: int
) -> tuple[pa.Array, pa.Array]:
    """The related rows as list columns, without what cannot be bought."""
    target, score = relation.target[rows], relation.score[rows]
    keep = (target >= 0) & sellable[np.maximum(target, 0)]
    keep &= np.cumsum(keep, axis=1) <= limit
    offsets = pa.array(np.concatenate([[0], np.cumsum(keep.sum(axis=1))]), pa.int32())
    return (
        pa.ListArray.from_arrays(offsets, pa.array(target[keep], pa.uint32())),
        pa.ListArray.from_arrays(offsets, pa.array(score[keep], pa.float32())),
    )
