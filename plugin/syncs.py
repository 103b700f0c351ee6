"""How the last sync of each part of a connection went, for Prometheus: read from the reports that
it left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from prometheus_client import CollectorRegistry, Gauge

LABELS = ("workspace", "connection", "what")
NAMES = {  # by the number in a report: the metric, where that name says no unit
    "rate_used": "rate_used_ratio",
    "seconds": "duration_seconds",
    "lag_s": "lag_seconds",
    "finished_at": "finished_timestamp_seconds",
}
NUMBERS = {
    "profiles": "Customers with attributes",
    "changed": "Customers whose attributes differed",
    "postponed": "Customers whom the budget left for the next sync",
    "accepted": "Customers whose change was accepted",
    "requests": "Requests, with those that were repeated",
    "retries": "Repeated requests",
    "data_points": "Attribute values written",
    "data_points_saved": "Attribute values that a full write would have written besides",
    "rate_used": "Share of the tool's allowed requests that were used while sending",
    "waiting": "Customers in quarantine",
    "seconds": "Duration",
    "lag_s": "Age of the scores at the end",
    "finished": "1 when it came to its end",
    "finished_at": "When, in Unix time",
}


def reports(folder: Path) -> Iterator[dict[str, Any]]:
    """Of a workspace's folder; a file that cannot be read is left out."""
    for path in sorted((folder / "delivery").glob("*.report.json")):
        try:
            report = orjson.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(report, dict):
            yield report


def registry(found: Mapping[str, Iterable[Mapping[str, Any]]]) -> CollectorRegistry:
    """Gauges of ``found``: workspace → its reports."""
    made = CollectorRegistry()
    gauges = {
        name: Gauge(
            f"rightsend_sync_{NAMES.get(name, name)}", f"Last sync: {what}", LABELS, registry=made
        )
        for name, what in NUMBERS.items()
    }
    rejected = Gauge(
        "rightsend_sync_rejected", "Last sync: refused", (*LABELS, "reason"), registry=made
    )
    for workspace, each in found.items():
        for report in each:
            labels = (workspace, str(report.get("connection")), str(report.get("what")))
            for name, value in _numbers(report).items():
                gauges[name].labels(*labels).set(value)
            for reason, customers in report.get("rejected", {}).items():
                rejected.labels(*labels, reason).set(customers)
    return made


def _numbers(report: Mapping[str, Any]) -> dict[str, float]:
    values = dict(report)
    if "data_points_full" in values:
        values["data_points_saved"] = values["data_points_full"] - values["data_points"]
    values["finished_at"] = datetime.fromisoformat(values["finished_at"]).timestamp()
    return {name: float(values[name]) for name in NUMBERS if values.get(name) is not None}
