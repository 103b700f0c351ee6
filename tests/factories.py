"""Small but complete snapshots for tests, the same every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa

from scoring import columns as c
from scoring import snapshot
from scoring.reasons.reason import MOST_REASONS, Reason, encode
from scoring.snapshot import Snapshot, SnapshotMeta
from scoring.snapshot_schema import SCHEMAS, SnapshotTables
from scoring.store.extras import Extras

CUTOFF = datetime(2017, 12, 4, tzinfo=UTC)
# why the first three items of every customer: two reasons, none, one
REASONS = tuple(
    (*encode(why), *[0] * (MOST_REASONS - len(why)))
    for why in (
        (Reason("bought", (3, 200)), Reason("due", (14,))), (), (Reason("best_seller", (120,)),)
    )
)  # fmt: skip
_NUMBERS = pa.list_(pa.uint32())


def customer_ids(count: int) -> list[str]:
    """customer-000, customer-001, …"""
    return [f"customer-{number:03d}" for number in range(count)]


def item_ids(count: int) -> list[str]:
    return [f"item-{number:02d}" for number in range(count)]


def tables(
    *,
    customers: int = 40,
    items: int = 30,
    brands: int = 5,
    categories: int = 4,
    per_customer: int = 10,
    seed: int = 1,
    identifiers: Sequence[tuple[str, str, str]] = (),
    extras: Sequence[Extras] = (),
    arrivals: Sequence[tuple[int, float]] = (),
) -> SnapshotTables:
    """Random scores over a small shop. item-NN is of brand-(NN mod brands) and costs NN + 0.5;
    the last item is not sellable. ``identifiers`` are (kind, identifier, customer_id) rows;
    ``extras`` those of the first customers, items by index."""
    random = np.random.default_rng(seed)
    names = item_ids(items)
    return SnapshotTables(
        items=pa.table({
            c.ITEM_ID: names,
            c.NAME: [f"Item {name[-2:]}" for name in names],
            c.BRAND: [f"brand-{number % brands}" for number in range(items)],
            c.CATEGORY: [f"food > category-{number % categories}" for number in range(items)],
            c.PRICE: [number + 0.5 for number in range(items)],
            c.MARGIN: [0.25 * (number + 0.5) for number in range(items)],
            c.URL: [f"https://shop.example/{name}" for name in names],
            c.IMAGE_URL: [f"https://shop.example/{name}.jpg" for name in names],
            "sellable": [number != items - 1 for number in range(items)],
        }),
        brands=pa.table({c.BRAND: [f"brand-{number}" for number in range(brands)]}),
        categories=pa.table({
            c.CATEGORY: [f"food > category-{number}" for number in range(categories)]
        }),
        scores=_with_extras(
            _scores(random, customers, (items - 1, brands, categories), per_customer), extras
        ),
        identifiers=_identifiers(identifiers),
        related=_related(random, items),
        popular=pa.table({
            c.ITEM_INDEX: pa.array(range(items), pa.uint32()),
            "score": pa.array([1.0 / (number + 1) for number in range(items)], pa.float32()),
        }),
        arrivals=pa.table({
            c.ITEM_INDEX: pa.array([index for index, _ in arrivals], pa.uint32()),
            "score": pa.array([score for _, score in arrivals], pa.float32()),
        }),
    )  # fmt: skip


def make_snapshot(
    workspace_dir: Path,
    name: str = "20171204T000000",
    *,
    workspace: str = "shop",
    customers: int = 40,
    seed: int = 1,
    created_at: datetime = CUTOFF,
    content: SnapshotTables | None = None,
) -> Snapshot:
    """Writes a small snapshot below ``workspace_dir`` and opens it."""
    folder = workspace_dir / "snapshots" / name
    meta = SnapshotMeta(
        snapshot=name,
        workspace=workspace,
        cutoff=CUTOFF,
        created_at=created_at,
        horizon_days=7,
        quality={"lift_at_20": 3.1},
    )
    snapshot.write(folder, meta, content or tables(customers=customers, seed=seed))
    return Snapshot.open(folder)


def _ranked(
    random: np.random.Generator, rows: int, choices: int, length: int
) -> tuple[list[list[int]], list[list[float]]]:
    length = min(length, choices)
    indexes = [random.permutation(choices)[:length].tolist() for _ in range(rows)]
    scores = -np.sort(-random.beta(0.5, 4, (rows, length)).astype(np.float32), axis=1)
    return indexes, np.clip(scores, 1e-4, 1).tolist()


def _scores(
    random: np.random.Generator, customers: int, choices: tuple[int, int, int], length: int
) -> pa.Table:
    items, brands, categories = (_ranked(random, customers, n, length) for n in choices)
    return pa.table({
        c.CUSTOMER_ID: customer_ids(customers),
        c.ITEM_INDEX: items[0], c.ITEM_PROBABILITY: items[1],
        c.BRAND_INDEX: brands[0], c.BRAND_PROBABILITY: brands[1],
        c.CATEGORY_INDEX: categories[0], c.CATEGORY_PROBABILITY: categories[1],
        c.PURCHASE_PROBABILITY: random.random(customers, dtype=np.float32),
        c.EXPECTED_PURCHASES: random.random(customers, dtype=np.float32) * 8,
        c.ITEM_REASONS: pa.array([sum(REASONS[:length], ())] * customers, _NUMBERS),
        c.BEST_HOUR: [None if n % 5 == 4 else n % 24 for n in range(customers)],
    })  # fmt: skip


def _with_extras(scores: pa.Table, extras: Sequence[Extras]) -> pa.Table:
    everyone = [*extras, *[Extras()] * (scores.num_rows - len(extras))]
    for name, column in extras_columns(everyone).items():
        scores = scores.append_column(name, column)
    return scores


def _related(random: np.random.Generator, items: int) -> pa.Table:
    related, together = (_ranked(random, items, items - 1, 6) for _ in range(2))
    return pa.table({
        c.ITEM_INDEX: pa.array(range(items), pa.uint32()),
        "related_index": related[0], "related_score": related[1],
        "together_index": together[0], "together_score": together[1],
    })  # fmt: skip


def _identifiers(rows: Sequence[tuple[str, str, str]]) -> pa.Table:
    names = (c.IDENTIFIER_KIND, c.IDENTIFIER, c.CUSTOMER_ID)
    values = zip(*rows, strict=True) if rows else ((), (), ())
    return pa.table(
        {name: pa.array(column, pa.string()) for name, column in zip(names, values, strict=True)}
    )


def bought_columns(customers: Sequence[Mapping[int, int]]) -> dict[str, pa.Array]:
    """The same for items that are out: item number → the day from which it may be shown again."""
    columns = {
        c.BOUGHT_INDEX: [list(each) for each in customers],
        c.BOUGHT_UNTIL: [list(each.values()) for each in customers],
    }
    schema = SCHEMAS["scores"]
    return {name: pa.array(v, schema.field(name).type) for name, v in columns.items()}


def extras_columns(customers: Sequence[Extras]) -> dict[str, pa.Array]:
    """The columns of a snapshot's scores that hold these, item numbers as item indexes."""
    columns = {
        c.TIMEZONE: [each.timezone for each in customers],
        c.AD_CONSENT: [each.ad_consent for each in customers],
        c.NIGHT_CONSENT: [
            orjson.dumps(dict(each.night_consent)).decode() if each.night_consent else None
            for each in customers
        ],
        c.DUE_INDEX: [[due.number for due in each.due] for each in customers],
        c.DUE_DAY: [[due.due_day for due in each.due] for each in customers],
        c.DUE_INTERVAL: [[due.interval_days for due in each.due] for each in customers],
        c.WATCHED_INDEX: [[seen.number for seen in each.watched] for each in customers],
        c.WATCHED_EVENT: [
            [c.EVENT_TYPES.index(seen.event_type) for seen in each.watched] for each in customers
        ],
        c.WATCHED_DAY: [[seen.day for seen in each.watched] for each in customers],
        c.WATCHED_PRICE: [
            [np.nan if seen.price is None else seen.price for seen in each.watched]
            for each in customers
        ],
        c.SENT_CHANNEL: [[sent.channel for sent in each.sent] for each in customers],
        c.SENT_DAY: [[sent.day for sent in each.sent] for each in customers],
    }
    schema = SCHEMAS["scores"]
    return {name: pa.array(v, schema.field(name).type) for name, v in columns.items()}
