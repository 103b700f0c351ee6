"""All customers with their probability of an answer: ordered, cut to a size, told in figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring import forecast
from scoring.models import Floats, Ints
from scoring.segment_models import Judged
from scoring.segment_request import SegmentError, SizeRule

CURVE_SHARES = (0.01, 0.02, 0.05, *(k / 10 for k in range(1, 11)))  # of all customers


@dataclass(frozen=True)
class Chances:
    """``probability``: float32[n_customers]; ``strongest``: int64[n_customers], the judged target
    that speaks most for each customer; ``relative_error``: see scoring.forecast."""

    probability: Floats
    strongest: NDArray[np.int64]
    relative_error: float


def chances(judged: Sequence[Judged], shops: Judged | None, customers: Ints) -> Chances:
    """Of a single target its own probability. Several, which must all be answered, are taken as
    independent once the customer shops at all: P(shops) Π P(target) / P(shops).

    ``shops``: whether a customer shops at all; needed for several.
    """
    each = [one.probability(customers) for one in judged]
    if shops is None:
        only = np.zeros(len(customers), dtype=np.int64)
        return Chances(each[0], only, judged[0].relative_error)
    at_all = np.maximum(shops.probability(customers), 1e-9)
    out = at_all.astype(np.float64)
    for probability in each:
        out *= np.minimum(probability / at_all, 1.0)
    # beside what it is on average, or the best seller would always be the reason
    lift = np.array([probability / max(float(probability.mean()), 1e-9) for probability in each])
    error = float(np.sqrt(sum(one.relative_error**2 for one in judged)))
    return Chances(out.astype(np.float32), lift.argmax(axis=0), error)


@dataclass(frozen=True)
class Audience:
    """``order``: int64[n], those who may get the campaign, best first; ``n_known``: all customers;
    ``cost`` of one send, ``margin`` of one answer."""

    chances: Chances
    order: NDArray[np.int64]
    n_known: int
    cost: float
    margin: float

    @property
    def probability(self) -> Floats:
        """float32[n]: in the order of ``order``."""
        return self.chances.probability[self.order]

    @property
    def terms(self) -> dict[str, float]:
        """What size and profit were computed with, whoever gave it."""
        return {"cost_per_send": self.cost, "margin": round(self.margin, 4)}

    def size(self, rule: SizeRule) -> int:
        """How many a size rule takes. Raises SegmentError for a budget without a cost."""
        available = len(self.order)
        if rule.count is not None:
            return min(rule.count, available)
        if rule.share is not None:
            return min(round(rule.share * self.n_known), available)
        if rule.minimum_probability is not None:
            return int((self.probability >= rule.minimum_probability).sum())
        if rule.budget is not None:
            if self.cost <= 0:
                raise SegmentError(
                    "a budget needs a cost per send: give cost_per_send or set "
                    "segments.cost_per_send in the workspace"
                )
            return int(min(rule.budget / self.cost + 1e-9, available))  # which may be infinite
        return self.profitable()

    def profitable(self) -> int:
        """As many as bring more margin than their send costs."""
        return forecast.profitable(self.probability, self.cost, self.margin)

    def curve(self) -> list[dict[str, Any]]:
        """Figures at CURVE_SHARES."""
        sizes = [min(round(share * self.n_known), len(self.order)) for share in CURVE_SHARES]
        return [self.figures(size) for size in dict.fromkeys(sizes) if size]

    def figures(self, size: int) -> dict[str, Any]:
        """What sending to the ``size`` best is expected to bring; ``low`` and ``high`` hold the
        number of answers in 95 of 100 cases."""
        told = forecast.answers(self.probability[:size], self.chances.relative_error)
        expected = told.expected
        everyone = float(self.probability.mean()) if len(self.order) else 0.0
        return {
            "count": size,
            "share": round(size / max(self.n_known, 1), 4),
            "expected_responses": round(expected, 2),
            "low": told.low,
            "high": told.high,
            "expected_rate": round(expected / size, 4) if size else 0.0,
            "lift": round(expected / size / everyone, 2) if size and everyone else None,
            "cost": round(size * self.cost, 2),
            "profit": round(expected * self.margin - size * self.cost, 2) + 0.0,  # no minus zero
        }
