"""How long until an event has changed the answer, with 500 events a second arriving.

A probe asks for a customer's content, buys the first item, and asks again and again until the item
is gone; another says that an item is sold out, and waits likewise.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from benchmarks.events.installation import WORKSPACE, Caller, Installation, running
from rightsend.context import Context
from scoring import columns as c
from scoring import snapshot
from scoring.snapshot import Snapshot, SnapshotMeta
from scoring.snapshot_schema import SnapshotTables
from scoring.store.publish import Publisher

ARRIVING_PER_S = 500
SENDERS = 4
CUSTOMERS, ITEMS, LISTED = 2_000, 500, 50
GIVE_UP_S = 10.0
NAP_S = 0.002  # between two asks


@dataclass(frozen=True)
class Latency:
    """Milliseconds from before the event was sent until an answer that knows it has arrived.
    ``late``: probes that waited for more than 10 s."""

    arriving_per_s: float
    event_to_answer_p50_ms: float
    event_to_answer_p99_ms: float
    item_to_answer_p50_ms: float
    item_to_answer_p99_ms: float
    probes: int
    late: int


def measure(folder: Path, *, seconds: float) -> Latency:
    with running(folder) as installation:
        _publish(folder, installation)
        end = time.monotonic() + seconds
        arrived = [0] * SENDERS
        threads = [
            threading.Thread(target=_arrive, args=(installation, number, arrived, end))
            for number in range(SENDERS)
        ]
        for thread in threads:
            thread.start()
        bought: list[float] = []
        sold_out: list[float] = []
        with Caller(installation.port, installation.key) as caller:
            number = 0
            while time.monotonic() < end:
                bought.append(_buy(caller, f"customer-{number % CUSTOMERS}"))
                if number % 4 == 0:
                    sold_out.append(_sell_out(caller, f"customer-{number % CUSTOMERS}"))
                number += 1
        for thread in threads:
            thread.join()
    every = [*bought, *sold_out]
    return Latency(
        arriving_per_s=round(sum(arrived) / seconds, 1),
        event_to_answer_p50_ms=_ms(bought, 50),
        event_to_answer_p99_ms=_ms(bought, 99),
        item_to_answer_p50_ms=_ms(sold_out, 50),
        item_to_answer_p99_ms=_ms(sold_out, 99),
        probes=len(every),
        late=sum(each >= GIVE_UP_S for each in every),
    )


def _arrive(installation: Installation, number: int, arrived: list[int], end: float) -> None:
    """This sender's share of the events, each in a request of its own, at an even pace."""
    pause = SENDERS / ARRIVING_PER_S
    due = time.monotonic() + pause * number / SENDERS
    with Caller(installation.port, installation.key) as caller:
        while due < end:
            time.sleep(max(0.0, due - time.monotonic()))
            due += pause
            name = f"{number}-{arrived[number]}"
            body = _event(
                f"customer-{hash(name) % CUSTOMERS}", f"item-{hash(name) % ITEMS}", "view"
            )
            status, _ = caller.post("/v1/events", body)
            arrived[number] += status == 202


def _buy(caller: Caller, customer: str) -> float:
    item = _first(caller, customer)
    started = time.monotonic()
    caller.post("/v1/events", _event(customer, item, c.PURCHASE))
    return _until_gone(caller, customer, item, started)


def _sell_out(caller: Caller, customer: str) -> float:
    item = _first(caller, customer)
    started = time.monotonic()
    caller.post("/v1/items", orjson.dumps({"items": [{"item_id": item, "stock": 0}]}))
    waited = _until_gone(caller, customer, item, started)
    caller.post("/v1/items", orjson.dumps({"items": [{"item_id": item, "stock": 9}]}))
    return waited


def _until_gone(caller: Caller, customer: str, item: str, started: float) -> float:
    while item in _items(caller, customer):
        if time.monotonic() - started > GIVE_UP_S:
            return GIVE_UP_S
        time.sleep(NAP_S)
    return time.monotonic() - started


def _first(caller: Caller, customer: str) -> str:
    return _items(caller, customer)[0]


def _items(caller: Caller, customer: str) -> list[str]:
    _, body = caller.get(f"/v1/content/for-you?customer={customer}&limit=10")
    return [item["id"] for item in orjson.loads(body)["items"]]


def _event(customer: str, item: str, event_type: str) -> bytes:
    return orjson.dumps(
        {
            "occurred_at": datetime.now(UTC).isoformat(),
            "identifier": customer,
            "event_type": event_type,
            "item_id": item,
        }
    )


def _ms(seconds: list[float], percentile: int) -> float:
    return round(float(np.percentile(seconds, percentile)) * 1000, 1)


def _publish(folder: Path, installation: Installation) -> None:
    """Random scores for every customer."""
    context = Context.load(folder / "rightsend.yaml", installation.state)
    now = datetime.now(UTC)
    path = installation.workspace_dir / "snapshots" / "benchmark"
    meta = SnapshotMeta(
        snapshot="benchmark", workspace=WORKSPACE, cutoff=now, created_at=now, horizon_days=7,
        quality={},
    )  # fmt: skip
    snapshot.write(path, meta, _tables())
    with installation.store() as client:
        publisher = Publisher(client, WORKSPACE, context.secret, installation.workspace_dir)
        publisher.publish(Snapshot.open(path), ttl_s=86_400, now=now)


def _tables() -> SnapshotTables:
    chance = np.random.default_rng(1)
    names = [f"item-{number}" for number in range(ITEMS)]
    nothing: list[Any] = [None] * ITEMS
    lists = [chance.permutation(ITEMS)[:LISTED].tolist() for _ in range(CUSTOMERS)]
    scores = (-np.sort(-chance.random((CUSTOMERS, LISTED)))).tolist()
    ones: list[list[int]] = [[0]] * CUSTOMERS
    likely: list[list[float]] = [[0.5]] * CUSTOMERS
    return SnapshotTables(
        items=pa.table({
            c.ITEM_ID: names, c.NAME: names, c.BRAND: ["brand"] * ITEMS,
            c.CATEGORY: ["category"] * ITEMS, c.PRICE: [9.99] * ITEMS,
            c.MARGIN: pa.array(nothing, pa.float64()), c.URL: pa.array(nothing, pa.string()),
            c.IMAGE_URL: pa.array(nothing, pa.string()), "sellable": [True] * ITEMS,
        }),
        brands=pa.table({c.BRAND: ["brand"]}),
        categories=pa.table({c.CATEGORY: ["category"]}),
        scores=pa.table({
            c.CUSTOMER_ID: [f"customer-{number}" for number in range(CUSTOMERS)],
            c.ITEM_INDEX: lists, c.ITEM_PROBABILITY: scores,
            c.BRAND_INDEX: ones, c.BRAND_PROBABILITY: likely,
            c.CATEGORY_INDEX: ones, c.CATEGORY_PROBABILITY: likely,
            c.PURCHASE_PROBABILITY: chance.random(CUSTOMERS),
            c.EXPECTED_PURCHASES: chance.random(CUSTOMERS),
            c.ITEM_REASONS: pa.array([[]] * CUSTOMERS, pa.list_(pa.uint32())),
        }),
        identifiers=pa.table({
            name: pa.array([], pa.string())
            for name in (c.IDENTIFIER_KIND, c.IDENTIFIER, c.CUSTOMER_ID)
        }),
        related=pa.table({
            c.ITEM_INDEX: pa.array([], pa.uint32()),
            **{
                name: pa.array([], pa.list_(pa.uint32() if "index" in name else pa.float32()))
                for name in ("related_index", "related_score", "together_index", "together_score")
            },
        }),
        popular=pa.table({
            c.ITEM_INDEX: pa.array(range(ITEMS), pa.uint32()),
            "score": pa.array([1.0 / (number + 1) for number in range(ITEMS)], pa.float32()),
        }),
    )  # fmt: skip
