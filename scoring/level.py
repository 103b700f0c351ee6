"""One level (items, brands or categories) at one cut-off: its base scorers, side by side.

The same code describes the past for training, for the backtest and for tonight: only the cut-off
differs, and nothing after it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from scoring.history import BOUGHT, ENGAGED, History
from scoring.models import BaseScorer, Floats, Ints
from scoring.models.activity import Activity
from scoring.models.affinity import Affinity
from scoring.models.cooccurrence import Cooccurrence
from scoring.models.ease import Ease
from scoring.models.popularity import Popularity
from scoring.models.repeat import RepeatIntensity

PERSONAL, POPULAR, COLLABORATIVE = 60, 60, 100  # candidates a customer
ENGAGED_HALF_LIVES_DAYS = (1.0, 3.0, 7.0, 21.0)


@dataclass(frozen=True)
class Level:
    """``scorers``: by name, in feature order; ``parents``: for items, the repeat intensity of the
    item's brand and category with int32[n_items] maps; ``known``: bool[n_customers]."""

    name: str
    scorers: Mapping[str, BaseScorer]
    parents: Mapping[str, tuple[RepeatIntensity, Ints]]
    n_customers: int
    n_targets: int

    @classmethod
    def fit(cls, history: History, level: str, cutoff: int, affinity: Affinity) -> Self:
        """Fits every base scorer of a level on what happened before ``cutoff`` (hours)."""
        of_item, size = history.catalogue.of_item, history.catalogue.size
        view = history.view(level, cutoff)
        n_known = int(history.known_customers(cutoff).sum())
        scorers: dict[str, BaseScorer] = {
            "repeat": RepeatIntensity.fit(view),
            "popularity": Popularity.fit(view, n_known),
            "activity": Activity.fit(history.visits(cutoff), view),
            "ease": Ease.fit(view),
            "affinity": affinity.of(level),
        }
        if level == "item":
            scorers["cooccurrence"] = Cooccurrence.fit(view)
        if (history.kind == ENGAGED).any():
            engaged = history.view(level, cutoff, ENGAGED)
            scorers["engaged"] = RepeatIntensity.fit(engaged, ENGAGED_HALF_LIVES_DAYS)
        parents = {}
        if level == "item":
            for parent in ("brand", "category"):
                up = RepeatIntensity.fit(history.view_of(of_item[parent], size(parent), cutoff))
                parents[parent] = (up, of_item[parent])
        return cls(level, scorers, parents, history.n_customers, size(level))

    @property
    def features(self) -> tuple[str, ...]:
        own = [f"{n}.{f}" for n, scorer in self.scorers.items() for f in scorer.features]
        up = [f"{n}.{f}" for n, (scorer, _) in self.parents.items() for f in scorer.features]
        return (*own, *up, "bought_a_visit")

    def describe(self, customer: Ints, target: Ints) -> Floats:
        """float32[n, len(features)]: everything the base scorers say of the pairs."""
        parts = {name: scorer.describe(customer, target) for name, scorer in self.scorers.items()}
        columns = list(parts.values())
        for scorer, parent_of in self.parents.values():
            parent = parent_of[target]
            up = scorer.describe(customer, np.maximum(parent, 0))
            up[parent < 0] = np.nan
            columns.append(up)
        visits = parts["activity"][:, 2:3]
        columns.append(parts["repeat"][:, 2:3] / np.maximum(visits, 0.5))
        return np.column_stack(columns)

    def candidates(self) -> tuple[Ints, Ints]:
        """(customer, target), sorted and distinct: habits, best sellers and what like minds buy."""
        repeat, popularity = self.scorers["repeat"], self.scorers["popularity"]
        like = self.scorers.get("cooccurrence", self.scorers["ease"])
        pairs = [repeat.propose(PERSONAL, self.n_customers)]
        pairs.append(like.propose(COLLABORATIVE, self.n_customers))
        if like is not self.scorers["ease"]:
            pairs.append(self.scorers["ease"].propose(COLLABORATIVE // 2, self.n_customers))
        best = popularity.best(POPULAR)
        everyone = np.arange(self.n_customers, dtype=np.int32)
        pairs.append((np.repeat(everyone, len(best)), np.tile(best, self.n_customers)))
        key = np.unique(
            np.concatenate([c.astype(np.int64) * self.n_targets + t for c, t in pairs])
        )
        return (key // self.n_targets).astype(np.int32), (key % self.n_targets).astype(np.int32)
