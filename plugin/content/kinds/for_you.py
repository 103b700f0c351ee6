"""Recommended for this customer: the night's items, moved by what the customer does now."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from plugin.content import session
from plugin.content.asked import (
    FILTERED,
    NO_SCORES,
    UNKNOWN_CUSTOMER,
    Asked,
    Picked,
    plain_entries,
)
from plugin.content.choosing import chosen, filled
from plugin.content.known import bought, cutoff_s
from plugin.content.shelves import relations


def pick(asked: Asked) -> Picked:
    """The customer's items; the best others follow when there are too few."""
    reading = asked.reading
    record, gone = reading.record, bought(asked)
    if record is not None and not reading.recent and asked.arguments.get("rules") is None:
        first = record.explained(asked.limit)  # mostly these will do
        sellable = reading.published.catalogue.all_sellable([each[0] for each in first])
        if sellable and len(first) == asked.limit:
            return Picked(plain_entries(first))
    scored: Iterable[tuple[Any, ...]] = record.explained() if record is not None else ()
    if reading.recent:
        scored = moved(asked, scored)
    entries = chosen(asked, scored, gone)
    if len(entries) == asked.limit:
        return Picked(entries)
    return Picked(filled(asked, entries, gone), None if entries else _reason(asked))


def moved(asked: Asked, scored: Iterable[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
    """(number, score, reasons) with the session folded in."""
    published = asked.reading.published
    catalogue = published.catalogue
    found = session.signals(asked.reading.recent, catalogue.number, cutoff_s(published))
    if not found:
        return scored
    done = session.effect(found, partial(relations, published), catalogue.sold)
    return session.fold(scored, done, session.InSight.of(found, catalogue.category))


def _reason(asked: Asked) -> str:
    if asked.reading.record is None:
        return UNKNOWN_CUSTOMER
    return FILTERED if asked.filters else NO_SCORES
