"""At most so many items of one brand or category in an answer."""

from __future__ import annotations

from collections.abc import Iterable

from scoring.store.catalogue import Catalogue


class Caps:
    """Counts what an answer holds so far; ``take`` says whether one more item has room."""

    __slots__ = ("_brands", "_catalogue", "_categories", "_per_brand", "_per_category")

    def __init__(
        self,
        catalogue: Catalogue,
        per_brand: int | None,
        per_category: int | None,
        held: Iterable[int] = (),
    ) -> None:
        """``held``: numbers of items that the answer has already."""
        self._catalogue = catalogue
        self._per_brand = per_brand
        self._per_category = per_category
        self._brands: dict[int, int] = {}
        self._categories: dict[int, int] = {}
        for number in held:
            self.take(number)

    def has_room(self, number: int) -> bool:
        """Whether one more such item may be held. Without brand or category (-1) it may."""
        return _room(self._brands, self._catalogue.brand[number], self._per_brand) and _room(
            self._categories, self._catalogue.category[number], self._per_category
        )

    def take(self, number: int) -> bool:
        """Counts the item if it has room."""
        if not self.has_room(number):
            return False
        brand, category = self._catalogue.brand[number], self._catalogue.category[number]
        self._brands[brand] = self._brands.get(brand, 0) + 1
        self._categories[category] = self._categories.get(category, 0) + 1
        return True


def _room(counts: dict[int, int], index: int, most: int | None) -> bool:
    return most is None or index < 0 or counts.get(index, 0) < most
