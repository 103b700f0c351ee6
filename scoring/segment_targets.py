"""What a segment request names → the items that it means, in numbers of the history."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from scoring import columns as c
from scoring.history import BOUGHT, History
from scoring.segment_request import Condition, SegmentError, Target

GROUP = "group"  # the level of a target that was made for the occasion
MOST_OF_ALL = 50  # parts of an "all": nobody buys more things at once
PATH_SEPARATOR = " > "  # of category paths


@dataclass(frozen=True)
class Part:
    """One thing that is promoted. ``level``: item, brand, category, or GROUP with number 0;
    ``inside``: bool[n_items], the items that it stands for."""

    level: str
    number: int
    inside: NDArray[np.bool_]


def parts(history: History, items: pa.Table, target: Target, cutoff: int) -> list[Part]:
    """What is to be judged: with ``any`` one part, with ``all`` one for each of the listed.

    ``items``: the snapshot's table of items, in the order of the history's catalogue; ``cutoff``:
    the night's, in hours. Raises SegmentError naming what is unknown, empty or too much.
    """
    named = _named(history, target)
    count = len(named) + bool(target.rule)
    if count == 0:
        raise SegmentError("the target is empty: name items, brands, categories or a rule")
    if target.match == "all" and count > MOST_OF_ALL:
        raise SegmentError(
            f"match all takes at most {MOST_OF_ALL} targets, found {count}: a list of which one is "
            "enough is match any"
        )
    if target.match == "all" or count == 1:
        found = [Part(level, number, _inside(history, level, number)) for level, number in named]
        if target.rule:
            found.append(_of_items(_fulfilling(history, items, target.rule, cutoff)))
        return found
    union = np.zeros(history.catalogue.n_items, dtype=bool)
    for level in {level for level, _ in named}:
        numbers = [number for at, number in named if at == level]
        union |= np.isin(history.catalogue.of_item[level], numbers)
    if target.rule:
        union |= _fulfilling(history, items, target.rule, cutoff)
    return [_of_items(union)]


def _named(history: History, target: Target) -> list[tuple[str, int]]:
    """(level, number) of the listed names, each once."""
    wanted = {"item": target.items, "brand": target.brands, "category": target.categories}
    found, unknown = [], []
    for level, names in wanted.items():
        for name in dict.fromkeys(names):
            at = history.catalogue.find(level, name)
            if at is None:
                unknown.append(f"{level} {name!r}")
            else:
                found.append((level, at))
    if unknown:
        more = f" and {len(unknown) - 10} more" if len(unknown) > 10 else ""
        raise SegmentError(
            f"not in the catalogue: {', '.join(unknown[:10])}{more}; write names as the items "
            "source does"
        )
    return list(dict.fromkeys(found))


def _inside(history: History, level: str, number: int) -> NDArray[np.bool_]:
    return np.asarray(history.catalogue.of_item[level] == number)


def _of_items(inside: NDArray[np.bool_]) -> Part:
    """A group of one item is that item."""
    items = np.flatnonzero(inside)
    if len(items) == 1:
        return Part("item", int(items[0]), inside)
    return Part(GROUP, 0, inside)


def _fulfilling(
    history: History, items: pa.Table, rule: Sequence[Condition], cutoff: int
) -> NDArray[np.bool_]:
    """bool[n_items]: the items that fulfil every condition. Raises SegmentError if none does."""
    inside = np.ones(history.catalogue.n_items, dtype=bool)
    for condition in rule:
        inside &= _fulfils(history, items, condition, cutoff)
    if not inside.any():
        told = " and ".join(f"{each.attribute} {each.operator} {each.value}" for each in rule)
        raise SegmentError(f"no item of the catalogue fulfils the rule: {told}")
    return inside


def _fulfils(
    history: History, items: pa.Table, condition: Condition, cutoff: int
) -> NDArray[np.bool_]:
    operator, value = condition.operator, condition.value
    if not isinstance(value, str):
        if condition.attribute == "days_on_sale":
            number = _days_on_sale(history, cutoff)
        else:
            number = items[condition.attribute].cast(pa.float64()).to_numpy()
        with np.errstate(invalid="ignore"):  # NaN, what is not known, fulfils nothing
            return np.asarray(number >= value if operator == ">=" else number <= value)
    text = pc.utf8_normalize(pc.fill_null(items[condition.attribute], ""), form="NFC")
    text, wanted = pc.utf8_lower(text), unicodedata.normalize("NFC", value).strip().lower()
    if operator == "contains":
        found = pc.match_substring(text, wanted)
    else:
        found = pc.equal(text, wanted)
        if operator == "under":
            found = pc.or_(found, pc.starts_with(text, wanted + PATH_SEPARATOR))
    return np.asarray(found.to_numpy(), dtype=bool)


def _days_on_sale(history: History, cutoff: int) -> NDArray[np.float64]:
    """float64[n_items]: whole days since the first purchase; 0 for what was never sold."""
    bought = (history.kind == BOUGHT) & (history.item >= 0)
    first = np.full(history.catalogue.n_items, cutoff - 1, dtype=np.int64)
    np.minimum.at(first, history.item[bought], history.hour[bought])
    return ((cutoff - 1 - first) // 24).astype(np.float64)


def mean_margin(
    history: History, items: pa.Table, inside: NDArray[np.bool_], share_of_price: float
) -> float:
    """Mean margin of the purchases of the items ``inside``; without any, of those items; 0 if none
    is known. ``share_of_price``: the margin of an item that has none of its own."""
    of_price = history.catalogue.price.astype(np.float64) * share_of_price
    own = items[c.MARGIN].cast(pa.float64()).to_numpy()
    margin = np.where(np.isfinite(own), own, of_price)
    item = history.item[(history.kind == BOUGHT) & (history.item >= 0)]
    found = margin[item[inside[item]]]
    if not np.isfinite(found).any():
        found = margin[inside]
    finite = found[np.isfinite(found)]
    return float(finite.mean()) if len(finite) else 0.0
