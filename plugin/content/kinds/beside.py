"""Beside an item: others one may like who looks at it, and what is bought together with it."""

from __future__ import annotations

from collections.abc import Sequence

from plugin.content.asked import NO_SCORES, UNKNOWN_ITEM, Asked, Entry, Picked
from plugin.content.kinds.filling import bought, filled


def related(asked: Asked) -> Picked:
    """Others one may like who looks at this item."""
    number = asked.reading.published.catalogue.number(asked.arguments["item"])
    return _beside(
        asked, number, asked.reading.published.related_of(number) if number is not None else []
    )


def bought_together(asked: Asked) -> Picked:
    """What is frequently bought together with this item."""
    number = asked.reading.published.catalogue.number(asked.arguments["item"])
    return _beside(
        asked, number, asked.reading.published.together_of(number) if number is not None else []
    )


def _beside(asked: Asked, number: int | None, pairs: Sequence[tuple[int, float]]) -> Picked:
    gone = bought(asked)
    sellable = asked.reading.published.catalogue.sellable
    entries = [Entry(*pair) for pair in pairs if pair[0] not in gone and sellable(pair[0])]
    if entries:
        return Picked(entries[: asked.limit])
    if number is None:
        return Picked(filled(asked, [], gone), UNKNOWN_ITEM)
    return Picked(filled(asked, [], gone | {number}), NO_SCORES)
