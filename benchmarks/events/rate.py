"""How many events one web worker takes: in batches of 500, and one a request."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from benchmarks.events.installation import Caller, Installation, running

SECONDS = 8.0
CALLERS = 4


@dataclass(frozen=True)
class Rate:
    """Events a second of one worker process."""

    batch_events_per_s: float
    single_events_per_s: float


def measure(folder: Path) -> Rate:
    with running(folder, workers=1) as installation:
        return Rate(_rate(installation, 500), _rate(installation, 1))


def _rate(installation: Installation, size: int) -> float:
    taken = [0] * CALLERS
    end = time.monotonic() + SECONDS

    def call(number: int) -> None:
        at = datetime.now(UTC).isoformat()
        with Caller(installation.port, installation.key) as caller:
            while time.monotonic() < end:
                events = [_event(f"{size}-{number}-{taken[number] + n}", at) for n in range(size)]
                body = orjson.dumps({"events": events} if size > 1 else events[0])
                status, _ = caller.post("/v1/events", body)
                taken[number] += size * (status == 202)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(CALLERS)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(sum(taken) / (time.monotonic() - started), 1)


def _event(event_id: str, at: str) -> dict[str, object]:
    return {
        "event_id": event_id,
        "occurred_at": at,
        "identifier": f"customer-{hash(event_id) % 5000}",
        "event_type": "view",
        "item_id": f"item-{hash(event_id) % 997}",
    }
