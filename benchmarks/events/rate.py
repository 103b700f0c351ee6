"""How many events one web worker takes: in batches of 500, and one a request.

By the clock, which tells of the machine's other work too, and by the processor time of the worker.
"""

from __future__ import annotations

import os
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
    """Events a second, and a second of processor time, of one worker process."""

    batch_events_per_s: float
    batch_events_per_cpu_s: float
    single_events_per_s: float
    single_events_per_cpu_s: float


def measure(folder: Path) -> Rate:
    with running(folder, workers=1) as installation:
        return Rate(*_rate(installation, 500), *_rate(installation, 1))


def _rate(installation: Installation, size: int) -> tuple[float, float]:
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
    started, used = time.monotonic(), _cpu_s(installation)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, cpu_s = time.monotonic() - started, _cpu_s(installation) - used
    return round(sum(taken) / seconds, 1), round(sum(taken) / cpu_s, 1)


def _cpu_s(installation: Installation) -> float:
    """Processor time of the web processes, proc(5)."""
    ticks = 0
    for pid in installation.victims("web"):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _event(event_id: str, at: str) -> dict[str, object]:
    return {
        "event_id": event_id,
        "occurred_at": at,
        "identifier": f"customer-{hash(event_id) % 5000}",
        "event_type": "view",
        "item_id": f"item-{hash(event_id) % 997}",
    }
