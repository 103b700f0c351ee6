"""New arrivals in this customer's order: nobody has bought them yet, so brand, category and price
speak for them, beside what the night expects of each."""

from __future__ import annotations

from itertools import islice

from plugin.content.asked import FILTERED, NO_ARRIVALS, Asked, Entry, Picked
from plugin.content.choosing import chosen, filled, may_show
from plugin.content.known import DAY_S, bought, cutoff_s, iso_day
from plugin.content.taste import Taste

MOST = 200  # arrivals that are put in order


def pick(asked: Asked) -> Picked:
    """New items, those first that suit this customer; in the night's order for a customer whom
    nobody knows."""
    published = asked.reading.published
    catalogue, gone, passes = published.catalogue, bought(asked), may_show(asked)
    taste = Taste.of(asked)
    since = 0
    if "within_days" in asked.arguments:
        since = int(cutoff_s(published)) // DAY_S - asked.arguments["within_days"]
    new = (each for each in published.arrivals if catalogue.new_since[each[0]] >= since)
    first = islice((each for each in new if passes(each[0])), MOST)
    found = [
        Entry(number, taste.of_new(number, expected), (), _told(catalogue.new_since[number]))
        for number, expected in first
    ]
    found.sort(key=lambda entry: -entry.score)  # stable: equal ones in the night's order
    entries = chosen(asked, found, gone)
    if entries:
        return Picked(entries)
    reason = FILTERED if published.arrivals and asked.filters else NO_ARRIVALS
    return Picked(filled(asked, [], gone), reason)


def _told(new_since: int) -> dict[str, str] | None:
    if not new_since:
        return None
    return {"new_since": iso_day(new_since)}
