"""A shop as CSV files, small enough to train on in seconds, with something of everything.

60 customers ``c00`` … ``c59`` buy mostly within a favourite category, in a rhythm of their own;
24 items, of which NOT_SOLD cannot be bought. Some look first, some get messages and click, one is
known by a device only. The files go two weeks beyond AS_OF.
"""

from __future__ import annotations

import csv
import functools
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from scoring import nightly
from scoring.models import stacker
from scoring.snapshot import Snapshot
from settings.load import load
from settings.workspace import WorkspaceSettings

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
FIRST_DAY = AS_OF - timedelta(days=70)
LAST_DAY = AS_OF + timedelta(days=14)
CUSTOMERS = tuple(f"c{number:02d}" for number in range(60))
CATEGORIES = ("bread", "cheese", "coffee", "tea")
ITEMS = tuple(f"{category}-{n}" for category in CATEGORIES for n in range(6))
SOLD_OUT, NOT_YET = "bread-5", "tea-5"
NOT_SOLD = {SOLD_OUT, NOT_YET}
WITHOUT_CONSENT = set(CUSTOMERS[:10])
OFTEN_TOLD = ("c20", "c21", "c22")  # five messages each in the week before AS_OF
VISITOR = "tablet-1"  # a device that buys and has no name
HEADER = ("id", "at", "kind", "who", "what", "item", "pieces", "price")

CONFIGURATION = """\
workspace: shop
as_of: {as_of}
sources:
  - name: events
    type: file
    table: events
    path: events*.csv
    columns:
      event_id: id
      occurred_at: at
      identifier_kind: kind
      identifier: who
      event_type: what
      item_id: item
      quantity: pieces
      unit_price: price
  - name: products
    type: file
    table: items
    path: products.csv
    columns:
      item_id: item
      name: name
      brand: brand
      category: category
      price: price
      stock: stock
      available_from: from
  - name: people
    type: file
    table: customers
    path: people.csv
    columns: {{customer_id: who, ad_consent: consent, attributes: attributes}}
schedule: {{nightly: null}}
models:
  horizon_days: 7
  training_windows: 2
  min_target_buyers: 3
  affinity_components: 4
  affinity_epochs: 1
  published_items: 8
  published_brands: 2
  published_categories: 3
  related_items: 5
segments: {{max_sends: 5, max_sends_days: 7}}
{more}
"""

Row = Sequence[object]


def write(folder: Path, *, clicks: bool = False, more: str = "") -> Path:
    """Files and configuration below ``folder``; returns the configuration's path.

    ``clicks``: enough clicked messages to learn from. ``more``: further YAML.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _products(folder / "products.csv")
    _people(folder / "people.csv")
    chance = random.Random(5)
    rows = [*_orders(chance), *_looks(chance), *_messages(chance, clicks)]
    add_events(folder, rows, name="events.csv")
    path = folder / "shop.yaml"
    path.write_text(CONFIGURATION.format(as_of=AS_OF.isoformat(), more=more))
    return path


def workspace(folder: Path, **options) -> WorkspaceSettings:
    """The shop's settings, for tests below the command line."""
    path = write(folder, **options)
    settings = load(path, connection_schemas={}, state_dir=folder / "state")
    return settings.workspaces["shop"]


def train_quickly(patch: Callable[[object, str, object], None]) -> None:
    """Few trees; ``patch`` is setattr, or pytest's monkeypatch.setattr."""
    fit = functools.partial(stacker.Stacker.fit, iterations=10)
    patch(stacker.Stacker, "fit", fit)


def night(
    shop: WorkspaceSettings,
    workspace_dir: Path,
    now: datetime = AS_OF,
    *,
    publish: Callable[[Snapshot], None] = lambda _snapshot: None,
    **options: Any,
) -> nightly.RunReport:
    """A night below the command line; what it publishes and syncs goes nowhere."""
    context = nightly.NightlyContext(
        workspace=shop,
        workspace_dir=workspace_dir,
        now=now,
        progress=lambda _what, _done, _total: None,
        publish=publish,
        sync=lambda _snapshot: {},
        **options,
    )
    return nightly.run(context)


def add_events(folder: Path, rows: Iterable[Row], name: str = "events-more.csv") -> None:
    """One more file of events (HEADER's columns)."""
    with (folder / name).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(rows)


def purchase(id_: str, at: datetime, who: str, item: str) -> Row:
    return (id_, at.isoformat(), "external_id", who, "purchase", item, 1, price_of(item))


def price_of(item: str) -> int:
    return 2 + int(item[-1])


def _products(path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("item", "name", "brand", "category", "price", "stock", "from"))
        for item in ITEMS:
            category, _, n = item.partition("-")
            stock = 0 if item == SOLD_OUT else 10
            available = "2027-01-01T00:00:00Z" if item == NOT_YET else ""
            name = f"{category.title()} no. {n}"
            brand = f"brand-{int(n) % 3}"
            writer.writerow((item, name, brand, category, price_of(item), stock, available))


def _people(path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("who", "consent", "attributes"))
        for number, who in enumerate(CUSTOMERS):
            age = "18-34" if number % 2 else "35+"
            writer.writerow((who, who not in WITHOUT_CONSENT, f'{{"age": "{age}"}}'))


def _orders(chance: random.Random) -> list[Row]:
    rows: list[Row] = []
    buyers = [("external_id", who) for who in CUSTOMERS] + [("device_id", VISITOR)]
    for number, (kind, who) in enumerate(buyers):
        favourite = CATEGORIES[number % len(CATEGORIES)]
        at = FIRST_DAY + timedelta(days=chance.uniform(0, 6))
        while at < LAST_DAY:
            category = favourite if chance.random() < 0.75 else chance.choice(CATEGORIES)
            for n in chance.sample(range(6), 2):
                item = f"{category}-{n}"
                stamp = at.isoformat(timespec="seconds")
                rows.append(
                    (f"o{len(rows)}", stamp, kind, who, "purchase", item, 1, price_of(item))
                )
            at += timedelta(days=chance.uniform(2, 5 + number % 6))
    return rows


def _looks(chance: random.Random) -> list[Row]:
    return [
        (f"v{n}", _moment(chance).isoformat(), "external_id", chance.choice(CUSTOMERS), "view",
         chance.choice(ITEMS), "", "")
        for n in range(200)
    ]  # fmt: skip


def _messages(chance: random.Random, clicks: bool) -> list[Row]:
    rows: list[Row] = []

    def add(at: datetime, who: str, what: str, item: str = "") -> None:
        rows.append((f"m{len(rows)}", at.isoformat(), "external_id", who, what, item, "", ""))

    for who in OFTEN_TOLD:
        for day in range(1, 6):
            add(AS_OF - timedelta(days=day, hours=1), who, "message_sent")
    add(AS_OF - timedelta(days=1), "c23", "message_sent")
    for _ in range(900 if clicks else 20):
        add(_moment(chance), chance.choice(CUSTOMERS[:30]), "click", chance.choice(ITEMS))
    return rows


def _moment(chance: random.Random) -> datetime:
    span = (LAST_DAY - FIRST_DAY).total_seconds()
    return FIRST_DAY + timedelta(seconds=round(chance.uniform(0, span)))
