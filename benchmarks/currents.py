"""Braze Currents into an empty lake: a million Avro events, as a shop's export would hold them.

    python -m benchmarks.currents [--events 1000000]

Files of 15,000 events of one type each, 5 % of the events twice (in another file), 5 % days late,
10 % of types that no event type stands for. The files are made first; from opening the first to
the last commit is what counts. `record_by_record_per_s` is fastavro's reader alone, on the same
files in the same run, which makes dicts and stores nothing.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import resource
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro
from tqdm import tqdm

from rightsend.event_files import source_types
from scoring.importing import import_sources
from settings.source_schema import EVENT_ROWS
from settings.workspace import SourceSettings, WorkspaceSettings

NOW = datetime(2026, 11, 1, tzinfo=UTC)
FILE_EVENTS = 15_000
SYNC_BYTES = 64_000  # of a block, as Avro's Java writer has it
DAYS, LATE_DAYS = 3, 30
TWICE, LATE = 0.05, 0.05
CUSTOMERS = 100_000
MESSAGE = (
    "user_id", "external_user_id", "timezone", "campaign_id", "campaign_name",
    "message_variation_id", "message_variation_name", "canvas_id", "canvas_name",
    "canvas_variation_id", "canvas_variation_name", "canvas_step_id", "canvas_step_name",
    "send_id", "dispatch_id", "app_group_id",
)  # fmt: skip
# type → share of the events, fields beside those of every message
TYPES: dict[str, tuple[float, tuple[str, ...]]] = {
    "users.messages.email.Send": (0.25, ("email_address", "ip_pool")),
    "users.messages.email.Delivery": (0.2, ("email_address", "ip_pool", "sending_ip")),
    "users.messages.email.Open": (0.15, ("email_address", "user_agent", "machine_open")),
    "users.messages.email.Click": (0.04, ("email_address", "user_agent", "url")),
    "users.messages.pushnotification.Send": (0.15, ("device_id", "platform", "push_token")),
    "users.messages.pushnotification.Open": (0.04, ("device_id", "platform", "device_model")),
    "users.messages.inappmessage.Impression": (0.04, ("device_id", "platform")),
    "users.campaigns.Conversion": (0.02, ("conversion_behavior",)),
    "users.campaigns.EnrollInControl": (0.01, ()),
    "users.messages.email.Deferral": (0.05, ("email_address",)),
    "users.messages.pushnotification.Abort": (0.05, ("abort_type", "abort_log")),
}
UNKNOWN = ("users.messages.email.Deferral", "users.messages.pushnotification.Abort")


def make(folder: Path, events: int) -> Counter[str]:
    """Write the files; returns how many different events there are of each type."""
    chance = random.Random(1)
    made: Counter[str] = Counter()
    for kind, (share, fields) in tqdm(TYPES.items(), desc="files", unit="type"):
        own = int(events * share)
        fresh = int(own / (1 + TWICE))
        names = [*MESSAGE, *fields]
        ids = [uuid.UUID(int=chance.getrandbits(128)) for _ in range(fresh)]
        records = list(_records(kind, ids, names, chance))
        records += [records[chance.randrange(fresh)] for _ in range(own - fresh)]
        schema = _schema(kind, names)
        for number, start in enumerate(range(0, own, FILE_EVENTS)):
            path = folder / f"event_type={kind}" / f"date=2026-10-31-{number % 24:02}" / "1"
            path.mkdir(parents=True, exist_ok=True)
            with (path / f"dataexport+{number:010}.avro").open("wb") as stream:
                piece = records[start : start + FILE_EVENTS]
                fastavro.writer(stream, schema, piece, "deflate", sync_interval=SYNC_BYTES)
        made[kind] = fresh if kind not in UNKNOWN else own
    return made


def _schema(kind: str, names: list[str]) -> dict[str, Any]:
    optional = [{"name": name, "type": ["null", "string"]} for name in names]
    always = [{"name": "id", "type": "string"}, {"name": "time", "type": "int"}]
    return {"type": "record", "name": f"dataexport.S3.inner.{kind}", "fields": always + optional}


def _records(
    kind: str, ids: list[uuid.UUID], names: list[str], chance: random.Random
) -> Iterator[dict[str, Any]]:
    end = int(NOW.timestamp())
    for number, each in enumerate(ids):
        campaign = chance.randrange(50)
        days = LATE_DAYS if chance.random() < LATE else DAYS
        # a canvas is named in every fifth message, a campaign in the others
        other = "canvas" if number % 5 else "campaign"
        yield {
            "id": str(each),
            "time": end - chance.randrange(1, days * 86_400),
            **{
                name: None
                if name.startswith((other, f"{other}_"))
                else f"{name}-{campaign:04}-0000-4000-8000-000000000000"
                for name in names
            },
            "user_id": f"{chance.randrange(CUSTOMERS):024x}",
            "external_user_id": f"customer-{chance.randrange(CUSTOMERS):06}",
            "timezone": "Asia/Seoul",
        }


def imported(folder: Path, state: Path) -> dict[str, Any]:
    """Import once; the report with ``peak_mb`` of this process and ``wall_s``."""
    options = {"path": str(folder), "custom_events": {}, "item_property": "item_id"}
    source = SourceSettings("currents", "braze_currents", "events", EVENT_ROWS, options=options)
    workspace = WorkspaceSettings("benchmark", state / "benchmark.yaml", (source,))
    started = time.perf_counter(), time.process_time()
    report = import_sources(workspace, state, now=NOW, types=source_types()).sources[0]
    wall, processor = time.perf_counter() - started[0], time.process_time() - started[1]
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return report.to_json() | {"wall_s": wall, "processor_s": processor, "peak_mb": peak_mb}


def record_by_record(folder: Path, _state: Path) -> dict[str, Any]:
    """fastavro's own reader over the same files."""
    started, rows = time.perf_counter(), 0
    for path in folder.rglob("*.avro"):
        with path.open("rb") as stream:
            rows += sum(1 for _ in fastavro.reader(stream))
    return {"rows": rows, "wall_s": time.perf_counter() - started}


def alone(work: Callable[[Path, Path], dict[str, Any]], folder: Path, state: Path) -> Any:
    """In a new process, so that it has its own peak memory."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(work, folder, state).result()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=1_000_000)
    events = parser.parse_args().events
    with tempfile.TemporaryDirectory(prefix="rightsend-benchmark-") as name:
        folder, state = Path(name) / "currents", Path(name) / "state"
        made = make(folder, events)
        first = alone(imported, folder, state)
        again = alone(imported, folder, state)
        rival = alone(record_by_record, folder, state)
    wanted = sum(count for kind, count in made.items() if kind not in UNKNOWN)
    if first["rows_added"] != wanted or first["error"] or first["rows_quarantined"]:
        raise RuntimeError(f"not a clean import of {wanted} events: {first}")
    if again["rows_added"] or again["files_read"]:
        raise RuntimeError(f"the second import found something: {again}")
    print(
        json.dumps(
            {
                "events": first["rows_read"],
                "events_per_s": round(first["rows_read"] / first["wall_s"]),
                "events_per_processor_s": round(first["rows_read"] / first["processor_s"]),
                "imported": first["rows_added"],
                "duplicates": first["rows_known"],
                "unknown": sum(first["rows_unknown"].values()),
                "files": first["files_read"],
                "peak_mb": round(first["peak_mb"]),
                "again_s": round(again["wall_s"], 2),
                "record_by_record_per_s": round(rival["rows"] / rival["wall_s"]),
            }
        )
    )


if __name__ == "__main__":
    main()
