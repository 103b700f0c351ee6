"""What the marketer wants shown rather: scores are multiplied, and the order follows."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.content.filters import brands_named, categories_under, folded
from plugin.content.remembered import Remembered
from scoring.store.catalogue import Catalogue
from scoring.store.published import PublishedSnapshot

BRAND, CATEGORY, TAG, MARGIN = "brand", "category", "tag", "margin"
BOOSTED = (BRAND, CATEGORY, TAG)
LEAST, MOST = 0.01, 100.0  # of a factor
_KEPT = 1024


@dataclass(frozen=True, slots=True)
class Boost:
    """Items of a brand, a category (path or beginning of one) or with a tag count ``factor`` times;
    for ``margin`` the score is multiplied by (margin / mean margin) to the power of ``factor``."""

    what: str
    name: str
    factor: float


class Lift:
    """Boosts made ready for one generation."""

    __slots__ = ("_brands", "_categories", "_margin", "_mean", "_tags")

    def __init__(self, boosts: tuple[Boost, ...], published: PublishedSnapshot) -> None:
        self._brands: dict[int, float] = {}
        self._categories: dict[int, float] = {}
        self._tags: dict[str, float] = {}
        self._margin = 0.0
        for boost in boosts:
            what, name, factor = boost.what, boost.name, boost.factor
            if what == BRAND:
                _multiply(self._brands, brands_named(published, [name]), factor)
            elif what == CATEGORY:
                _multiply(self._categories, categories_under(published, [name]), factor)
            elif what == TAG:
                _multiply(self._tags, [folded(name)], factor)
            else:
                self._margin += factor
        self._mean = mean_margin(published) if self._margin else 1.0

    def of_brand(self, index: int) -> float:
        """By what the score of a brand as such is multiplied."""
        return self._brands.get(index, 1.0)

    def of_category(self, index: int) -> float:
        """Likewise of a category."""
        return self._categories.get(index, 1.0)

    def factor(self, catalogue: Catalogue, number: int) -> float:
        """By what an item's score is multiplied, above 0. An item without a known margin counts as
        one of the mean margin; one that earns nothing as one of a hundredth of it."""
        factor = self._brands.get(catalogue.brand[number], 1.0)
        factor *= self._categories.get(catalogue.category[number], 1.0)
        if self._tags:
            for tag in catalogue.tags(number):
                factor *= self._tags.get(folded(tag), 1.0)
        if self._margin:
            margin = catalogue.margin[number]
            if margin == margin:  # NaN is none
                factor *= max(margin / self._mean, LEAST) ** self._margin
        return factor


_lifts: Remembered[Lift] = Remembered(_KEPT)
_means: Remembered[float] = Remembered(8)


def lift(boosts: tuple[Boost, ...], published: PublishedSnapshot) -> Lift | None:
    """The boosts for this snapshot; None without any."""
    if not boosts:
        return None
    return _lifts.of(published, lambda: Lift(boosts, published), boosts)


def mean_margin(published: PublishedSnapshot) -> float:
    """Of the published items with a margin above 0; 1 without any."""

    def mean() -> float:
        known = [margin for margin in published.catalogue.margin if margin > 0]
        return sum(known) / len(known) if known else 1.0

    return _means.of(published, mean)


def _multiply(
    factors: dict[int, float] | dict[str, float],
    keys: frozenset[int] | list[str],
    factor: float,
) -> None:
    table: dict[int | str, float] = factors  # type: ignore[assignment]
    for key in keys:
        table[key] = table.get(key, 1.0) * factor
