"""What the log of decisions costs a content call, and what it does while the store is away.

    python -m benchmarks.decisions [--decisions 200000]

Decisions of ten items each out of 100,000, as a campaign makes them. `add_us` is what an answer
waits for; `block_us` is the work for a decision when its block is made and `take_us` the look
whether one is due: together they are the processor time of the log. `bytes` is a decision in the
store and, after draining, on the disk. `away_mb` is how much the process grows while a store that
is away gets all decisions. `drained_per_s`: from blocks into the lake.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis

from plugin.decisions import BLOCK, DecisionLogs
from plugin.metrics import resident_bytes
from scoring.decisions import Decisions
from scoring.store.decisions import Decision, pack_block, unpack_block

ITEMS, SHOWN = 100_000, 10
RUNS = 5  # the quickest counts: others use the machine, too


class Catalogue:
    """Item ids by number."""

    def __init__(self) -> None:
        self._ids = [f"{1_000_000 + number}".encode() for number in range(ITEMS)]

    def id(self, number: int) -> str:
        return self._ids[number].decode()


class Published:
    catalogue = Catalogue()


class Store:
    """Takes everything, or nothing."""

    def __init__(self, *, away: bool = False) -> None:
        self._away = away

    def execute_command(self, *_command: bytes) -> bytes:
        if self._away:
            raise redis.ConnectionError
        return b"1-1"


def campaign(count: int) -> list[Decision]:
    """Decisions about as many customers; best sellers are in many lists."""
    chance, published = random.Random(1), Published()
    return [
        Decision(
            decision_id=chance.randbytes(16).hex(),
            at_s=1_772_409_600.0 + number / 5000,
            kind="for-you",
            campaign="spring",
            channel="email",
            customer=chance.randbytes(12),
            snapshot="20260302T030000Z",
            policy="for-you",
            arm="treatment" if number % 10 else "control",
            reason=None,
            send=bool(number % 10),
            send_reason=None if number % 10 else "holdout",
            numbers=[int(ITEMS * chance.random() ** 4) for _ in range(SHOWN)],
            scores=[chance.random() for _ in range(SHOWN)],
            published=published,
        )
        for number in range(count)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=200_000)
    count = parser.parse_args().decisions
    made = campaign(10_000)
    with tempfile.TemporaryDirectory() as folder:
        result = calls(made, Path(folder)) | blocks(made, count, Path(folder))
        result |= away(made, count, Path(folder))
    print(json.dumps({name: round(value, 2) for name, value in result.items()}))


def calls(made: list[Decision], folder: Path) -> dict[str, float]:
    """Of one call, in microseconds."""
    logs = DecisionLogs(Store())
    log = logs.log("calls", folder)

    def add() -> None:
        for decision in made[: BLOCK - 1]:
            log.add(decision)

    def take() -> None:
        for _ in range(BLOCK - 1):
            log.take()

    best: Counter[str] = Counter()
    for _ in range(RUNS * 10):
        logs.tick(age_s=0)
        for name, work in (("add_us", add), ("take_us", take)):
            took = _seconds(work) / (BLOCK - 1) * 1e6
            best[name] = min(best[name] or took, took)
    logs.close()
    return dict(best)


def blocks(made: list[Decision], count: int, folder: Path) -> dict[str, float]:
    """Of one decision: making its block, its size; and the way of ``count`` into the lake."""
    part = made[:BLOCK]
    took = min(_seconds(lambda: pack_block("p", 0, part)) for _ in range(RUNS * 10))
    packed = [pack_block("p", 0, made[at : at + BLOCK]) for at in range(0, len(made), BLOCK)][:-1]
    size = sum(map(len, packed)) / (len(packed) * BLOCK)
    table, drained = Decisions(folder), 0
    began = time.perf_counter()
    while drained < count:
        batch = []
        for raw in packed:
            batch.append(unpack_block(raw)._replace(first=drained))
            drained += BLOCK
        table.store(batch, at_s=time.time(), secret=None)
    seconds = time.perf_counter() - began
    disk = sum(file.path.stat().st_size for file in table.files())
    return {
        "block_us": took / BLOCK * 1e6,
        "bytes_in_store": size,
        "bytes_on_disk": disk / drained,
        "drained_per_s": drained / seconds,
    }


def away(made: list[Decision], count: int, folder: Path) -> dict[str, float]:
    """``count`` decisions while the store is away."""
    dropped: list[int] = []
    logs = DecisionLogs(Store(away=True), dropped=dropped.append)
    log = logs.log("away", folder)
    before = resident_bytes()
    for number in range(count):
        log.add(made[number % len(made)])
        if number % BLOCK == 0:
            logs.tick(age_s=0)
    grown = resident_bytes() - before
    return {"away_mb": grown / 2**20, "away_kept": count - sum(dropped), "away_of": count}


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
