"""Recommended for this customer: the night's items, best first, but what was bought just now."""

from __future__ import annotations

from plugin.content.asked import NO_SCORES, UNKNOWN_CUSTOMER, Asked, Entry, Picked
from plugin.content.kinds.filling import bought, filled


def pick(asked: Asked) -> Picked:
    """The customer's items; popular ones follow when there are too few."""
    reading = asked.reading
    gone = bought(asked)
    entries: list[Entry] = []
    if reading.record is not None:
        sellable = reading.published.catalogue.sellable
        for some in (asked.limit, None):  # mostly the first ones will do
            entries = [
                Entry._make((*entry, None))
                for entry in reading.record.explained(some)
                if entry[0] not in gone and sellable(entry[0])
            ][: asked.limit]
            if len(entries) == asked.limit:
                return Picked(entries)
    reason = None if entries else NO_SCORES
    if reading.record is None:
        reason = UNKNOWN_CUSTOMER
    return Picked(filled(asked, entries, gone), reason)
