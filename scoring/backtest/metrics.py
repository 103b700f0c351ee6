"""Measures of a ranking of customers for one target; ties count by expectation, never by luck."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def captured(score: NDArray, bought: NDArray[np.bool_], share: float) -> float:
    """Expected share of the buyers among the ``share`` best of all (0 … 1); NaN without buyers.

    ``score``: float[n], higher first, no NaN; ``bought``: bool[n]. Customers with equal scores at
    the edge are taken in the proportion that fits.
    """
    n, buyers = len(score), int(bought.sum())
    if not buyers:
        return float("nan")
    size = round(share * n)
    if size == 0:
        return 0.0
    edge = np.partition(score, n - size)[n - size]
    above, tied = score > edge, score == edge
    room = (size - above.sum()) / tied.sum()
    return float((bought[above].sum() + room * bought[tied].sum()) / buyers)


def lift(score: NDArray, bought: NDArray[np.bool_], share: float) -> float:
    """How many times the buyers of as many random customers are among the best ``share``.

    NaN without buyers, and where ``share`` rounds to nobody.
    """
    size = round(share * len(score))
    return captured(score, bought, share) * len(score) / size if size else float("nan")


def auc(score: NDArray, bought: NDArray[np.bool_]) -> float:
    """Probability that a buyer scores above another customer (ties half); NaN without a pair."""
    positives = int(bought.sum())
    negatives = len(bought) - positives
    if not positives or not negatives:
        return float("nan")
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    below = np.cumsum(counts) - counts
    rank = below[inverse] + (counts[inverse] + 1) / 2
    u = rank[bought].sum() - positives * (positives + 1) / 2
    return float(u / (positives * negatives))


def interval(values: NDArray, *, seed: int = 0, rounds: int = 2000) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of ``values`` (one a target), NaN left out."""
    values = np.asarray(values, dtype=float)
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    means = values[rng.integers(0, len(values), (rounds, len(values)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def calibration(
    probability: NDArray, happened: NDArray[np.bool_], bins: int = 10
) -> list[dict[str, float]]:
    """Rows of equal size in order of probability: count, expected and observed share."""
    order = np.argsort(probability, kind="stable")
    parts = np.array_split(order, min(bins, max(len(order), 1)))
    return [
        {
            "count": len(part),
            "expected": float(probability[part].mean()),
            "observed": float(happened[part].mean()),
        }
        for part in parts
        if len(part)
    ]
