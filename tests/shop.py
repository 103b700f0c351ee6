"""A small synthetic shop with structure: favourite categories, usual items, rhythms, baskets.

The same events come as a ``History`` (for models) and as canonical rows in a ``Lake`` (for
everything before it), numbered alike. Days before NOW are the past; some days after it are there to
be judged by, or to show that nothing looks at them.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from scoring import canonical, item_text
from scoring import columns as c
from scoring.history import BOUGHT, CLICKED, ENGAGED, Catalogue, History, hour_of
from scoring.item_text import ItemFacts
from scoring.lake import Lake
from settings.workspace import ModelSettings

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NOW_HOUR = hour_of(NOW)
EVENT_TYPES = {BOUGHT: "purchase", ENGAGED: "view", CLICKED: "click"}
SILENT = 5  # customers without any event
AGES = ("20-39", "40-64", "65+")


@dataclass(frozen=True)
class Item:
    """``stock`` 0 and ``available_from`` after NOW make an item that cannot be bought."""

    item_id: str
    brand: str | None
    category: str | None
    price: float
    stock: int | None = None
    available_from: datetime | None = None


@dataclass(frozen=True)
class Event:
    """``hour``: whole hours since the epoch; ``kind`` as in scoring.history."""

    customer: int
    item: int
    hour: int
    kind: int


@dataclass(frozen=True)
class Shop:
    """``ages``: profile value of each customer; ``favourites``: each customer's categories."""

    customers: list[str]
    ages: list[str]
    favourites: list[tuple[int, int]]
    items: list[Item]
    events: list[Event]


def make_shop(
    *, customers: int = 120, items: int = 60, days: int = 120, days_after: int = 14, seed: int = 7
) -> Shop:
    """8 brands and 6 categories; ``customers`` buy, SILENT more have never done anything.

    The last items: never sold and out of stock, never sold and not yet available, without brand,
    without category.
    """
    chance = random.Random(seed)
    names = [f"customer-{n:03d}" for n in range(customers + SILENT)]
    shop = Shop(
        customers=names,
        ages=[chance.choice(AGES) for _ in names],
        favourites=[(n % 6, chance.randrange(6)) for n in range(len(names))],
        items=_items(items),
        events=[],
    )
    begin, end = NOW_HOUR - 24 * days, NOW_HOUR + 24 * days_after
    for customer in range(customers):
        shop.events.extend(_life(chance, shop, customer, begin, end))
    shop.events.sort(key=lambda e: (e.hour, e.customer, e.item, e.kind))
    return shop


def history(shop: Shop, *, before: datetime | None = NOW) -> History:
    """What features.build would give of the shop's events before ``before`` (None: all)."""
    end = None if before is None else hour_of(before)
    events = [event for event in shop.events if end is None or event.hour < end]
    profile_names, feature = np.unique(shop.ages, return_inverse=True)
    order = np.argsort(feature, kind="stable")
    return History(
        customers=np.array(shop.customers),
        customer=np.array([e.customer for e in events], dtype=np.int32),
        item=np.array([e.item for e in events], dtype=np.int32),
        hour=np.array([e.hour for e in events], dtype=np.int32),
        kind=np.array([e.kind for e in events], dtype=np.int8),
        catalogue=catalogue(shop),
        profile_names=np.array([f"age={name}" for name in profile_names]),
        profile_customer=order.astype(np.int32),
        profile_feature=feature[order].astype(np.int32),
    )


def catalogue(shop: Shop) -> Catalogue:
    names = {"item": np.array([item.item_id for item in shop.items])}
    of_item = {"item": np.arange(len(shop.items), dtype=np.int32)}
    for level in ("brand", "category"):
        values = [getattr(item, level) for item in shop.items]
        distinct = sorted({value for value in values if value is not None})
        names[level] = np.array(distinct)
        of_item[level] = np.array(
            [-1 if value is None else distinct.index(value) for value in values], dtype=np.int32
        )
    sellable = [
        item.stock != 0 and (item.available_from is None or item.available_from <= NOW)
        for item in shop.items
    ]
    price = np.array([item.price for item in shop.items], dtype=np.float32)
    facts = ItemFacts(
        text=[item.item_id.title() for item in shop.items],
        brand=[item.brand for item in shop.items],
        category=[item.category for item in shop.items],
        price=price,
    )
    content = item_text.vectors(facts)
    centres, kinds = item_text.centres(content), item_text.kinds(content)
    named = item_text.named_kinds(facts.text, of_item["category"])
    return Catalogue(names, of_item, price, np.array(sellable), content, centres, kinds, named)


def fill(lake: Lake, shop: Shop, *, before: datetime | None = None) -> None:
    """Writes items, customers and the events (before ``before``) into the lake."""
    lake.upsert(canonical.ITEMS, item_rows(shop), batch="items")
    lake.upsert(canonical.CUSTOMERS, customer_rows(shop), batch="customers")
    lake.append_events(event_rows(shop, before=before), batch="events")


def item_rows(shop: Shop) -> pa.Table:
    rows = [{**vars(item), "name": item.item_id.title()} for item in shop.items]
    return pa.Table.from_pylist(rows, schema=canonical.schema(canonical.ITEMS))


def customer_rows(shop: Shop) -> pa.Table:
    rows = [
        {c.CUSTOMER_ID: customer, c.ATTRIBUTES: json.dumps({"age": age})}
        for customer, age in zip(shop.customers, shop.ages, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=canonical.schema(canonical.CUSTOMERS))


def event_rows(shop: Shop, *, before: datetime | None = None) -> pa.Table:
    """Canonical events, each some minutes into its hour."""
    rows = [
        {
            c.EVENT_ID: f"e{number:06d}",
            c.OCCURRED_AT: datetime.fromtimestamp(event.hour * 3600 + number % 3600, UTC),
            c.IDENTIFIER: shop.customers[event.customer],
            c.IDENTIFIER_KIND: c.EXTERNAL_ID,
            c.EVENT_TYPE: EVENT_TYPES[event.kind],
            c.ITEM_ID: shop.items[event.item].item_id,
            c.QUANTITY: 1.0 if event.kind == BOUGHT else None,
            c.UNIT_PRICE: shop.items[event.item].price if event.kind == BOUGHT else None,
        }
        for number, event in enumerate(shop.events)
    ]
    rows = [row for row in rows if before is None or row[c.OCCURRED_AT] < before]
    return pa.Table.from_pylist(rows, schema=canonical.schema(canonical.EVENTS))


def quick_models(**changes: object) -> ModelSettings:
    """Settings with which the shop is trained in a few seconds."""
    values = {"affinity_components": 4, "affinity_epochs": 2, "min_target_buyers": 3}
    return ModelSettings(**{**values, **changes})  # type: ignore[arg-type]


def no_progress(step: str, done: int, total: int | None) -> None:
    """Progress of nobody's interest."""


def _items(count: int) -> list[Item]:
    items = [
        Item(f"item-{n:02d}", f"brand-{n % 8}", f"food > category-{n % 6}", 1.0 + n % 7)
        for n in range(count - 4)
    ]
    later = NOW + timedelta(days=30)
    n = count - 4
    return [
        *items,
        Item(f"item-{n:02d}", "brand-0", "food > category-0", 3.0, stock=0),
        Item(f"item-{n + 1:02d}", "brand-1", "food > category-1", 3.0, available_from=later),
        Item(f"item-{n + 2:02d}", None, "food > category-2", 3.0),
        Item(f"item-{n + 3:02d}", "brand-3", None, 3.0),
    ]


def _life(chance: random.Random, shop: Shop, customer: int, begin: int, end: int) -> list[Event]:
    """A customer's visits: now and then one looks first; some click on a message."""
    sold = len(shop.items) - 4
    favourite = [n for n in range(sold) if n % 6 in shop.favourites[customer]]
    usual = chance.sample(favourite, 3)
    gap_days = chance.uniform(2, 12)
    events: list[Event] = []
    hour = begin + chance.uniform(0, 24 * gap_days)
    while hour < end:
        basket = {item for item in usual if chance.random() < 0.5}
        basket.add(chance.choice(favourite))
        if chance.random() < 0.3:  # everybody's best sellers have low numbers
            basket.add(min(int(chance.expovariate(0.1)), sold - 1))
        if chance.random() < 0.1:  # without brand, without category
            basket.add(chance.choice((sold + 2, sold + 3)))
        at = int(hour)
        events += [Event(customer, item, at, BOUGHT) for item in sorted(basket)]
        if chance.random() < 0.5:
            events += [Event(customer, item, at - 2, ENGAGED) for item in sorted(basket)[:2]]
        if chance.random() < 0.2:
            events.append(Event(customer, chance.choice(usual), at - 3, CLICKED))
        hour += max(chance.gauss(24 * gap_days, 12), 6)
    if not any(event.hour < NOW_HOUR for event in events):  # born too late: one visit at least
        events.append(Event(customer, usual[0], NOW_HOUR - 48, BOUGHT))
    return events
