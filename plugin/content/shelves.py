"""The published items by brand, category and tag: where a filter leaves few, others are found here.

A shelf list is made in one pass over a generation when it is first needed (some tens of
milliseconds for a hundred thousand items) and kept for it.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable, Iterator, Mapping

from plugin.content.filters import Sieve, folded
from plugin.content.remembered import Remembered
from scoring.store.published import PublishedSnapshot

Shelves = Mapping[Hashable, "array[int]"]
MOST = 2000  # items of the shelves that are looked at for one answer
_KEPT = 8  # generations a process works with at a time, twice

_brands: Remembered[Shelves] = Remembered(_KEPT)
_categories: Remembered[Shelves] = Remembered(_KEPT)
_tags: Remembered[Shelves] = Remembered(_KEPT)
_popularity: Remembered[Mapping[int, float]] = Remembered(_KEPT)


def popularity(published: PublishedSnapshot) -> Mapping[int, float]:
    """Number → share of customers who bought it lately; best sellers only."""
    return _popularity.get(published.generation, lambda: dict(published.popular_entries))


def of_brand(published: PublishedSnapshot, index: int) -> Iterable[int]:
    """Numbers of the items of a brand."""
    return _by_brand(published).get(index, ())


def of_category(published: PublishedSnapshot, index: int) -> Iterable[int]:
    """Numbers of the items of a category."""
    return _by_category(published).get(index, ())


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


def _on(shelves: Shelves, names: Iterable[int] | Iterable[str]) -> Iterator[int]:
    for name in sorted(names):  # type: ignore[type-var]
        yield from shelves.get(name, ())


def _by_brand(published: PublishedSnapshot) -> Shelves:
    return _brands.get(published.generation, lambda: _shelves(published.catalogue.brand))


def _by_category(published: PublishedSnapshot) -> Shelves:
    return _categories.get(published.generation, lambda: _shelves(published.catalogue.category))


def _by_tag(published: PublishedSnapshot) -> Shelves:
    def make() -> Shelves:
        found: dict[Hashable, array[int]] = {}
        for number in range(len(published.catalogue)):
            for tag in published.catalogue.tags(number):
                found.setdefault(folded(tag), array("I")).append(number)
        return found

    return _tags.get(published.generation, make)


def _shelves(column: Iterable[int]) -> Shelves:
    found: dict[Hashable, array[int]] = {}
    for number, index in enumerate(column):
        if index >= 0:
            found.setdefault(index, array("I")).append(number)
    return found
