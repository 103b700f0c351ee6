"""A snapshot of a large shop, made up in a minute: what a night would have published, in size and
shape, without the night.

    python -m benchmarks.shop_at_scale FOLDER [--customers N] [--items N]

Customers share tastes, and a few items, brands and categories stand in most lists: the entropy of
an entry, over that of one drawn evenly, is that of the demo's night for items (0.79) and higher for
brands (0.78 here, 0.71 there) and categories (0.85, 0.80). A customer has 50 items, 100 brands and
20 categories, reasons for the first ten items, and extras: three due and four watched items,
consent, time zone, up to two messages; up to six items were bought and are not due. The same
numbers give the same bytes.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from scoring import columns as c
from scoring import snapshot
from scoring.reasons.reason import CODE_SHIFT, CODES, MOST_REASONS, PARAMETERS, SHIFTS
from scoring.snapshot import Snapshot, SnapshotMeta
from scoring.snapshot_schema import ROW_GROUP, SCHEMAS, SnapshotTables, completed

CUTOFF = datetime(2026, 3, 2, tzinfo=UTC)
TODAY = int(CUTOFF.timestamp()) // 86_400
WORKSPACE = "scale"
TASTES, LIKED = 200, 30_000  # groups of customers who like the same, and how much each likes
ITEMS, BRANDS, CATEGORIES, EXPLAINED = 50, 100, 20, 10  # a customer
DUE, WATCHED, MOST_SENT, MOST_OUT = 3, 4, 2, 6
RELATED, TOGETHER, POPULAR, ARRIVALS = 20, 10, 500, 300
ZONES = ("America/New_York", "Asia/Seoul", "Europe/Berlin", "Europe/London")
CHANNELS = ("email", "kakao", "push", "sms")


@dataclass(frozen=True)
class Size:
    """How large the shop is."""

    customers: int = 1_000_000
    items: int = 100_000
    brands: int = 6_000
    categories: int = 300
    aliases: int = 0  # identifiers beside the customers' own


def customer_name(number: int) -> str:
    """The id of a customer: customer-0000001."""
    return f"customer-{number:07d}"


def item_name(number: int) -> str:
    """The id of an item: item-000001."""
    return f"item-{number:06d}"


def write(folder: Path, size: Size, *, seed: int = 1) -> Snapshot:
    """The snapshot below ``folder`` (a workspace's), opened."""
    random = np.random.default_rng(seed)
    target = folder / "snapshots" / CUTOFF.strftime("%Y%m%dT%H%M%SZ")
    meta = SnapshotMeta(target.name, WORKSPACE, CUTOFF, CUTOFF, horizon_days=7)
    tables = SnapshotTables(
        items=_items(random, size),
        brands=pa.table({c.BRAND: [f"Brand {number:04d}" for number in range(size.brands)]}),
        categories=pa.table({c.CATEGORY: [_category(n) for n in range(size.categories)]}),
        scores=_scores(random, size),
        identifiers=_identifiers(random, size),
        related=_related(random, size.items),
        popular=_best(np.arange(min(POPULAR, size.items)), 0.2),
        arrivals=_best(np.sort(random.permutation(size.items)[:ARRIVALS]), 0.01),
    )
    snapshot.write(target, meta, tables)
    return Snapshot.open(target, verify=False)


def _category(number: int) -> str:
    return f"Department {number % 20:02d} > Category {number:03d}"


def _items(random: np.random.Generator, size: Size) -> pa.Table:
    number = np.arange(size.items)
    price = np.round(np.exp(random.normal(10, 0.8, size.items)), -2)
    stock = random.integers(0, 500, size.items)
    consumable = random.random(size.items) < 0.3
    sale = random.random(size.items) < 0.05
    fresh = random.random(size.items) < 0.02
    names = [item_name(each) for each in range(size.items)]
    tags = [
        ["new"] * new + ["sale"] * low
        for new, low in zip(fresh.tolist(), sale.tolist(), strict=True)
    ]
    table = pa.table({
        c.ITEM_ID: names,
        c.NAME: [f"Product {each} of a middling length, 500 ml" for each in names],
        c.BRAND: [f"Brand {each:04d}" for each in random.zipf(1.3, size.items) % size.brands],
        c.CATEGORY: [_category(each) for each in (number % size.categories).tolist()],
        c.PRICE: price,
        c.MARGIN: price * random.uniform(0.1, 0.5, size.items),
        c.URL: [f"https://shop.example.com/products/{each}" for each in names],
        c.IMAGE_URL: [f"https://cdn.example.com/images/{each}/800x800.jpg" for each in names],
        c.SELLABLE: stock > 0,
        c.STOCK: stock,
        c.TAGS: pa.array(tags, pa.list_(pa.string())),
        c.REPEAT_DAYS: np.where(consumable, random.integers(7, 90, size.items), 0),
        c.NEW_SINCE: np.where(fresh, TODAY - random.integers(0, 30, size.items), 0),
        c.PRICE_BEFORE: pa.array(price * 1.2, pa.float64(), mask=~sale),
    })  # fmt: skip
    return completed("items", table)


def _scores(random: np.random.Generator, size: Size) -> pa.Table:
    tastes = _tastes(random, size)
    pieces = [
        _customers(random, size, tastes, range(start, min(start + ROW_GROUP, size.customers)))
        for start in range(0, size.customers, ROW_GROUP)
    ]
    return pa.concat_tables(pieces)


def _tastes(random: np.random.Generator, size: Size) -> dict[str, np.ndarray]:
    """int32[TASTES, n]: what each taste likes, best first: mostly what sells best."""
    return {
        name: np.array([
            np.argsort(np.log(np.arange(1, rows + 1)) + random.normal(0, 0.8, rows))[:LIKED]
            for _ in range(TASTES)
        ], np.int32)
        for name, rows in (
            (c.ITEM_INDEX, size.items), (c.BRAND_INDEX, size.brands),
            (c.CATEGORY_INDEX, size.categories),
        )
    }  # fmt: skip


def _customers(
    random: np.random.Generator, size: Size, tastes: dict[str, np.ndarray], which: range
) -> pa.Table:
    rows = len(which)
    taste = random.integers(0, TASTES, rows)
    lists = {
        name: _chosen(random, tastes[name][taste], most, power)
        for name, most, power in (
            (c.ITEM_INDEX, ITEMS, 6),
            (c.BRAND_INDEX, BRANDS, 9),
            (c.CATEGORY_INDEX, CATEGORIES, 5),
        )
    }
    likely = np.exp(random.normal(-1.6, 0.8, (rows, 1))).clip(0.001, 0.95)
    table = pa.table({
        c.CUSTOMER_ID: [customer_name(number) for number in which],
        c.ITEM_INDEX: _lists(lists[c.ITEM_INDEX]),
        c.ITEM_PROBABILITY: _lists(_falling(random, likely, ITEMS, 0.7)),
        c.BRAND_INDEX: _lists(lists[c.BRAND_INDEX]),
        c.BRAND_PROBABILITY: _lists(_falling(random, likely * 1.05, BRANDS, 0.9)),
        c.CATEGORY_INDEX: _lists(lists[c.CATEGORY_INDEX]),
        c.CATEGORY_PROBABILITY: _lists(_falling(random, likely * 1.05, CATEGORIES, 0.8)),
        c.PURCHASE_PROBABILITY: likely[:, 0].astype(np.float32),
        c.EXPECTED_PURCHASES: (likely[:, 0] * 6).astype(np.float32),
        c.ITEM_REASONS: _lists(_reasons(random, rows).reshape(rows, -1)),
        **_extras(random, lists[c.ITEM_INDEX], size),
    })  # fmt: skip
    return completed("scores", table)


def _chosen(random: np.random.Generator, liked: np.ndarray, most: int, power: float) -> np.ndarray:
    """int[rows, most]: distinct, the more from the front of what the taste likes the higher the
    ``power``."""
    rows, width = liked.shape
    most = min(most, width)
    even = (np.arange(most) + random.random((rows, most))) / most
    free = np.maximum(np.floor(width * even**power).astype(np.int64) - np.arange(most), 0)
    places = np.maximum.accumulate(free, axis=1) + np.arange(most)
    places = np.minimum(places, np.arange(width - most, width))
    return np.take_along_axis(liked, places, axis=1)


def _falling(random: np.random.Generator, first: np.ndarray, most: int, power: float) -> np.ndarray:
    """float32[rows, most]: probabilities, each customer's falling as steeply as they like."""
    steepness = random.normal(power, 0.15, (len(first), 1)).clip(0.2)
    falls = first * np.arange(1, most + 1) ** -steepness
    noise = random.normal(0, 0.05, falls.shape).cumsum(axis=1)
    return -np.sort(-(falls * np.exp(np.minimum(noise, 0))), axis=1).clip(-0.99).astype(np.float32)


def _reasons(random: np.random.Generator, rows: int) -> np.ndarray:
    """uint32[rows, EXPLAINED, 3]: one to three different reasons an item."""
    pairs = np.array([len(names) for names in PARAMETERS.values()])
    start = random.integers(0, len(CODES), (rows, EXPLAINED, 1))
    code = (start + np.array([0, 3, 7])) % len(CODES)
    first = random.geometric(0.2, code.shape)
    second = np.minimum(random.geometric(0.02, code.shape), 700)
    number = (code + 1) << CODE_SHIFT
    number |= np.where(pairs[code] > 0, first, 0) << SHIFTS[0]
    number |= np.where(pairs[code] > 1, second, 0) << SHIFTS[1]
    told = np.arange(MOST_REASONS) <= random.integers(0, MOST_REASONS, (rows, EXPLAINED, 1))
    return np.where(told, number, 0).astype(np.uint32)


def _extras(random: np.random.Generator, items: np.ndarray, size: Size) -> dict[str, pa.Array]:
    rows = len(items)
    due = random.permuted(items[:, :20], axis=1)[:, :DUE]
    watched = random.integers(0, size.items, (rows, WATCHED))
    sent = random.integers(0, MOST_SENT + 1, rows)
    ends = np.concatenate([[0], np.cumsum(sent)])
    out = random.integers(0, MOST_OUT + 1, rows)
    outs = np.concatenate([[0], np.cumsum(out)])
    taken = random.permuted(items[:, :20], axis=1)[:, :MOST_OUT]
    channels = np.array(CHANNELS)[random.integers(0, len(CHANNELS), ends[-1])]
    return {
        c.TIMEZONE: _names(random, ZONES, rows),
        c.AD_CONSENT: pa.array(random.random(rows) < 0.7),
        c.NIGHT_CONSENT: _names(random, ('{"push":false}', '{"kakao":true,"push":true}'), rows),
        c.DUE_INDEX: _lists(due),
        c.DUE_DAY: _lists(TODAY + np.sort(random.integers(-7, 60, due.shape), axis=1)),
        c.DUE_INTERVAL: _lists(random.integers(5, 120, due.shape)),
        c.WATCHED_INDEX: _lists(watched),
        c.WATCHED_EVENT: _lists(random.choice([0, 0, 2, 15], watched.shape)),
        c.WATCHED_DAY: _lists(TODAY - np.sort(random.integers(0, 60, watched.shape), axis=1)),
        c.WATCHED_PRICE: _lists(np.round(np.exp(random.normal(10, 0.8, watched.shape)), -2)),
        c.SENT_CHANNEL: pa.ListArray.from_arrays(ends, pa.array(channels, pa.string())),
        c.SENT_DAY: pa.ListArray.from_arrays(
            ends, pa.array(TODAY - random.integers(0, 14, ends[-1]), pa.uint32())
        ),
        c.BOUGHT_INDEX: pa.ListArray.from_arrays(
            outs, pa.array(taken[np.arange(MOST_OUT) < out[:, None]], pa.uint32())
        ),
        c.BOUGHT_UNTIL: pa.ListArray.from_arrays(
            outs, pa.array(TODAY + random.integers(1, 60, outs[-1]), pa.uint32())
        ),
    }


def _names(random: np.random.Generator, names: tuple[str, ...], rows: int) -> pa.Array:
    """One of the names each, some null."""
    number = pa.array(random.integers(0, len(names), rows), mask=random.random(rows) < 0.1)
    return pa.array(names).take(number)


def _lists(values: np.ndarray) -> pa.ListArray:
    """Every row a list: indexes as uint32, scores as they are."""
    kind = {"f4": pa.float32(), "f8": pa.float64()}.get(values.dtype.str[1:], pa.uint32())
    offsets = np.arange(0, values.size + 1, max(values.shape[1], 1), dtype=np.int32)
    return pa.ListArray.from_arrays(offsets, pa.array(values.ravel(), kind))


def _identifiers(random: np.random.Generator, size: Size) -> pa.Table:
    owner = random.integers(0, size.customers, size.aliases)
    return pa.table({
        c.IDENTIFIER_KIND: pa.array([c.DEVICE_ID] * size.aliases, pa.string()),
        c.IDENTIFIER: pa.array([f"device-{n:07d}" for n in range(size.aliases)], pa.string()),
        c.CUSTOMER_ID: pa.array([customer_name(n) for n in owner.tolist()], pa.string()),
    })  # fmt: skip


def _related(random: np.random.Generator, items: int) -> pa.Table:
    """Every item has related ones, every second one such as are bought together with it."""

    def scored(rows: int, most: int) -> tuple[pa.ListArray, pa.ListArray]:
        index = random.integers(0, items, (rows, most))
        score = -np.sort(-random.exponential(0.1, (rows, most)), axis=1)
        return _lists(index), _lists(score.astype(np.float32))

    related, together = scored(items, RELATED), scored(items, TOGETHER)
    return pa.table({
        c.ITEM_INDEX: pa.array(np.arange(items), pa.uint32()),
        "related_index": related[0], "related_score": related[1],
        "together_index": together[0], "together_score": together[1],
    })  # fmt: skip


def _best(indexes: np.ndarray, first: float) -> pa.Table:
    score = (first / np.arange(1, len(indexes) + 1) ** 0.5).astype(np.float32)
    schema = SCHEMAS["popular"]
    return pa.table([pa.array(indexes, pa.uint32()), pa.array(score)], schema=schema)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--customers", type=int, default=Size.customers)
    parser.add_argument("--items", type=int, default=Size.items)
    arguments = parser.parse_args()
    made = write(arguments.folder, Size(arguments.customers, arguments.items))
    print(made.folder)


if __name__ == "__main__":
    main()
