"""A shop of a dozen items in memory, one customer of it, and a kind asked as a template asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from plugin.content.asked import Asked, Picked
from plugin.content.kinds import KINDS
from plugin.content.picking import picked
from scoring.store.bought_packing import packed_bought
from scoring.store.catalogue import Item, pack_chunk
from scoring.store.extras import Extras, ExtrasNames, pack_extras
from scoring.store.live import LiveItem
from scoring.store.packing import Ranked, pack_customers, pack_relations
from scoring.store.published import Layout, PublishedSnapshot, in_memory, pack_relations_chunk
from scoring.store.reading import Reading
from scoring.store.reasons_packing import Tail
from scoring.store.recent_record import RecentEvent
from scoring.store.records import EXTRAS_HEAD, CustomerRecord, Widths
from settings.workspace import ContentSettings, SendSettings, WorkspaceSettings
from tests.factories import bought_columns

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # a Monday noon
CUTOFF = NOW - timedelta(hours=9)
TODAY = int(NOW.timestamp()) // 86_400
CUSTOMER = bytes(range(12))
ZONES = ("Asia/Seoul", "America/New_York")
CHANNELS = ("push", "sms", "email")
BRANDS = ["Hill", "Lake", "Sea"]
TEA, COFFEE, TOY = "Food > Tea", "Food > Coffee", "Toys"
CATEGORIES = [COFFEE, TEA, TOY]


def _item(number: int, brand: str, category: str, price: float, **more: Any) -> Item:
    name = f"i{number}"
    url = f"https://shop.example/{name}"
    return Item(name, name.upper(), brand, category, price, f"{url}.jpg", url, **more)


ITEMS = (
    _item(0, "Hill", TEA, 4.0, margin=1.0, repeat_days=14, sold=0.1),
    _item(1, "Hill", TEA, 6.0, margin=3.0, tags=("vegan",), stock=3),
    _item(2, "Lake", TEA, 8.0, margin=2.0, sold=0.01),
    _item(3, "Lake", COFFEE, 9.0, margin=4.0, repeat_days=30, tags=("Vegan", "new")),
    _item(4, "Sea", COFFEE, 12.0, stock=40),
    _item(5, "Sea", COFFEE, 15.0, price_before=20.0),
    _item(6, "Hill", TOY, 30.0, margin=10.0),
    _item(7, "Lake", TOY, 45.0, stock=0, sellable=False),
    _item(8, "Sea", TOY, 60.0, back_since=TODAY - 2),
    _item(9, "Hill", COFFEE, 10.0, new_since=TODAY - 5),
    _item(10, "Sea", TOY, 20.0, new_since=TODAY - 40),
    _item(11, "Lake", TEA, 5.0, new_since=TODAY - 1),
)
POPULAR = [(4, 0.3), (0, 0.25), (7, 0.2), (6, 0.15), (2, 0.1), (8, 0.05), (5, 0.02)]
ARRIVALS = [(10, 0.03), (9, 0.02), (11, 0.01)]
RELATED = {0: [(2, 0.2), (3, 0.1)], 4: [(5, 0.3), (7, 0.2), (9, 0.1)], 6: [(8, 0.4)]}
TOGETHER = {0: [(2, 0.4), (4, 0.05)], 1: [(0, 0.3)], 6: [(10, 0.5)]}
OWN = ((0, 0.4), (3, 0.3), (1, 0.2), (6, 0.1), (5, 0.05), (7, 0.04), (8, 0.02))
OWN_BRANDS = ((0, 0.6), (1, 0.3), (2, 0.02))  # Hill, Lake, Sea
OWN_CATEGORIES = ((1, 0.7), (0, 0.2), (2, 0.1))  # tea, coffee, toys


def _ranked(pairs: Sequence[tuple[int, float]]) -> Ranked:
    numbers = np.array([[number for number, _ in pairs]], np.int64).reshape(1, -1)
    scores = np.array([[score for _, score in pairs]], np.float64).reshape(1, -1)
    return Ranked(np.array([len(pairs)]), numbers, scores)


def ids(found: Picked) -> list[str]:
    """Ids of the items shown."""
    return [f"i{entry.number}" for entry in found.entries]


def snapshot(live: Mapping[int, LiveItem] | None = None, *, generation: str = "g1", items=ITEMS):
    """What a night published; ``live`` over it."""
    layout = Layout(
        generation, {"snapshot": "20260302T030000Z", "cutoff": CUTOFF.isoformat()}, 1, len(items),
        BRANDS, CATEGORIES, POPULAR, ARRIVALS, ZONES, CHANNELS,
    )  # fmt: skip
    width = layout.widths.items
    relations = [
        pack_relations(_ranked(RELATED.get(n, [])), _ranked(TOGETHER.get(n, ())), width)[0]
        for n in range(len(items))
    ]
    brands, categories = ({n: i for i, n in enumerate(each)} for each in (BRANDS, CATEGORIES))
    published: PublishedSnapshot = in_memory(
        layout, [pack_chunk(items, brands, categories)], [pack_relations_chunk(relations)]
    )
    return published.with_live(live) if live else published


SNAPSHOT = snapshot()


def record(
    items: Sequence[tuple[int, float]] = OWN,
    brands: Sequence[tuple[int, float]] = OWN_BRANDS,
    categories: Sequence[tuple[int, float]] = OWN_CATEGORIES,
    bought: Mapping[int, int] = MappingProxyType({}),
    **extras: Any,
) -> CustomerRecord:
    """A packed customer, as the store holds one; ``bought``: items that are out by the night,
    with the day from which each may be shown again."""
    widths = Widths.of(len(ITEMS), len(BRANDS), len(CATEGORIES))
    tail = pack_extras(Extras(**extras), ExtrasNames(ZONES, CHANNELS))
    raw = EXTRAS_HEAD.pack(len(tail)) + tail
    matrix = np.frombuffer(raw, np.uint8).reshape(1, -1)
    (packed,) = pack_customers(
        (_ranked(items), _ranked(brands), _ranked(categories)),
        widths, np.array([0.5]), np.array([1.0]),
        extras=Tail(matrix, np.array([len(raw)])) if tail else None,
        bought=packed_bought(pa.table(bought_columns([bought])), np.arange(len(ITEMS))),
    )  # fmt: skip
    return CustomerRecord(packed, widths)


def did(kind: str, item: str, hours_ago: float = 0.5, **more: Any) -> RecentEvent:
    """A recent event."""
    return RecentEvent(kind, item, int((NOW - timedelta(hours=hours_ago)).timestamp()), **more)


SHOP = WorkspaceSettings(
    workspace="shop",
    file=Path("shop.yaml"),
    sources=(),
    content=ContentSettings(currency_rates={"KRW": 1380.0}),
    send=SendSettings(holdouts={"measured": 0.5}),
)


def asking(
    kind: str = "for-you",
    *recent: RecentEvent,
    customer: CustomerRecord | None = None,
    known: bool = True,
    at: datetime = NOW,
    live: Mapping[int, LiveItem] | None = None,
    sent: tuple[float, ...] = (),
    shop: WorkspaceSettings = SHOP,
    who: bytes | None = CUSTOMER,
    **arguments: Any,
) -> Asked:
    """The question with the arguments as a query writes them."""
    loaded = KINDS[kind].arguments().load({name: str(each) for name, each in arguments.items()})
    published = snapshot(live) if live else SNAPSHOT
    mine = (customer or record()) if known else None
    events = tuple(sorted(recent, key=lambda event: -event.at_s))
    limit = loaded.get("limit", shop.content.default_limit)
    return Asked(Reading(published, who, mine, events, sent=sent), loaded, shop, at, limit)


def ask(kind: str = "for-you", *recent: RecentEvent, **how: Any) -> Picked:
    """What the kind picks, with everything around it."""
    return picked(KINDS[kind], asking(kind, *recent, **how))


def sending(**changes: Any) -> WorkspaceSettings:
    """The shop with other rules of sending."""
    return replace(SHOP, send=replace(SHOP.send, **changes))
