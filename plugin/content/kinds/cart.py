"""The cart reminder: what lies in the cart, for how long, and what has changed since.

The newest events of an item decide: a cart event puts it in (its quantity counts, 1 without one), a
cart event of quantity 0 or a purchase takes it out. What was carted before those events, and not
bought since, the night knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from plugin.content import session
from plugin.content.asked import EMPTY_CART, FILTERED, Asked, Entry, Picked
from plugin.content.choosing import chosen, followed, lifted, may_show, rounded
from plugin.content.defaults import CART_DAYS, LOW_STOCK
from plugin.content.known import DAY_S, bought, cutoff_s, extras
from plugin.content.session import Signal
from plugin.content.shelves import relations
from scoring.columns import CART, PURCHASE
from scoring.store.recent_record import RecentEvent

SOLD_OUT, UNKNOWN = "sold_out", "unknown"


class Carted(NamedTuple):
    """One item in the cart: since when, how many pieces, what one cost then (None: not known)."""

    item_id: str
    added_s: float
    quantity: float
    price: float | None


def pick(asked: Asked) -> Picked:
    """What lies in the cart, newest first; with ``fill``, what goes with it behind."""
    catalogue = asked.reading.published.catalogue
    entries: list[Entry] = []
    unavailable: list[dict[str, str]] = []
    lying = contents(asked)
    for carted in lying:
        number = catalogue.number(carted.item_id)
        if number is None or not catalogue.sellable(number):
            reason = UNKNOWN if number is None else SOLD_OUT
            unavailable.append({"id": carted.item_id, "reason": reason})
        else:
            entries.append(Entry(number, 1.0, (), _told(asked, number, carted)))
    shown = chosen(asked, entries, frozenset())
    members = {"cart": _summary(asked, entries, lying, unavailable)}
    if not shown:
        return Picked([], FILTERED if entries else EMPTY_CART, members)
    if asked.arguments.get("fill"):
        shown = _with_others(asked, shown, {entry.number for entry in entries})
    return Picked(shown, None, members)


def contents(asked: Asked) -> list[Carted]:
    """What lies in the cart, newest first, as far back as ``within_days`` before the night or the
    newest event, whichever is later."""
    recent = asked.reading.recent
    found = in_cart(recent)
    told = {event.item_id for event in recent if event.event_type in (CART, PURCHASE)}
    catalogue = asked.reading.published.catalogue
    for watched in extras(asked).watched:
        if watched.event_type == CART:
            item_id = catalogue.id(watched.number)
            if item_id not in told:
                found.append(Carted(item_id, watched.day * DAY_S, 1.0, watched.price))
    newest_s = max([cutoff_s(asked.reading.published), *(event.at_s for event in recent[:1])])
    since_s = newest_s - asked.arguments.get("within_days", CART_DAYS) * DAY_S
    kept = [carted for carted in found if carted.added_s >= since_s]
    return sorted(kept, key=lambda carted: (-carted.added_s, carted.item_id))


def in_cart(recent: Iterable[RecentEvent]) -> list[Carted]:
    """What the events (newest first) leave in the cart."""
    lying: dict[str, Carted] = {}
    for event in reversed(list(recent)):
        if event.event_type == PURCHASE or (event.event_type == CART and event.quantity == 0):
            lying.pop(event.item_id, None)
        elif event.event_type == CART:
            before = lying.get(event.item_id)
            lying[event.item_id] = Carted(
                event.item_id,
                before.added_s if before else event.at_s,
                1.0 if event.quantity is None else event.quantity,
                event.price if event.price is not None or before is None else before.price,
            )
    return list(lying.values())


def _told(asked: Asked, number: int, carted: Carted) -> dict[str, Any]:
    catalogue = asked.reading.published.catalogue
    price, stock = catalogue.price(number), catalogue.stock(number)
    drop = None
    if price is not None and carted.price is not None:
        drop = max(round(carted.price - price, 2), 0.0)
    return {
        "in_cart": True,
        "added_at": moment(carted.added_s),
        "hours_in_cart": max(int(asked.now.timestamp() - carted.added_s) // 3600, 0),
        "quantity": carted.quantity,
        "price_then": carted.price,
        "price_drop": drop,
        "stock": stock,
        "low_stock": stock is not None and stock <= asked.arguments.get("low_stock", LOW_STOCK),
    }


def _summary(
    asked: Asked,
    entries: Iterable[Entry],
    lying: Sequence[Carted],
    unavailable: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    price = asked.reading.published.catalogue.price
    there = list(entries)
    quantities = [entry.extra["quantity"] for entry in there if entry.extra]
    prices = [price(entry.number) for entry in there]
    known = [p * q for p, q in zip(prices, quantities, strict=True) if p is not None]
    return {
        "items": len(there),
        "quantity": sum(quantities),
        "total": round(sum(known), 2),
        "oldest_added_at": moment(min(each.added_s for each in lying)) if lying else None,
        "unavailable": unavailable,
    }


def _with_others(asked: Asked, shown: list[Entry], in_it: set[int]) -> list[Entry]:
    """The same, and behind it what goes with the cart: related and bought together."""
    published = asked.reading.published
    done = session.effect(
        [Signal(number, 1.0) for number in sorted(in_it)],
        partial(relations, published),
        published.catalogue.sold,
    )
    gone, passes = bought(asked) | in_it, may_show(asked)
    best = sorted(
        (each for each in done.more.items() if each[0] not in gone and passes(each[0])),
        key=lambda each: (-each[1], each[0]),
    )
    others = [Entry(n, rounded(score), (), {"in_cart": False}) for n, score in best]
    return followed(asked, shown, lifted(asked, others))


def moment(at_s: float) -> str:
    """ISO 8601, UTC, whole seconds."""
    return datetime.fromtimestamp(int(at_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
