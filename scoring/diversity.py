"""Variety in a list: no two variants of one product, and not everything of one category.

A list is taken apart by what stands before each item: the second of a category counts for less
than its score, the third for less again, as in maximal marginal relevance (Carbonell and Goldstein
1998) with the category as similarity and log-odds as relevance. Of items with the same name the
best stays. Nothing is drawn at random: the same scores give the same list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scoring import columns as c
from scoring.history import Catalogue
from scoring.models import Floats, Ints
from scoring.ranking import Ranked, best

AT_MOST = 1.0  # log-odds that an item loses at diversity 1 for each better one of its category
POOL = 5  # lists so many times as long as what is shown are rearranged
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Variety:
    """``name``, ``category``: int32[n_items], equal for items of one; -1 is like nothing else.

    ``strength``: 0 leaves every list as it is, 1 is most variety.
    """

    name: Ints
    category: Ints
    strength: float

    @classmethod
    def of(cls, items: pa.Table, catalogue: Catalogue, strength: float) -> Self:
        """``items``: row by row the catalogue, with item_id and name."""
        names = zip(items[c.ITEM_ID].to_pylist(), items[c.NAME].to_pylist(), strict=True)
        plain = ["" if name is None or name == id_ else plain_name(name) for id_, name in names]
        number = {"": -1}  # no array of texts: it would hold all at the length of the longest
        numbers = [number.setdefault(text, len(number)) for text in plain]
        return cls(np.array(numbers, dtype=np.int32), catalogue.of_item["category"], strength)

    def best(
        self, customer: Ints, item: Ints, score: Floats, n_customers: int, limit: int
    ) -> Ranked:
        """The ``limit`` first of each customer's list, in the order to be shown; each with its
        own score, which may rise where variety took something forward."""
        if self.strength == 0:
            return best(customer, item, score, n_customers, limit)
        ranked = best(customer, item, score, n_customers, limit * POOL)
        who = np.repeat(np.arange(n_customers, dtype=np.int32), np.diff(ranked.start))
        first = _earlier(who, self.name[ranked.target]) == 0
        who, item, score = who[first], ranked.target[first], ranked.probability[first]
        before = _earlier(who, self.category[item])
        odds = np.clip(score.astype(np.float64), 1e-9, 1 - 1e-9)
        worth = np.log(odds / (1 - odds)) - self.strength * AT_MOST * before
        order = np.lexsort((np.arange(len(who)), -worth, who))
        place = np.arange(len(who)) - np.searchsorted(who, who)  # who is sorted
        kept = order[place < limit]
        count = np.bincount(who[kept], minlength=n_customers)
        start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
        return Ranked(start, item[kept], score[kept])


def plain_name(name: str) -> str:
    """Without regard to case and spaces."""
    return _SPACE.sub(" ", name).strip().casefold()


def _earlier(customer: Ints, group: Ints) -> NDArray[np.int64]:
    """int64[n]: how many entries of the same customer and group stand before each; 0 for none."""
    order = np.lexsort((group, customer))
    ordered = customer[order].astype(np.int64) << 32 | (group[order].astype(np.int64) & 0xFFFFFFFF)
    first = np.append(True, ordered[1:] != ordered[:-1])[: len(order)]
    begin = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    out = np.empty(len(order), dtype=np.int64)
    out[order] = np.arange(len(order)) - begin
    return np.where(group < 0, 0, out)
