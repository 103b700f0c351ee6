"""Measures of rankings: of customers for one target, and of items within one customer.

Ties in a score count by expectation, never by luck. A ranked list has no ties: it is what the model
gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Row = dict[str, float]

CALIBRATION_BINS = 10
ROUNDS = 2000  # bootstrap samples
RESAMPLES_AT_ONCE = 250  # bounds the memory of an interval over many customers


@dataclass(frozen=True)
class Gains:
    """How many buyers are found among the best customers: the curve behind lift, capture and AUC.

    ``taken``, ``found``: float[k], customers and buyers from the best score down to the end of each
    group of equal scores, both starting at 0. Between two ends the curve is straight, which is the
    expectation over all orders of the group.
    """

    taken: NDArray[np.float64]
    found: NDArray[np.float64]

    @classmethod
    def of(cls, score: NDArray, bought: NDArray[np.bool_]) -> Self:
        """``score``: float[n], higher first, no NaN; ``bought``: bool[n]."""
        order = np.argsort(-score, kind="stable")
        ordered = score[order]
        ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], len(order) > 0)) + 1.0
        found = np.cumsum(bought[order])[ends.astype(np.int64) - 1]
        return cls(np.append(0.0, ends), np.append(0.0, found))

    def captured(self, share: float) -> float:
        """Expected share of the buyers among the ``share`` best of all; NaN without buyers."""
        buyers = self.found[-1]
        if not buyers:
            return float("nan")
        return float(np.interp(round(share * self.taken[-1]), self.taken, self.found) / buyers)

    def lift(self, share: float) -> float:
        """How many times the buyers of as many random customers are among the best ``share``.

        NaN without buyers, and where ``share`` rounds to nobody.
        """
        size = round(share * self.taken[-1])
        return self.captured(share) * float(self.taken[-1]) / size if size else float("nan")

    @property
    def auc(self) -> float:
        """Probability that a buyer scores above another customer, ties half; NaN without a pair."""
        buyers, others = self.found[-1], self.taken[-1] - self.found[-1]
        if not buyers or not others:
            return float("nan")
        missed = self.taken - self.found
        middle = (self.found[1:] + self.found[:-1]) / 2
        return float((np.diff(missed) * middle).sum() / (buyers * others))


def captured(score: NDArray, bought: NDArray[np.bool_], share: float) -> float:
    """Expected share of the buyers among the ``share`` best of all (0 … 1); NaN without buyers."""
    return Gains.of(score, bought).captured(share)


def lift(score: NDArray, bought: NDArray[np.bool_], share: float) -> float:
    """Buyers among the best ``share`` over those among as many random customers; NaN without."""
    return Gains.of(score, bought).lift(share)


def auc(score: NDArray, bought: NDArray[np.bool_]) -> float:
    """Probability that a buyer scores above another customer (ties half); NaN without a pair."""
    return Gains.of(score, bought).auc


def intervals(values: NDArray, *, seed: int = 0, rounds: int = ROUNDS) -> NDArray[np.float64]:
    """float[k, 2]: 95 % bootstrap intervals of the column means of ``values``: float[n, k], no NaN.

    All columns are resampled together, so that the columns of one call are paired. Rows are what
    is drawn: targets or customers.
    """
    n = len(values)
    rng = np.random.default_rng(seed)
    means = []
    for begin in range(0, rounds, RESAMPLES_AT_ONCE):
        size = min(RESAMPLES_AT_ONCE, rounds - begin)
        drawn = rng.integers(0, n, (size, n)) + n * np.arange(size)[:, None]
        times = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        means.append(times @ np.asarray(values, dtype=float) / n)
    return np.quantile(np.concatenate(means), (0.025, 0.975), axis=0).T


def interval(values: NDArray, *, seed: int = 0, rounds: int = ROUNDS) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of ``values`` (float[n]), NaN left out.

    Of the differences of two methods over the same targets it is the paired interval.
    """
    values = np.asarray(values, dtype=float)
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = intervals(values[:, None], seed=seed, rounds=rounds)[0]
    return float(low), float(high)


def quantiles(drawn: NDArray) -> tuple[float, float]:
    """The 95 % interval of bootstrap means (float[rounds]), NaN left out."""
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return float("nan"), float("nan")
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(low), float(high)


def mean(values: NDArray) -> float:
    """Over those that have a figure; NaN when none has."""
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else float("nan")


def calibration(
    probability: NDArray, happened: NDArray[np.bool_], bins: int = CALIBRATION_BINS
) -> list[Row]:
    """Rows of equal size in order of probability: count, expected and observed share."""
    order = np.argsort(probability, kind="stable")
    parts = np.array_split(order, min(bins, max(len(order), 1)))
    return [
        {
            "count": len(part),
            "expected": float(probability[part].mean(dtype=np.float64)),
            "observed": float(happened[part].mean()),
        }
        for part in parts
        if len(part)
    ]


def calibration_error(rows: list[Row]) -> float:
    """Expected calibration error (Naeini et al. 2015): the mean distance of expected and observed
    share, weighted by count; NaN without rows."""
    if not rows:
        return float("nan")
    count, expected, observed = (
        np.array([row[name] for row in rows]) for name in ("count", "expected", "observed")
    )
    return float(np.average(np.abs(expected - observed), weights=count))


@dataclass(frozen=True)
class ListMeasures:
    """Of each customer's list: ``hit_rate`` (any hit: 0 or 1), ``recall`` (hits over all relevant
    items), ``ndcg`` (Järvelin and Kekäläinen 2002, binary): float[n]."""

    hit_rate: NDArray[np.float64]
    recall: NDArray[np.float64]
    ndcg: NDArray[np.float64]


def of_lists(hit: NDArray[np.bool_], relevant: NDArray[np.int64]) -> ListMeasures:
    """``hit``: bool[n, k], is the item at this rank relevant; ``relevant``: int[n], how many items
    are. The ideal list holds min(k, relevant) hits first. A customer without any has no figure."""
    k = hit.shape[1]
    gain = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.append(np.nan, np.cumsum(gain))[np.minimum(relevant, k)]
    total = np.where(relevant > 0, relevant, np.nan)
    any_hit = np.where(relevant > 0, hit.any(axis=1), np.nan)
    return ListMeasures(any_hit, hit.sum(axis=1) / total, hit @ gain / ideal)
