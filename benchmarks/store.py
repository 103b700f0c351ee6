"""How much memory of Valkey a published snapshot takes.

    python -m benchmarks.store [--customers N] [--items N] [--aliases N]

A made-up shop (benchmarks.shop_at_scale: 50 items, 100 brands, 20 categories, reasons and extras a
customer) is published into an empty Valkey of our own. ``store_mb_per_million``: used_memory with
everything in it, the server's own included, in millions of bytes; with another number of customers
than a million what grows with them is scaled. Beside it what each part takes, by key and within a
customer's record. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.shop_at_scale import WORKSPACE, Size, write
from rightsend.valkey import EmbeddedValkey
from scoring.snapshot import Snapshot
from scoring.store.client import Client, connect
from scoring.store.keys import BUCKETS, Keys
from scoring.store.publish import Publisher
from scoring.store.published import load
from scoring.store.records import (
    CUSTOMER_HEAD,
    EXTRAS_HEAD,
    INDEX_HEAD,
    CustomerRecord,
    Widths,
    alias_target,
)

MILLION = 1_000_000
SAMPLED_BUCKETS = 64
SECRET = b"benchmarks"
PARTS = {":c:": "customers", ":items:": "items", ":related:": "relations", ":meta:": "layout"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--customers", type=int, default=MILLION)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--aliases", type=int, default=0, help="identifiers beside their own")
    arguments = parser.parse_args()
    size = Size(arguments.customers, arguments.items, aliases=arguments.aliases)
    with tempfile.TemporaryDirectory() as scratch:
        snapshot = write(Path(scratch), size)
        with valkey(Path(scratch) / "valkey") as client:
            figures = measured(client, snapshot, Path(scratch))
    print(json.dumps(figures))


@contextmanager
def valkey(folder: Path) -> Iterator[Client]:
    """A server of our own, and a patient client."""
    server = EmbeddedValkey(folder)
    server.start()
    try:
        server.wait_ready()
        with connect(server.url) as client:
            yield client
    finally:
        server.stop()


def measured(client: Client, snapshot: Snapshot, folder: Path) -> dict[str, Any]:
    empty = used(client)
    began = time.monotonic()
    publisher = Publisher(client, WORKSPACE, SECRET, folder)
    generation = publisher.publish(snapshot, ttl_s=86_400, now=snapshot.meta.cutoff)
    seconds = time.monotonic() - began
    total = used(client)
    parts = by_part(client)
    parts["server"] = empty
    parts["other"] = total - sum(parts.values())
    customers = snapshot.meta.customers
    growing = parts["customers"] * (MILLION / customers - 1)
    print(f"\n{'part':<12}{'MB':>10}")
    for name, number in sorted(parts.items(), key=lambda part: -part[1]):
        print(f"{name:<12}{number / 1e6:>10.1f}")
    print(f"\n{'record':<12}{'bytes':>10}   of {customers:,} customers each")
    for name, mean in record_parts(client, generation).items():
        print(f"{name:<12}{mean:>10.1f}")
    return {
        "store_mb_per_million": round((total + growing) / 1e6, 1),
        "used_mb": round(total / 1e6, 1),
        "customers": customers,
        "items": snapshot.meta.items,
        "publish_s": round(seconds, 1),
    }


def used(client: Any) -> int:
    """used_memory, in bytes."""
    return int(client.info("memory")["used_memory"])


def by_part(client: Any) -> dict[str, int]:
    """Bytes by kind of key."""
    parts: dict[str, int] = defaultdict(int)
    for key in client.scan_iter("rs:*", count=1000):
        name = next((name for mark, name in PARTS.items() if mark in key.decode()), "other keys")
        parts[name] += client.memory_usage(key, samples=0)
    return dict(parts)


def record_parts(client: Any, generation: str) -> dict[str, float]:
    """Mean bytes of what a customer's record consists of."""
    keys = Keys(WORKSPACE)
    published = load(client, keys, generation)
    totals: dict[str, int] = defaultdict(int)
    count = 0
    for bucket in islice(range(BUCKETS), SAMPLED_BUCKETS):
        for raw in client.hvals(keys.customers(generation, bucket)):
            if alias_target(raw) is not None:
                continue
            count += 1
            for name, size in lengths(raw, published.widths).items():
                totals[name] += size
    return {name: total / max(count, 1) for name, total in totals.items()}


def lengths(raw: bytes, widths: Widths) -> dict[str, int]:
    """Bytes of each part of a record; lists are their indexes and their scores."""
    record = CustomerRecord(raw, widths)
    _, *head, _, _ = CUSTOMER_HEAD.unpack_from(raw)
    index_bytes = INDEX_HEAD.unpack_from(raw, CUSTOMER_HEAD.size)
    found = {"head": CUSTOMER_HEAD.size + INDEX_HEAD.size}
    for name, size, score_bytes in zip(Widths._fields, index_bytes, head[6:], strict=False):
        found[name] = size
        found[f"{name} p"] = score_bytes
    found["extras"] = EXTRAS_HEAD.size + len(record.extras_raw)
    found["bought"] = 1 + len(record.bought_raw)
    found["reasons"] = len(raw) - sum(found.values())
    return {**found, "all": len(raw)}


if __name__ == "__main__":
    main()
