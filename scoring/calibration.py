"""Calibration: what a stacker said of a window that it never saw, against what then happened.

Only the shape is taken over, not the level: whether a week is 5 % better than the weeks before is
mostly that week's own, and the stacker that is calibrated has learned from that week, too. How far
off whole targets were tells how sure a prediction is.

Isotonic regression through the middles of its blocks (centred isotonic regression, Oron and
Flournoy 2017): rising everywhere, so that no two customers become equal whom the stacker tells
apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.isotonic import isotonic_regression

from scoring.models import Arrays, Floats

BINS = 200  # of equal weight of happenings and rows, before the isotonic fit
MIN_HAPPENED = 100  # fewer bend nothing
PRIOR = 5.0  # happenings that the stacker stands for in each bin
FLOOR = 1e-7


@dataclass(frozen=True)
class Calibrator:
    """``said`` and ``happened``: float64[k] log-odds, both rising; ``relative_error``: standard
    deviation of observed over expected for a whole target, beyond chance."""

    said: NDArray[np.float64]
    happened: NDArray[np.float64]
    relative_error: float

    @classmethod
    def none(cls) -> Self:
        """Changes nothing: there was nothing to learn from."""
        return cls(np.zeros(1), np.zeros(1), 0.5)

    @classmethod
    def fit(
        cls,
        probability: Floats,
        happened: NDArray[np.bool_],
        weight: Floats,
        target: NDArray[np.int32],
    ) -> Self:
        """``weight``: pairs that a row stands for; ``target``: int32[n], what each row is about."""
        if not len(probability) or not weight[happened].any() or happened.all():
            return cls.none()
        error = _relative_error(probability, happened, weight, target)
        raw = _log_odds(probability)
        if happened.sum() < MIN_HAPPENED:
            return cls(np.zeros(1), np.zeros(1), error)
        shift = prior_shift(probability, happened, weight)
        mean, observed, weights = _binned(expit(raw + shift), happened, weight)
        prior = PRIOR / mean
        smooth = (observed * weights + prior * mean) / (weights + prior)
        fitted = isotonic_regression(smooth, sample_weight=weights)
        # blocks that are nearly equal are one, lest float32 should tell nobody between them apart
        block = np.cumsum(np.append(True, fitted[1:] > 1.001 * fitted[:-1])) - 1
        share = np.bincount(block, weights)
        middle = np.bincount(block, weights * mean) / share
        level = np.bincount(block, weights * fitted) / share
        return cls(_log_odds(middle) - shift, _log_odds(level) - shift, error)

    def __call__(self, probability: Floats) -> Floats:
        """float32[n]: calibrated; outside of what was seen, moved as much as at the edge."""
        raw = _log_odds(probability)
        inside = np.interp(raw, self.said, self.happened)
        inside += np.minimum(raw - self.said[0], 0.0) + np.maximum(raw - self.said[-1], 0.0)
        return expit(inside).astype(np.float32)

    def arrays(self) -> dict[str, NDArray]:
        return {
            "said": self.said,
            "happened": self.happened,
            "relative_error": np.array(self.relative_error),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        return cls(arrays["said"], arrays["happened"], float(arrays["relative_error"]))


def prior_shift(probability: Floats, happened: NDArray[np.bool_], weight: Floats) -> float:
    """Log-odds to be added to ``probability`` (float32[n]), so that as many are expected as
    happened (prior correction, King and Zeng 2001); 0 where nothing or everything did."""
    total = float(weight[happened].sum())
    if not 0 < total < weight.sum():
        return 0.0
    raw = _log_odds(probability)
    return float(brentq(lambda more: (expit(raw + more) * weight).sum() - total, -40, 40))


def _log_odds(probability: NDArray) -> NDArray[np.float64]:
    clipped = np.clip(probability.astype(np.float64), FLOOR, 1 - FLOOR)
    return np.log(clipped / (1 - clipped))


def _binned(
    probability: NDArray[np.float64], happened: NDArray[np.bool_], weight: Floats
) -> tuple[NDArray, NDArray, NDArray]:
    """(mean probability, observed share, weight) of bins that rise in probability.

    Half by rows, half by expected happenings: the many improbable and the few probable both count.
    """
    order = np.argsort(probability, kind="stable")
    p, y, w = (a[order].astype(np.float64) for a in (probability, happened, weight))
    along = np.cumsum(w) / w.sum() + np.cumsum(w * p) / (w * p).sum()
    along = along[np.searchsorted(p, p, side="right") - 1]  # equal ones share a bin
    bins = np.minimum((along / 2 * BINS).astype(np.int64), BINS - 1)
    bins = np.unique(bins, return_inverse=True)[1]
    weights = np.bincount(bins, w)
    return np.bincount(bins, w * p) / weights, np.bincount(bins, w * y) / weights, weights


def _relative_error(
    probability: Floats, happened: NDArray[np.bool_], weight: Floats, target: NDArray[np.int32]
) -> float:
    """Root mean square of observed / expected − 1 over targets, less what chance explains.

    Squares are weighted by what is expected, since a rare target tells nothing but chance. Chance
    is in what happens, p (1 − p) a pair, and in which pairs were drawn as rows.
    """
    numbers = np.unique(target, return_inverse=True)[1]
    p, w = probability.astype(np.float64), weight.astype(np.float64)
    expected = np.bincount(numbers, p * w)
    observed = np.bincount(numbers, happened * w)
    chance = np.bincount(numbers, w * p * (1 - p) + w * (w - 1) * (happened - p) ** 2)
    enough = expected >= 5
    if not enough.any():
        return 0.5
    excess = ((observed - expected) ** 2 - chance)[enough] / expected[enough]
    return float(np.sqrt(max(excess.sum() / expected[enough].sum(), 1e-4)))
