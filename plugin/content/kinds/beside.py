"""Beside an item: others one may like who looks at it, and what is bought together with it."""

from __future__ import annotations

from collections.abc import Sequence

from plugin.content.asked import FILTERED, NO_SCORES, UNKNOWN_ITEM, Asked, Picked
from plugin.content.choosing import chosen, filled
from plugin.content.known import bought


def related(asked: Asked) -> Picked:
    """Others one may like who looks at this item."""
    published = asked.reading.published
    number = published.catalogue.number(asked.arguments["item"])
    return _beside(asked, number, () if number is None else published.related_of(number))


def bought_together(asked: Asked) -> Picked:
    """What is frequently bought together with this item."""
    published = asked.reading.published
    number = published.catalogue.number(asked.arguments["item"])
    return _beside(asked, number, () if number is None else published.together_of(number))


def _beside(asked: Asked, number: int | None, pairs: Sequence[tuple[int, float]]) -> Picked:
    gone = bought(asked)
    entries = chosen(asked, pairs, gone)
    if entries:
        return Picked(entries)
    if number is None:
        return Picked(filled(asked, [], gone), UNKNOWN_ITEM)
    reason = FILTERED if pairs and asked.filters else NO_SCORES
    return Picked(filled(asked, [], gone | {number}), reason)
