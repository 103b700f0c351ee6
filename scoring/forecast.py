"""How many of some customers will answer, with an interval, and what sending to them brings.

The number of answers varies by chance, Σ p (1 − p), and with the target's own luck in the window
(a promotion, the weather), which is the same for all of its customers: (relative error · Σ p)².
Counts cannot be negative and their upward surprises are the larger ones, so the interval is that
of a log-normal of this mean and variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTH = 1.959964  # standard deviations on each side: 95 %
_ROUNDING = 1e-6  # probabilities are float32: sums of them end in noise


@dataclass(frozen=True)
class Answers:
    """``expected``; with 95 % probability at least ``low`` and at most ``high`` (whole numbers)."""

    expected: float
    low: int
    high: int


def answers(probability: NDArray[np.float32], relative_error: float) -> Answers:
    """Of the customers with these probabilities; never more than there are.

    ``relative_error``: standard deviation of what comes over what is expected, beyond chance.
    """
    p = probability.astype(np.float64)
    expected = float(p.sum())
    if expected <= 0:
        return Answers(0.0, 0, 0)
    variance = float((p * (1 - p)).sum()) + (relative_error * expected) ** 2
    spread = np.log1p(variance / expected**2)
    middle = np.log(expected) - spread / 2
    low, high = (float(np.exp(middle + side * WIDTH * np.sqrt(spread))) for side in (-1, 1))
    certain = int((p >= 1.0).sum())
    return Answers(
        expected,
        max(int(np.floor(low + _ROUNDING)), certain),
        min(int(np.ceil(high - _ROUNDING)), len(p)),
    )


def profitable(probability: NDArray[np.float32], cost: float, margin: float) -> int:
    """How many, best first, bring more margin than their send costs: the size of most profit.

    ``cost`` of one send and ``margin`` of one answer in the same currency.
    """
    return int((probability * margin > cost).sum())
