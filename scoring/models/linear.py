"""What linear models say of pairs: sparse vectors of customers times the weights of targets.

Only what is asked for is multiplied: the columns of the targets and the vectors of the customers.
Each product adds up in the order of a customer's vector, so that a pair gets the same bits in any
company.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from scoring.models import Floats, Ints

SCORES = 1 << 18  # dense scores at once: they stay in the processor's cache
DENSE = 1 / 50  # share of weights that are not zero, from which on zeros are multiplied too
FEW = 4  # columns that are faster multiplied one by one


def described(
    vectors: sp.csr_array,
    weights: sp.sparray | NDArray,
    position: Ints,
    customer: Ints,
    target: Ints,
) -> Floats:
    """float32[n, 1]: ``(vectors @ weights)[customer, position[target]]``.

    NaN where the target has no position. Pairs may come in any order, but nothing is sorted where
    they come customer by customer; sparse weights are fastest as CSC.
    """
    column = position[target]
    asked = np.zeros(weights.shape[1] + 1, dtype=bool)
    asked[column] = True  # the last place is that of -1
    columns = np.flatnonzero(asked[:-1])
    out = np.full((len(customer), 1), np.nan, dtype=np.float32)
    if len(columns) == 0:
        return out
    few = _columns(weights, columns)
    local = np.cumsum(asked) - 1
    rows, who, place = None, customer, local[column]
    if asked[-1]:
        rows = np.flatnonzero(column >= 0)
        who, place = customer[rows], place[rows]
    if (who[1:] < who[:-1]).any():
        order = np.argsort(who, kind="stable")
        rows = order if rows is None else rows[order]
        who, place = who[order], place[order]
    out[slice(None) if rows is None else rows, 0] = _scores(vectors, few, who, place)
    return out


def _columns(weight: sp.sparray | NDArray, columns: NDArray[np.intp]) -> sp.csr_array | NDArray:
    """[p, len(columns)]: some of the columns."""
    if isinstance(weight, np.ndarray):
        return weight if len(columns) == weight.shape[1] else weight[:, columns]
    weight = weight.tocsc()
    if len(columns) < FEW:
        dense = np.zeros((weight.shape[0], len(columns)), dtype=np.float32)
        for number, column in enumerate(columns):
            inside = slice(weight.indptr[column], weight.indptr[column + 1])
            dense[weight.indices[inside], number] = weight.data[inside]
        return dense
    few = weight if len(columns) == weight.shape[1] else weight[:, columns]
    sparse = few.nnz < DENSE * few.shape[0] * few.shape[1]
    return sp.csr_array(few) if sparse else few.toarray(order="C")


def _scores(
    vectors: sp.csr_array, few: sp.csr_array | NDArray, who: Ints, place: NDArray[np.intp]
) -> Floats:
    """float32[n]: of each pair of a row of ``vectors`` and a column of ``few``; ``who`` rises."""
    other = np.append(True, who[1:] != who[:-1])
    everyone = who[other]
    number = np.cumsum(other) - 1  # of the pair's customer, among everyone
    out = np.empty(len(who), dtype=np.float32)
    step = max(SCORES // few.shape[1], 1)
    begins = np.arange(0, len(everyone), step)
    bounds = np.append(np.searchsorted(number, begins), len(who))
    for begin, start, end in zip(begins, bounds[:-1], bounds[1:], strict=True):
        here = everyone[begin : begin + step]
        first, last = int(here[0]), int(here[-1]) + 1
        if last - first < 2 * len(here):  # so many of a range that copying costs more
            product, row = _product(_range(vectors, first, last), few), who[start:end] - first
        else:
            product, row = _product(vectors[here], few), number[start:end] - begin
        out[start:end] = product.take(row * few.shape[1] + place[start:end], mode="clip")
    return out


def _product(vectors: sp.csr_array, few: sp.csr_array | NDArray) -> Floats:
    """float32[m * columns]."""
    if sp.issparse(few):
        return (vectors @ few).toarray().ravel()
    if few.shape[1] >= FEW:
        return (vectors @ np.ascontiguousarray(few)).ravel()
    return np.column_stack([vectors @ column for column in np.ascontiguousarray(few.T)]).ravel()


def _range(vectors: sp.csr_array, first: int, last: int) -> sp.csr_array:
    """Some rows that follow each other, without a copy."""
    if last - first == vectors.shape[0]:
        return vectors
    start = vectors.indptr[first : last + 1]
    inside = slice(start[0], start[-1])
    rows = (vectors.data[inside], vectors.indices[inside], start - start[0])
    return sp.csr_array(rows, shape=(last - first, vectors.shape[1]), copy=False)
