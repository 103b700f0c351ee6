"""Events through an installation whose processes are killed with SIGKILL at random moments.

Each event is sent until it is acknowledged, as a shop would; what was acknowledged must be in the
lake exactly once when the stream is empty.
"""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
from tqdm import tqdm

from benchmarks.events.installation import WORKSPACE, Caller, Installation, kill, running, until
from scoring.lake import Lake

BATCH = 500
SENDERS = 3
REST_S = 31.0  # between two kills of one program: then it starts again without a growing pause
DRAIN_WITHIN_S = 600.0
TARGETS = ("store", "web", "web worker", "worker", "work-horse")


@dataclass(frozen=True)
class Durability:
    """``in_lake`` are different events; ``duplicates`` and ``lost`` must be 0."""

    sent: int
    acknowledged: int
    in_lake: int
    duplicates: int
    lost: int
    kills: dict[str, int]
    resent: int
    seconds: float


@dataclass
class _Sending:
    """What the senders share."""

    events: int
    began: datetime
    next_batch: int = 0
    acknowledged: set[int] = field(default_factory=set)  # numbers of batches
    attempts: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> int | None:
        with self.lock:
            number = self.next_batch
            if number * BATCH >= self.events:
                return None
            self.next_batch += 1
            return number

    def body(self, number: int) -> bytes:
        last = min((number + 1) * BATCH, self.events)
        return orjson.dumps({"events": [self._event(n) for n in range(number * BATCH, last)]})

    def _event(self, number: int) -> dict[str, object]:
        # days and months apart, as events from phones that were offline are
        at = self.began - timedelta(seconds=number % 3600, days=number % 3)
        return {
            "event_id": f"event-{number}",
            "occurred_at": at.isoformat(),
            "identifier": f"customer-{number % 20_000}",
            "event_type": ("view", "cart", "purchase")[number % 3],
            "item_id": f"item-{number % 997}",
            "quantity": 1,
            "unit_price": 9.99,
        }


def measure(folder: Path, *, events: int, kill_every_s: float, seed: int) -> Durability:
    """``kill_every_s``: on average, at random moments."""
    with running(folder) as installation:
        sending = _Sending(events, datetime.now(UTC))
        over = threading.Event()
        kills: Counter[str] = Counter()
        killer = threading.Thread(
            target=_kill, args=(installation, kills, over, kill_every_s, random.Random(seed))
        )
        started = time.monotonic()
        senders = [
            threading.Thread(target=_send, args=(installation, sending)) for _ in range(SENDERS)
        ]
        for thread in (killer, *senders):
            thread.start()
        _watch(sending, senders)
        over.set()
        killer.join()
        until(lambda: installation.waiting() == 0, "an empty stream", DRAIN_WITHIN_S)
        seconds = time.monotonic() - started
    return _counted(installation, sending, kills, seconds)


def _send(installation: Installation, sending: _Sending) -> None:
    with Caller(installation.port, installation.key) as caller:
        while (number := sending.take()) is not None:
            body = sending.body(number)
            while not _taken(caller, sending, body):
                time.sleep(0.1)
            with sending.lock:
                sending.acknowledged.add(number)


def _taken(caller: Caller, sending: _Sending, body: bytes) -> bool:
    """Whether the batch is acknowledged; without an answer nobody knows, and it is sent again."""
    with sending.lock:
        sending.attempts += 1
    try:
        return caller.post("/v1/events", body)[0] == 202
    except (OSError, http.client.HTTPException):
        return False


def _kill(
    installation: Installation,
    kills: Counter[str],
    over: threading.Event,
    every_s: float,
    chance: random.Random,
) -> None:
    rested = dict.fromkeys(TARGETS, 0.0)
    while not over.wait(chance.uniform(0.2, 1.8) * every_s):
        ready = [name for name in TARGETS if time.monotonic() - rested[name] > REST_S]
        if not ready:
            continue
        name = chance.choice(ready)
        victims = {
            "web worker": installation.victims("web")[1:],
            "work-horse": installation.victims("worker")[1:],
        }.get(name, installation.victims(name)[:1])
        if victims and kill(chance.choice(victims)):
            kills[name] += 1
            rested[name] = time.monotonic()


def _watch(sending: _Sending, senders: list[threading.Thread]) -> None:
    with tqdm(total=sending.events, desc="events", unit="event", unit_scale=True) as bar:
        while any(thread.is_alive() for thread in senders):
            bar.update(min(len(sending.acknowledged) * BATCH, sending.events) - bar.n)
            time.sleep(0.5)


def _counted(
    installation: Installation, sending: _Sending, kills: Counter[str], seconds: float
) -> Durability:
    acknowledged = sum(
        min(BATCH, sending.events - number * BATCH) for number in sending.acknowledged
    )
    lake = Lake(installation.state / "workspaces" / WORKSPACE / "lake")
    rows = lake.events(before=datetime.max.replace(tzinfo=UTC)).select("event_id").to_pyarrow()
    times = Counter(rows["event_id"].to_pylist())
    kept = sum(int(each.removeprefix("event-")) // BATCH in sending.acknowledged for each in times)
    return Durability(
        sent=min(sending.next_batch * BATCH, sending.events),
        acknowledged=acknowledged,
        in_lake=len(times),
        duplicates=times.total() - len(times),
        lost=acknowledged - kept,
        kills={name: kills[name] for name in TARGETS},
        resent=sending.attempts - len(sending.acknowledged),
        seconds=round(seconds, 1),
    )
