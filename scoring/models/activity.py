"""Activity: how often the customer shops at all, whatever is bought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from scoring.history import LevelView
from scoring.models import Arrays, Floats, Ints
from scoring.models.parts import Part
from scoring.models.repeat import RepeatIntensity


@dataclass(frozen=True)
class Activity:
    """``table``: float32[n_customers, k]."""

    table: Floats

    features = (
        "visits_7d", "visits_21d", "visits_60d", "visits_180d", "visit_days",
        "visit_recency_days", "first_visit_days", "visit_gap_days", "visit_due",
        "breadth", "targets_a_visit",
    )  # fmt: skip

    @classmethod
    def fit(cls, visits: LevelView, view: LevelView) -> Self:
        """``visits`` has one target (any); ``view`` is the level whose breadth is counted."""
        n = visits.n_customers
        everyone = np.arange(n, dtype=np.int32)
        shopping = RepeatIntensity.fit(visits).describe(everyone, np.zeros(n, dtype=np.int32))
        breadth = np.bincount(view.pair_customer, minlength=n).astype(np.float32)
        per_visit = np.bincount(view.customer, minlength=n) / np.maximum(shopping[:, 4], 1)
        return cls(np.column_stack([shopping, breadth, per_visit]).astype(np.float32))

    def describe(self, customer: Ints, target: Ints) -> Floats:
        return self.table[customer]

    def parts(self, customer: Ints, target: Ints) -> list[Part]:
        return [Part(self.table, customer)]

    def arrays(self) -> dict[str, NDArray]:
        return {"table": self.table}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        return cls(arrays["table"])
