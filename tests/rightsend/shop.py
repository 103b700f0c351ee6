"""A small shop for tests: a workspace of CSV files with real structure, written anew each time.

Customers ``c00`` … buy within a favourite category, and what is sold together is bought together.
"""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
CATEGORIES = ("tea", "coffee", "bread", "cheese")
CONFIGURATION = """\
workspace: shop
as_of: {as_of}
sources:
  - name: orders
    type: file
    table: events
    path: orders.csv
    columns:
      event_id: id
      occurred_at: at
      identifier: customer
      event_type: {{value: purchase}}
      item_id: item
      quantity: pieces
      unit_price: price
  - name: products
    type: file
    table: items
    path: products.csv
    columns: {{item_id: item, name: name, brand: brand, category: category, price: price}}
schedule: {{nightly: null}}
models:
  horizon_days: 7
  min_target_buyers: 3
  affinity_components: 8
  affinity_epochs: 3
{more}
"""
SANDBOX = """\
connections:
  - name: sandbox
    type: sandbox
    attributes:
      - {name: rightsend_top_items, score: top_items, length: 3}
      - {name: rightsend_purchase_probability, score: purchase_probability, round_to: 0.1}
"""


def write(folder: Path, *, customers: int = 60, days: int = 200, more: str = SANDBOX) -> Path:
    """Files and configuration below ``folder``; returns the configuration's path."""
    folder.mkdir(parents=True, exist_ok=True)
    items = [(f"{category}-{n}", category) for category in CATEGORIES for n in range(8)]
    with (folder / "products.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item", "name", "brand", "category", "price"])
        for item, category in items:
            brand = f"brand-{int(item[-1]) % 3}"
            writer.writerow([item, item.replace("-", " no. "), brand, category, 2 + int(item[-1])])
    with (folder / "orders.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "at", "customer", "item", "pieces", "price"])
        writer.writerows(_orders(customers, days))
    path = folder / "shop.yaml"
    path.write_text(CONFIGURATION.format(as_of=AS_OF.isoformat(), more=more))
    return path


def _orders(customers: int, days: int) -> list[tuple[object, ...]]:
    chance = random.Random(7)
    rows: list[tuple[object, ...]] = []
    for number in range(customers):
        favourite = CATEGORIES[number % len(CATEGORIES)]
        day = chance.uniform(0, 6)
        while day < days + 14:  # two weeks beyond as_of
            at = AS_OF - timedelta(days=days) + timedelta(days=day)
            category = favourite if chance.random() < 0.7 else chance.choice(CATEGORIES)
            for item in chance.sample(range(8), 2):
                name = f"{category}-{item}"
                rows.append((f"o{len(rows)}", at.isoformat(), f"c{number:02d}", name, 1, 2 + item))
            day += chance.uniform(2, 6 + number % 5)
    return rows
