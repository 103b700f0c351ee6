"""What the customer looked at and can have now: back in stock, or for less."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from plugin.content.asked import FILTERED, NO_PRICE_DROP, NOTHING_BACK, Asked, Entry, Picked
from plugin.content.choosing import chosen
from plugin.content.defaults import BACK_DAYS, LEAST_DROP
from plugin.content.kinds.cart import moment
from plugin.content.known import DAY_S, bought, cutoff_s
from plugin.content.taste import Taste
from plugin.content.watching import Seen, seen

Tell = Callable[[Asked, Seen], Mapping[str, Any] | None]


def back_in_stock(asked: Asked) -> Picked:
    """Items that could not be sold, can be sold again, and were not looked at since then."""
    return _watched(asked, _back, NOTHING_BACK)


def price_drop(asked: Asked) -> Picked:
    """Items that cost less than when the customer looked, or than in the last days."""
    return _watched(asked, _dropped, NO_PRICE_DROP)


def _watched(asked: Asked, tell: Tell, nothing: str) -> Picked:
    sellable = asked.reading.published.catalogue.sellable
    told = {}
    for each in seen(asked):
        if sellable(each.number):
            extra = tell(asked, each)
            if extra is not None:
                how = {"watched": each.event_type, "watched_at": moment(each.at_s)}
                told[each.number] = how | dict(extra)
    taste = Taste.of(asked)
    found = [entry._replace(extra=told[entry.number]) for entry in taste.ordered(told)]
    entries: list[Entry] = chosen(asked, found, bought(asked))
    if entries:
        return Picked(entries)
    return Picked([], FILTERED if found and asked.filters else nothing)


def _back(asked: Asked, each: Seen) -> Mapping[str, Any] | None:
    since_s, by_s = _back_since(asked, each.number)
    within_s = asked.arguments.get("within_days", BACK_DAYS) * DAY_S
    oldest_s = cutoff_s(asked.reading.published) - within_s
    if not since_s or since_s < oldest_s or each.at_s >= by_s:
        return None
    return {"back_since": datetime.fromtimestamp(since_s, UTC).date().isoformat()}


def _back_since(asked: Asked, number: int) -> tuple[float, float]:
    """Since when the item can be sold again (0: it always could), and by when it could at the
    latest, in seconds since 1970: of the night only the day is known."""
    published = asked.reading.published
    day_s = published.catalogue.back_since[number] * DAY_S
    back_s = published.catalogue.back_s(number)
    if back_s is not None and back_s >= day_s:
        return back_s, back_s
    return day_s, min(day_s + DAY_S, cutoff_s(published))


def _dropped(asked: Asked, each: Seen) -> Mapping[str, Any] | None:
    catalogue, number = asked.reading.published.catalogue, each.number
    now = catalogue.price(number)
    then = each.price
    if then is None:
        known = (catalogue.price_before[number], catalogue.price_at_night(number))
        then = max((price for price in known if price is not None and price == price), default=None)
    least = asked.arguments.get("min_drop", LEAST_DROP)
    if now is None or then is None or then <= now or then - now < least * then:
        return None
    return {
        "price_then": then,
        "price_drop": round(then - now, 2),
        "drop_share": round((then - now) / then, 3),
    }
