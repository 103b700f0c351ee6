"""Reliability: what was predicted beside what happened, of any number of pairs.

Pairs are counted in fine bins of probability, so that levels, parts and cut-offs add up and nothing
but the counts is kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from scoring.backtest import metrics

BINS = 10
LEAST = 1e-7  # what is less probable is counted together
A_DECADE = 200  # fine bins: 1.2 % wide
CONFIDENCE = 1.96  # standard errors of a 95 % interval


@dataclass(frozen=True)
class Reliability:
    """Of each fine bin, in order of probability: ``count`` of pairs, ``expected`` (the sum of
    their probabilities) and ``happened``: float64[k]."""

    count: NDArray[np.float64]
    expected: NDArray[np.float64]
    happened: NDArray[np.float64]

    @classmethod
    def of(cls, probability: NDArray, happened: NDArray[np.bool_]) -> Self:
        """``probability``: float[…] in 0 … 1; ``happened``: bool of the same shape."""
        said = probability.ravel().astype(np.float64)
        size = round(-math.log10(LEAST) * A_DECADE) + 1
        row = np.floor((np.log10(np.maximum(said, LEAST)) - math.log10(LEAST)) * A_DECADE)
        row = np.clip(row.astype(np.int64), 0, size - 1)
        counts = (np.bincount(row, weights, size) for weights in (None, said, happened.ravel()))
        return cls(*(count.astype(np.float64) for count in counts))

    @classmethod
    def none(cls) -> Self:
        return cls.of(np.zeros(0), np.zeros(0, dtype=bool))

    def __add__(self, other: Reliability) -> Reliability:
        return Reliability(
            self.count + other.count,
            self.expected + other.expected,
            self.happened + other.happened,
        )

    @property
    def expected_over_observed(self) -> float:
        """Predicted buyers over those who came; NaN without pairs."""
        if not self.count.sum():
            return float("nan")
        return float(self.expected.sum() / max(self.happened.sum(), 1.0))

    def by_count(self) -> list[metrics.Row]:
        """As metrics.calibration: BINS rows of about as many pairs each."""
        return self._rows(self.count)

    def by_buyers(self) -> list[dict[str, float]]:
        """BINS rows of about as many predicted buyers each: the few likely pairs are seen as well
        as the many unlikely ones. ``low``, ``high``: 95 % (Wilson 1927) of the observed share."""
        return [row | _wilson(row["observed"], row["count"]) for row in self._rows(self.expected)]

    def to_json(self) -> dict[str, Any]:
        error = metrics.calibration_error(self.by_count())
        ratio = self.expected_over_observed
        return {
            "calibration": self.by_count(),
            "calibration_by_buyers": self.by_buyers(),
            "calibration_error": None if math.isnan(error) else round(error, 5),
            "expected_over_observed": None if math.isnan(ratio) else round(ratio, 4),
            "expected": round(float(self.expected.sum()), 1),
            "observed": int(self.happened.sum()),
        }

    def _rows(self, mass: NDArray[np.float64]) -> list[metrics.Row]:
        total = mass.sum()
        if not total:
            return []
        middle = (np.cumsum(mass) - mass / 2) / total
        group = np.minimum((middle * BINS).astype(np.int64), BINS - 1)
        count, expected, happened = (
            np.bincount(group, values, BINS)
            for values in (self.count, self.expected, self.happened)
        )
        return [
            {
                "count": int(count[k]),
                "expected": float(expected[k] / count[k]),
                "observed": float(happened[k] / count[k]),
            }
            for k in np.flatnonzero(count)
        ]


def _wilson(share: float, count: float) -> dict[str, float]:
    spread = CONFIDENCE**2 / count
    middle = share + spread / 2
    half = CONFIDENCE * math.sqrt(share * (1 - share) / count + spread / (4 * count))
    low, high = (middle - half) / (1 + spread), (middle + half) / (1 + spread)
    return {"low": max(low, 0.0), "high": min(high, 1.0)}
