"""Repeat intensity: how often, how lately and in what rhythm the customer bought the target.

Exponentially decayed day counts at several half-lives carry most of what is known about repeat
buyers of consumables; the gap between purchases tells when the next one is due.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from scoring.history import LevelView
from scoring.models import Arrays, Floats, Ints
from scoring.models.lookup import PairIndex
from scoring.models.parts import Part

HALF_LIVES_DAYS = (7.0, 21.0, 60.0, 180.0)


@dataclass(frozen=True)
class RepeatIntensity:
    """``pair``: int64[n] sorted keys customer * n_targets + target; ``table``: float32[n, k]."""

    pair: NDArray[np.int64]
    table: Floats
    n_targets: int

    features = (
        "bought_7d", "bought_21d", "bought_60d", "bought_180d",
        "days_bought", "recency_days", "first_bought_days", "gap_days", "due",
    )  # fmt: skip

    @classmethod
    def fit(cls, view: LevelView, half_lives_days: Sequence[float] = HALF_LIVES_DAYS) -> Self:
        """``half_lives_days``: four of them, shortest first."""
        days = view.days.astype(np.float32)
        if len(view.pair) == 0:
            return cls(view.pair, np.zeros((0, len(cls.features)), np.float32), view.n_targets)
        recency = view.age[view.start[:-1]].astype(np.float32)
        first = view.age[view.start[1:] - 1].astype(np.float32)
        gap = np.where(days > 1, (first - recency) / np.maximum(days - 1, 1), np.nan)
        columns: list[NDArray] = [view.decayed(half_life) for half_life in half_lives_days]
        columns += [days, recency, first, gap, (recency + 1) / np.maximum(gap, 1)]
        return cls(view.pair, np.column_stack(columns).astype(np.float32), view.n_targets)

    def describe(self, customer: Ints, target: Ints) -> Floats:
        """Counts are 0 and times NaN where the customer never bought the target."""
        return self.parts(customer, target)[0].columns()

    def parts(self, customer: Ints, target: Ints) -> list[Part]:
        """A target of -1 is none, of which nothing is known."""
        at = self._index.find(customer, target)
        never, nothing = np.full((2, len(self.features)), np.nan, dtype=np.float32)
        never[:5] = 0.0
        return [Part(self.table, at, np.array([never, nothing]))]

    @functools.cached_property
    def _index(self) -> PairIndex:
        return PairIndex(self.pair, self.n_targets)

    def propose(self, limit: int, n_customers: int) -> tuple[Ints, Ints]:
        """(customer, target): each customer's ``limit`` strongest habits."""
        customer = (self.pair // self.n_targets).astype(np.int32)
        strength = self.table[:, 2] + 0.1 * self.table[:, 4]
        order = np.lexsort((self.pair, -strength, customer))
        first = np.searchsorted(customer[order], np.arange(n_customers))
        position = np.arange(len(order)) - first[customer[order]]
        chosen = order[position < limit]
        return customer[chosen], (self.pair[chosen] % self.n_targets).astype(np.int32)

    def arrays(self) -> dict[str, NDArray]:
        return {"pair": self.pair, "table": self.table, "n_targets": np.array(self.n_targets)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        return cls(arrays["pair"], arrays["table"], int(arrays["n_targets"]))
