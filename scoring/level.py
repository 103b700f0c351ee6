"""One level (items, brands or categories) at one cut-off: its base scorers, side by side.

The same code describes the past for training, for the backtest and for tonight: only the cut-off
differs, and nothing after it is read.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from scoring.history import ENGAGED, History, LevelView, distinct
from scoring.models import BaseScorer, Floats, Ints
from scoring.models.activity import Activity
from scoring.models.affinity import Affinity
from scoring.models.content import Content
from scoring.models.ease import Ease
from scoring.models.factors import Factors
from scoring.models.lessons import Lessons
from scoring.models.parts import Part, parts_of, whole
from scoring.models.popularity import Popularity
from scoring.models.repeat import RepeatIntensity
from scoring.models.temporal import Temporal

VISIT_DAYS = Activity.features.index("visit_days")
BUYERS_EVER = Popularity.features.index("buyers_ever")
PERSONAL, POPULAR = 60, 60  # candidates a customer
PROPOSED = {"ease": 60, "temporal": 60, "content": 10, "engaged": 60}
BESIDE = {"item": ("category", "brand"), "brand": ("category",), "category": ("brand",)}
ENGAGED_HALF_LIVES_DAYS = (1.0, 3.0, 7.0, 21.0)


@dataclass(frozen=True)
class Level:
    """``scorers``: by name, in feature order; ``parents``: for items, the repeat intensity of what
    the item belongs to beside others (``Catalogue.wider``) with int32[n_items] maps; ``of_item``:
    int32[n_items], the target that each item belongs to, -1 for none."""

    of_item: Ints
    scorers: Mapping[str, Any]  # BaseScorer, some with more (propose, best)
    parents: Mapping[str, tuple[RepeatIntensity, Ints]]
    n_customers: int
    n_targets: int

    @classmethod
    def fit(
        cls,
        history: History,
        level: str,
        cutoff: int,
        affinity: Affinity,
        window_days: int,
        lessons: Lessons | None = None,
    ) -> Self:
        """Fits every base scorer of a level on what happened before ``cutoff`` (hours).

        ``window_days``: of the label windows, which the temporal ridge learns from too;
        ``lessons``: what it learned at earlier cut-offs.
        """
        of_item, size = history.catalogue.of_item, history.catalogue.size
        view = history.view(level, cutoff)
        scorers = _own_scorers(history, view, of_item[level], cutoff)
        scorers["ease"] = Ease.fit(view)
        beside = [other for other in BESIDE[level] if size(other)]
        scorers["temporal"] = Temporal.fit(
            history, level, cutoff, window_days, beside=beside, lessons=lessons
        )
        scorers["factors"] = Factors.fit(view)
        scorers["affinity"] = affinity.of(level)
        parents: dict[str, tuple[RepeatIntensity, Ints]] = {}
        if level == "item":
            scorers["content"] = Content.fit(history, of_item[level], size(level), cutoff)
            parents = wider(history, cutoff)
        return cls(of_item[level], scorers, parents, history.n_customers, size(level))

    @classmethod
    def fit_group(cls, history: History, of_item: Ints, cutoff: int) -> Self:
        """A level made for the occasion: items with ``of_item`` 0 are one target, -1 are none."""
        view = history.view_of(of_item, 1, cutoff)
        scorers = _own_scorers(history, view, of_item, cutoff)
        return cls(of_item, scorers, {}, history.n_customers, 1)

    def without(self, names: Collection[str]) -> Self:
        """The level as it would be without these scorers or parents, to see what they bring."""
        kept = {name: scorer for name, scorer in self.scorers.items() if name not in names}
        parents = {name: parent for name, parent in self.parents.items() if name not in names}
        return replace(self, scorers=kept, parents=parents)

    @property
    def features(self) -> tuple[str, ...]:
        own = [f"{n}.{f}" for n, scorer in self.scorers.items() for f in scorer.features]
        up = [f"{n}.{f}" for n, (scorer, _) in self.parents.items() for f in scorer.features]
        return (*own, *up, "bought_a_visit")

    @property
    def bought_nothing(self) -> NDArray[np.bool_]:
        """bool[n_customers]: known, if at all, by what they looked at and by their profile."""
        return np.asarray(self.scorers["activity"].table[:, VISIT_DAYS] == 0)

    @functools.cached_property
    def never_sold(self) -> NDArray[np.bool_]:
        """bool[n_targets]."""
        return np.asarray(self.scorers["popularity"].table[:, BUYERS_EVER] == 0)

    def describe(self, customer: Ints, target: Ints) -> Floats:
        """float32[n, len(features)]: everything the base scorers say of the pairs."""
        return whole(self.parts(customer, target), len(customer))

    def parts(self, customer: Ints, target: Ints) -> list[Part]:
        """The same in parts, in feature order."""
        own = {name: parts_of(each, customer, target) for name, each in self.scorers.items()}
        up = [repeat.parts(customer, of[target]) for repeat, of in self.parents.values()]
        recent, visits = (own[name][0].columns(slice(2, 3)) for name in ("repeat", "activity"))
        a_visit = Part((recent / np.maximum(visits, 0.5)).astype(np.float32, copy=False))
        return [*chain(*own.values(), *up), a_visit]

    def candidates(self) -> tuple[Ints, Ints]:
        """(customer, target), sorted and distinct: habits, best sellers, what fits the taste and
        what like minds buy; of those who bought nothing, what they looked at instead of the last.
        """
        nothing, anyone = self.bought_nothing, np.ones(self.n_customers, dtype=bool)
        whose = {"ease": ~nothing, "temporal": ~nothing, "content": anyone, "engaged": nothing}
        pairs = [self.scorers["repeat"].propose(PERSONAL, self.n_customers)]
        for name, limit in PROPOSED.items():
            if name in self.scorers:
                customer, target = self.scorers[name].propose(limit, self.n_customers)
                asked = whose[name][customer]
                pairs.append((customer[asked], target[asked]))
        best = self.scorers["popularity"].best(POPULAR)
        everyone = np.arange(self.n_customers, dtype=np.int32)
        pairs.append((np.repeat(everyone, len(best)), np.tile(best, self.n_customers)))
        key = distinct(np.concatenate([c.astype(np.int64) * self.n_targets + t for c, t in pairs]))
        return (key // self.n_targets).astype(np.int32), (key % self.n_targets).astype(np.int32)


def wider(history: History, cutoff: int) -> dict[str, tuple[RepeatIntensity, Ints]]:
    """The parents of items: habits of what they belong to beside others."""
    parents = {}
    for name, of in history.catalogue.wider.items():
        is_level = name in history.catalogue.names  # whose view others have made already
        size = int(of.max(initial=-1)) + 1
        view = history.view(name, cutoff) if is_level else history.view_of(of, size, cutoff)
        parents[name] = RepeatIntensity.fit(view), of
    return parents


def _own_scorers(
    history: History, view: LevelView, of_item: Ints, cutoff: int
) -> dict[str, BaseScorer]:
    """What can be said of any grouping of items from its own past."""
    scorers: dict[str, BaseScorer] = {
        "repeat": RepeatIntensity.fit(view),
        "popularity": Popularity.fit(view, int(history.known_customers(cutoff).sum())),
        "activity": Activity.fit(history.visits(cutoff), view),
    }
    if (history.kind == ENGAGED).any():
        engaged = history.view_of(of_item, view.n_targets, cutoff, ENGAGED)
        scorers["engaged"] = RepeatIntensity.fit(engaged, ENGAGED_HALF_LIVES_DAYS)
    return scorers
