"""The marketer's own list in this customer's order."""

from __future__ import annotations

from plugin.content.asked import NO_ITEMS, UNKNOWN_CUSTOMER, Asked, Picked
from plugin.content.choosing import chosen, may_show
from plugin.content.known import bought
from plugin.content.taste import Taste

UNKNOWN, BOUGHT, SOLD_OUT, FILTERED_OUT = "unknown", "bought", "sold_out", "filtered"


def pick(asked: Asked) -> Picked:
    """Those of ``items`` that may be shown: by the customer's own probability where the night knows
    it, the others behind by brand, category and popularity. What is left out is told."""
    catalogue, gone, passes = asked.reading.published.catalogue, bought(asked), may_show(asked)
    numbers: dict[int, None] = {}
    left_out = []
    for item_id in dict.fromkeys(asked.arguments.get("items", ())):
        number = catalogue.number(item_id)
        if number is not None and number not in gone and passes(number):
            numbers[number] = None
            continue
        if number is None:
            why = UNKNOWN
        elif number in gone:
            why = BOUGHT
        else:
            why = FILTERED_OUT if catalogue.sellable(number) else SOLD_OUT
        left_out.append({"id": item_id, "reason": why})
    entries = chosen(asked, Taste.of(asked).ordered(numbers), gone)
    reason = None if asked.reading.record else UNKNOWN_CUSTOMER
    return Picked(entries, reason if entries else NO_ITEMS, {"left_out": left_out})
