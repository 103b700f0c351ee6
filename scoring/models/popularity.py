"""Popularity: what anyone buys now, and how a target is bought (again and again, or once)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from scoring.history import LevelView
from scoring.models import Arrays, Floats, Ints
from scoring.models.parts import Part

WINDOWS_DAYS = (7, 28, 91)


@dataclass(frozen=True)
class Popularity:
    """``table``: float32[n_targets, k]; shares are of the customers known before the cut-off."""

    table: Floats

    features = (
        "buyers_7d", "buyers_28d", "buyers_91d", "buyers_ever",
        "repeat_share", "mean_days", "typical_gap_days", "first_buyers_28d",
    )  # fmt: skip

    @classmethod
    def fit(cls, view: LevelView, n_known: int) -> Self:
        n, targets = view.n_targets, view.pair_target
        known = max(n_known, 1)
        recency = view.age[view.start[:-1]]
        first = view.age[np.maximum(view.start[1:] - 1, 0)] if len(view.pair) else recency
        days = view.days.astype(np.float64)
        buyers = np.bincount(targets, minlength=n).astype(np.float64)
        some = np.maximum(buyers, 1)
        within = [np.bincount(targets[recency < w], minlength=n) / known for w in WINDOWS_DAYS]
        repeats = np.bincount(targets[days > 1], minlength=n)
        gap = np.where(days > 1, (first - recency) / np.maximum(days - 1, 1), 0.0)
        typical = np.bincount(targets, weights=gap, minlength=n) / np.maximum(repeats, 1)
        typical[repeats == 0] = np.nan
        new = np.bincount(targets[first < 28], minlength=n) / known
        mean_days = np.bincount(targets, weights=days, minlength=n) / some
        columns = [*within, buyers / known, repeats / some, mean_days, typical, new]
        return cls(np.column_stack(columns).astype(np.float32))

    def describe(self, customer: Ints, target: Ints) -> Floats:
        return self.table[target]

    def parts(self, customer: Ints, target: Ints) -> list[Part]:
        return [Part(self.table, target)]

    def best(self, limit: int) -> Ints:
        """int32[≤ limit]: targets with most buyers in 28 days, then ever; never-bought left out."""
        order = np.lexsort((np.arange(len(self.table)), -self.table[:, 3], -self.table[:, 1]))
        return order[self.table[order, 3] > 0][:limit].astype(np.int32)

    def arrays(self) -> dict[str, NDArray]:
        return {"table": self.table}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        return cls(arrays["table"])
