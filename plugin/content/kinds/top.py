"""The customer's brands and categories, best first, each with the best item for the customer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from plugin.content import shelves
from plugin.content.asked import FILTERED, NO_SCORES, UNKNOWN_CUSTOMER, Asked, Entry, Picked
from plugin.content.choosing import may_show
from plugin.content.known import bought
from plugin.content.remembered import Remembered
from plugin.content.taste import Taste
from scoring.store.published import PublishedSnapshot

BestOf = Callable[[PublishedSnapshot, int], Sequence[int]]
_popular: Remembered[list[tuple[int, float]]] = Remembered(8)


def brands(asked: Asked) -> Picked:
    """The customer's brands."""
    published, record = asked.reading.published, asked.reading.record
    ranked = record.brands() if record else _of_best_sellers(published, "brand")
    return _top(asked, ranked, "brands", published.brands, published.catalogue.brand,
                shelves.best_of_brand)  # fmt: skip


def categories(asked: Asked) -> Picked:
    """The customer's categories."""
    published, record = asked.reading.published, asked.reading.record
    ranked = record.categories() if record else _of_best_sellers(published, "category")
    return _top(asked, ranked, "categories", published.categories, published.catalogue.category,
                shelves.best_of_category)  # fmt: skip


def _top(
    asked: Asked,
    ranked: Iterable[tuple[int, float]],
    member: str,
    names: Sequence[str],
    group: Sequence[int],
    best_of: BestOf,
) -> Picked:
    """``group``: index of each item; a brand or category without an item to show is left out."""
    taste, passes, gone = Taste.of(asked), may_show(asked), bought(asked)
    catalogue = asked.reading.published.catalogue
    own: dict[int, list[int]] = {}
    for number in taste.own:  # best first
        own.setdefault(group[number], []).append(number)
    entries: list[Entry] = []
    told: list[dict[str, Any]] = []
    for index, score in ranked:
        if len(entries) == asked.limit:
            break
        candidates = (*own.get(index, ()), *best_of(asked.reading.published, index))
        best = next((n for n in candidates if n not in gone and passes(n)), None)
        if best is None:
            continue
        item = catalogue.item(best)
        reasons = taste.own[best][1] if best in taste.own else ()
        entries.append(Entry(best, score, reasons))
        told.append({"name": names[index], "score": score, "item": item.id,
                     "image_url": item.image_url, "url": item.url})  # fmt: skip
    return Picked(entries, _reason(asked, told), {member: told})


def _reason(asked: Asked, told: Sequence[Any]) -> str | None:
    if asked.reading.record is None:
        return UNKNOWN_CUSTOMER
    if told:
        return None
    return FILTERED if asked.arguments.get("rules") else NO_SCORES


def _of_best_sellers(published: PublishedSnapshot, level: str) -> list[tuple[int, float]]:
    """What best sellers belong to, by the share of customers who bought them."""

    def make() -> list[tuple[int, float]]:
        group = published.catalogue.brand if level == "brand" else published.catalogue.category
        shares: dict[int, float] = {}
        for number, share in published.popular_entries:
            if group[number] >= 0:
                shares[group[number]] = max(shares.get(group[number], 0.0), share)
        return sorted(shares.items(), key=lambda each: (-each[1], each[0]))

    return _popular.of(published, make, level)
