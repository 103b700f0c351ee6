"""The marketer's rules for one call: filters, boosts, and at most so many of one kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugin.content.boosts import Boost
from plugin.content.filters import NO_FILTERS, Filters


@dataclass(frozen=True, slots=True)
class Rules:
    """``max_per_brand``, ``max_per_category``: None for no limit; an item without brand or category
    counts against none."""

    filters: Filters = NO_FILTERS
    boosts: tuple[Boost, ...] = ()
    max_per_brand: int | None = None
    max_per_category: int | None = None

    @property
    def capped(self) -> bool:
        return self.max_per_brand is not None or self.max_per_category is not None


NO_RULES = Rules()


def rules(arguments: Mapping[str, Any]) -> Rules | None:
    """From the arguments of a call; None when they set none."""
    filters = Filters(
        brands=arguments.get("brand", ()),
        not_brands=arguments.get("not_brand", ()),
        categories=arguments.get("category", ()),
        not_categories=arguments.get("not_category", ()),
        tags=arguments.get("tag", ()),
        not_tags=arguments.get("not_tag", ()),
        min_price=arguments.get("min_price"),
        max_price=arguments.get("max_price"),
        min_margin=arguments.get("min_margin"),
        min_stock=max(arguments.get("min_stock", 0), int(arguments.get("in_stock", False))),
        exclude=arguments.get("excluded", ()),
    )
    found = Rules(
        filters,
        arguments.get("boost", ()),
        arguments.get("max_per_brand"),
        arguments.get("max_per_category"),
    )
    return None if found == NO_RULES else found
