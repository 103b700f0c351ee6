"""The marketer's own list in this customer's order."""

from __future__ import annotations

from plugin.content.asked import NO_ITEMS, UNKNOWN_CUSTOMER, Asked, Entry, Picked
from plugin.content.choosing import caps_of, chosen, may_show
from plugin.content.known import bought
from plugin.content.remembered import Remembered
from plugin.content.taste import Taste

UNKNOWN, BOUGHT, SOLD_OUT, FILTERED_OUT = "unknown", "bought", "sold_out", "filtered"
CAPPED = "capped"  # the answer has as many of its brand or category as it may
_numbers: Remembered[list[tuple[str, int | None]]] = Remembered(256)  # lists of a campaign


def pick(asked: Asked) -> Picked:
    """Those of ``items`` that may be shown: by the customer's own probability where the night knows
    it, the others behind by brand, category and popularity. What is left out is told, but for what
    only the limit cuts off."""
    published, gone, passes = asked.reading.published, bought(asked), may_show(asked)
    catalogue, items = published.catalogue, asked.arguments.get("items", ())
    given = _numbers.of(
        published, lambda: [(each, catalogue.number(each)) for each in items], items
    )
    numbers = []
    left_out = []
    for item_id, number in given:
        if number is None:
            left_out.append({"id": item_id, "reason": UNKNOWN})
        elif number in gone:
            left_out.append({"id": item_id, "reason": BOUGHT})
        elif passes(number):
            numbers.append(number)
        else:
            why = FILTERED_OUT if catalogue.sellable(number) else SOLD_OUT
            left_out.append({"id": item_id, "reason": why})
    entries = chosen(asked, Taste.of(asked).ordered(numbers), gone)
    left_out += [
        {"id": catalogue.id(n), "reason": CAPPED} for n in _capped(asked, numbers, entries)
    ]
    reason = None if asked.reading.record else UNKNOWN_CUSTOMER
    return Picked(entries, reason if entries else NO_ITEMS, {"left_out": left_out})


def _capped(asked: Asked, numbers: list[int], shown: list[Entry]) -> list[int]:
    """Those of ``numbers`` for which the items shown leave no room, whatever the limit."""
    caps = caps_of(asked, (entry.number for entry in shown))
    if caps is None:
        return []
    held = {entry.number for entry in shown}
    return [number for number in numbers if number not in held and not caps.has_room(number)]
