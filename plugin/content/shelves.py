"""The published items by brand, category and tag: where a filter leaves few, others are found here.

A shelf list is made in one pass over a generation when it is first needed (some tens of
milliseconds for a hundred thousand items) and kept for it.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest
from typing import Any, NamedTuple

from plugin.content.filters import Sieve, folded
from plugin.content.remembered import Remembered
from scoring.store.published import PublishedSnapshot
from scoring.store.records import Relations


class Level(NamedTuple):
    """Number or index → how likely, and the least of them (0 of nothing)."""

    likely: Mapping[int, float]
    least: float

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, float]]) -> Level:
        likely = dict(pairs)
        return cls(likely, min(likely.values(), default=0.0))


Shelves = Mapping[Hashable, "array[int]"]
MOST = 200  # items of the shelves that are looked at for one answer
_SHOWN = 20  # of a brand's or category's best items
_KEPT = 8  # generations

_brands: Remembered[Shelves] = Remembered(_KEPT)
_categories: Remembered[Shelves] = Remembered(_KEPT)
_tags: Remembered[Shelves] = Remembered(_KEPT)
_relations: Remembered[Relations] = Remembered(1024)
_best: Remembered[list[int]] = Remembered(4096)
_popularity: Remembered[Level] = Remembered(_KEPT)


def popularity(published: PublishedSnapshot) -> Level:
    """Share of customers who bought each best seller lately."""
    return _popularity.of(published, lambda: Level.of(published.popular_entries))


def relations(published: PublishedSnapshot, number: int) -> Relations:
    """What goes with an item; a session asks for the same ones again and again. Raises
    StoreUnavailable("rubbish")."""
    return _relations.of(published, lambda: published.relations_of(number), number)


def best_of_brand(published: PublishedSnapshot, index: int) -> Sequence[int]:
    """Numbers of the brand's most popular items, best first."""
    return _best_of(published, "brand", _by_brand, index)


def best_of_category(published: PublishedSnapshot, index: int) -> Sequence[int]:
    """Likewise of a category."""
    return _best_of(published, "category", _by_category, index)


def _best_of(
    published: PublishedSnapshot,
    level: str,
    shelves: Callable[[PublishedSnapshot], Shelves],
    index: int,
) -> Sequence[int]:
    def make() -> list[int]:
        popular = popularity(published).likely
        on = shelves(published).get(index, ())
        return nsmallest(_SHOWN, on, key=lambda number: (-popular.get(number, 0.0), number))

    return _best.of(published, make, (level, index))


def behind(published: PublishedSnapshot, sieve: Sieve) -> Iterator[int]:
    """Items on the shelves that the filters name (brands, else categories, else tags); none if they
    name no shelf. Whether an item passes is not asked."""
    if sieve.brands is not None:
        return _on(_by_brand(published), sieve.brands)
    if sieve.categories is not None:
        return _on(_by_category(published), sieve.categories)
    if sieve.tags:
        return _on(_by_tag(published), sieve.tags)
    return iter(())


def _on(shelves: Shelves, names: Iterable[Any]) -> Iterator[int]:
    for name in sorted(names):
        yield from shelves.get(name, ())


def _by_brand(published: PublishedSnapshot) -> Shelves:
    return _brands.of(published, lambda: _shelves(published.catalogue.brand))


def _by_category(published: PublishedSnapshot) -> Shelves:
    return _categories.of(published, lambda: _shelves(published.catalogue.category))


def _by_tag(published: PublishedSnapshot) -> Shelves:
    def make() -> Shelves:
        found: dict[Hashable, array[int]] = {}
        for number in range(len(published.catalogue)):
            for tag in published.catalogue.tags(number):
                found.setdefault(folded(tag), array("I")).append(number)
        return found

    return _tags.of(published, make)


def _shelves(column: Iterable[int]) -> Shelves:
    found: dict[Hashable, array[int]] = {}
    for number, index in enumerate(column):
        if index >= 0:
            found.setdefault(index, array("I")).append(number)
    return found
