"""Which items an answer may show: the marketer's filters, made ready once for a snapshot.

Names of brands and categories become sets of the layout's indexes, so that an item is judged by
whole numbers. Stock and price are those of now: what changed since the night counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import normalize

from plugin.content.remembered import Remembered
from scoring.store.catalogue import Catalogue
from scoring.store.published import PublishedSnapshot

LEVEL = " > "
_KEPT = 1024  # distinct filters of a process


@dataclass(frozen=True, slots=True)
class Filters:
    """``brands``, ``categories`` (paths or beginnings of paths) and ``tags``: one of them is
    enough; ``not_…``: none may be. Prices, ``min_margin`` in the workspace's currency;
    ``min_stock``: pieces, and an item whose stock is not tracked has enough; ``exclude``: ids."""

    brands: tuple[str, ...] = ()
    not_brands: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    not_categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    not_tags: tuple[str, ...] = ()
    min_price: float | None = None
    max_price: float | None = None
    min_margin: float | None = None
    min_stock: int = 0
    exclude: tuple[str, ...] = ()


NO_FILTERS = Filters()


class Sieve:
    """Filters made ready for one generation. What is not known of an item passes no bound."""

    __slots__ = ("_brands", "_categories", "_filters", "_not_brands", "_not_categories",
                 "_not_tags", "_tags", "_unwanted")  # fmt: skip

    def __init__(self, filters: Filters, published: PublishedSnapshot) -> None:
        self._filters = filters
        self._brands = brands_named(published, filters.brands) if filters.brands else None
        self._not_brands = brands_named(published, filters.not_brands)
        self._categories = (
            categories_under(published, filters.categories) if filters.categories else None
        )
        self._not_categories = categories_under(published, filters.not_categories)
        self._tags = frozenset(map(folded, filters.tags))
        self._not_tags = frozenset(map(folded, filters.not_tags))
        self._unwanted = frozenset(map(published.catalogue.number, filters.exclude))

    @property
    def brands(self) -> frozenset[int] | None:
        """Indexes that may be, None: any."""
        return self._brands

    @property
    def categories(self) -> frozenset[int] | None:
        """Indexes that may be, None: any."""
        return self._categories

    @property
    def tags(self) -> frozenset[str]:
        """One of them has to be there; none: any."""
        return self._tags

    def passes(self, catalogue: Catalogue, number: int) -> bool:
        """Whether the filters let this item through; whether it can be sold is not asked."""
        brand, category = catalogue.brand[number], catalogue.category[number]
        return (
            (self._brands is None or brand in self._brands)
            and (self._categories is None or category in self._categories)
            and brand not in self._not_brands
            and category not in self._not_categories
            and number not in self._unwanted
            and self._within(catalogue, number)
            and self._tagged(catalogue, number)
        )

    def _within(self, catalogue: Catalogue, number: int) -> bool:
        low, high, margin, pieces = (
            self._filters.min_price,
            self._filters.max_price,
            self._filters.min_margin,
            self._filters.min_stock,
        )
        if low is not None or high is not None:
            price = catalogue.price(number)
            if price is None or (low is not None and price < low):
                return False
            if high is not None and price > high:
                return False
        if margin is not None and not catalogue.margin[number] >= margin:  # NaN is none
            return False
        if pieces:
            stock = catalogue.stock(number)
            return stock is None or stock >= pieces
        return True

    def _tagged(self, catalogue: Catalogue, number: int) -> bool:
        if not (self._tags or self._not_tags):
            return True
        own = {folded(tag) for tag in catalogue.tags(number)}
        return (not self._tags or not own.isdisjoint(self._tags)) and own.isdisjoint(self._not_tags)


_sieves: Remembered[Sieve] = Remembered(_KEPT)


def sieve(filters: Filters, published: PublishedSnapshot) -> Sieve | None:
    """The filters for this snapshot; None when they let everything through."""
    if filters == NO_FILTERS:
        return None
    return _sieves.of(published, lambda: Sieve(filters, published), filters)


def brands_named(published: PublishedSnapshot, names: Sequence[str]) -> frozenset[int]:
    """Indexes of the brands so called, without regard to case."""
    wanted = set(map(folded, names))
    if not wanted:
        return frozenset()
    return frozenset(i for i, name in enumerate(published.brands) if folded(name) in wanted)


def categories_under(published: PublishedSnapshot, paths: Sequence[str]) -> frozenset[int]:
    """Indexes of the categories on one of these paths or below it, without regard to case."""
    wanted = [folded_path(path) for path in paths]
    if not wanted:
        return frozenset()
    beginnings = tuple(path + LEVEL for path in wanted)
    names = (folded_path(name) + LEVEL for name in published.categories)
    return frozenset(i for i, name in enumerate(names) if name.startswith(beginnings))


def folded(name: str) -> str:
    """As names are compared: without regard to case, and to how Unicode writes an accent or a
    Korean syllable (files of macOS write its parts)."""
    return normalize("NFC", name.strip().casefold())


def folded_path(path: str) -> str:
    """The same for each level; spaces around ``>`` do not count."""
    return LEVEL.join(folded(level) for level in path.split(">"))
