"""Events under way: through the real processes, killed at random; and how soon answers know.

    python -m benchmarks.events [--events 1000000] [--kill-every 8] [--seconds 60] [--json]

Three parts, or those named with ``--only``:

durability  events in batches of 500 while web, worker and Valkey (with its persistence on) are
            killed with SIGKILL at random moments; each acknowledged one must be in the lake once
latency     500 events a second arriving; now and then a purchase of what is recommended, and an
            item that is sold out: how long until the content route's answer is another one
rate        events a second that one web worker takes, in batches of 500 and one by one
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.events import durability, latency, rate

PARTS = ("durability", "latency", "rate")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--kill-every", type=float, default=8.0, help="seconds, on average")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the part latency")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    parts: dict[str, Callable[[Path], Any]] = {
        "durability": lambda folder: durability.measure(
            folder, events=asked.events, kill_every_s=asked.kill_every, seed=asked.seed
        ),
        "latency": lambda folder: latency.measure(folder, seconds=asked.seconds),
        "rate": rate.measure,
    }
    found: dict[str, dict[str, Any]] = {}
    for name in asked.only or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = asdict(parts[name](Path(folder)))
    print(json.dumps(found) if asked.json else _table(found))


def _table(found: dict[str, dict[str, Any]]) -> str:
    lines = []
    for part, figures in found.items():
        lines.append(part)
        for name, value in figures.items():
            if isinstance(value, dict):
                value = ", ".join(f"{what} {number}" for what, number in value.items())
            lines.append(f"  {name:<28} {value}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
