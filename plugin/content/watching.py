"""What a customer has looked at, carted or wished for and not bought: of now and of the night."""

from __future__ import annotations

from typing import NamedTuple

from plugin.content.asked import Asked
from plugin.content.known import DAY_S, extras
from scoring.columns import CART, INTEREST, PURCHASE, VIEW

WATCHING = (VIEW, CART, INTEREST)


class Seen(NamedTuple):
    """The newest look at an item by its published number: how, when, what it cost (None: not
    known)."""

    number: int
    event_type: str
    at_s: float
    price: float | None


def seen(asked: Asked) -> list[Seen]:
    """Newest first, each item once; what was bought since then is left out. Raises RecordError."""
    number_of = asked.reading.published.catalogue.number
    found: dict[int, Seen] = {}
    bought: set[int] = set()
    for event in asked.reading.recent:  # newest first
        number = number_of(event.item_id)
        if number is None:
            continue
        if event.event_type == PURCHASE:
            bought.add(number)
        elif event.event_type in WATCHING and number not in bought:
            _note(found, Seen(number, event.event_type, event.at_s, event.price))
    for number, event_type, day, price in extras(asked).watched:
        if number not in bought:
            _note(found, Seen(number, event_type, day * DAY_S, price))
    return sorted(found.values(), key=lambda each: (-each.at_s, each.number))


def _note(found: dict[int, Seen], more: Seen) -> None:
    """The newest look holds; its price may come from an older one."""
    held = found.get(more.number)
    if held is None:
        found[more.number] = more
    elif held.price is None and more.price is not None:
        found[more.number] = held._replace(price=more.price)
