"""Items that nobody bought yet: what describes them, and items that are taken for such.

Few items are sold for the first time in any one window, so the stacker for never-sold items also
learns from items whose sales are hidden from the base scorers (as dropout prepares a model for cold
start, Volkovs et al. 2017). They sell better than new ones: both teach who buys, and the genuine
ones alone how many do (prior correction, King and Zeng 2001). What only a target's own sales can
tell is blank in all rows, so no tree asks for it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scoring.history import BOUGHT, History
from scoring.level import Level, wider
from scoring.models import Ints
from scoring.models.content import Content

SHARE = 0.1  # of the items sold before a cut-off: so many can go without changing what is a habit
# scorers and parents that need no sale of it
TOLD = (
    "activity", "engaged", "content", "brand", "category", "kind", "kind_brand", "category_brand",
)  # fmt: skip


def some_sold(history: History, cutoff: int, rng: np.random.Generator) -> Ints:
    """int32[m], sorted: a random SHARE of the items sold before ``cutoff`` (hours)."""
    _, item, _ = history.select(BOUGHT, end=cutoff)
    sold = np.flatnonzero(np.bincount(item[item >= 0], minlength=history.catalogue.n_items))
    return np.sort(rng.choice(sold, round(SHARE * len(sold)), replace=False)).astype(np.int32)


def hiding(level: Level, history: History, items: Ints, cutoff: int) -> Level:
    """The item level at ``cutoff`` (hours) as if nobody had ever bought ``items``.

    Only the scorers that TOLD names are right for these items; the others stay as they were. When
    and how often customers come is known all the same, and so is what they looked at.
    """
    hidden = np.zeros(history.catalogue.n_items + 1, dtype=bool)  # the last one: no item
    hidden[items] = True
    past = history.where((history.kind != BOUGHT) | ~hidden[history.item])
    scorers = dict(level.scorers)
    if "content" in scorers:
        scorers["content"] = Content.fit(past, level.of_item, level.n_targets, cutoff)
    parents = {name: up for name, up in wider(past, cutoff).items() if name in level.parents}
    return replace(level, scorers=scorers, parents=parents)


def blank(level: Level) -> NDArray[np.bool_]:
    """bool[n_features]: says nothing of an item that nobody bought."""
    return np.array([feature.split(".")[0] not in TOLD for feature in level.features])
