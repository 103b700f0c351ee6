"""Currents as Braze writes them, small: a file of one event type, a request of several."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import fastavro

AT = 1_767_225_600  # 2026-01-01
NULLABLE = ["null", "string"]
COMMON = {"id": "string", "user_id": "string", "external_user_id": NULLABLE, "time": "int"}
MESSAGE = {
    "timezone": NULLABLE, "campaign_id": NULLABLE, "canvas_id": NULLABLE, "send_id": NULLABLE,
    "device_id": NULLABLE, "email_address": NULLABLE, "machine_open": NULLABLE,
    "in_control_group": ["null", "boolean"], "subscription_status": NULLABLE,
    "channel": NULLABLE, "product_id": NULLABLE, "price": ["null", "float"], "name": NULLABLE,
    "properties": NULLABLE, "platform": NULLABLE, "url": NULLABLE,
}  # fmt: skip
FIELDS = {**COMMON, **MESSAGE}


def record(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"event-{number}",
        "user_id": f"braze-{number}",
        "external_user_id": "kim",
        "time": AT + number,
        **fields,
    }


def content(
    kind: str, records: Sequence[Mapping[str, Any]], fields: Mapping[str, Any] = FIELDS
) -> bytes:
    schema = {
        "type": "record",
        "name": f"dataexport.S3.inner.{kind}",
        "fields": [{"name": name, "type": each} for name, each in fields.items()],
    }
    stream = io.BytesIO()
    fastavro.writer(stream, schema, records, sync_interval=300)
    return stream.getvalue()


def write(folder: Path, name: str, kind: str, records: Sequence[Mapping[str, Any]]) -> Path:
    """A file where Braze would put it."""
    path = folder / f"event_type={kind}" / "date=2026-01-01-00" / "433" / f"{name}.avro"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content(kind, records))
    return path


def over_http(kind: str, flat: Mapping[str, Any]) -> dict[str, Any]:
    """The same event as the HTTP form nests it."""
    of_user = ("user_id", "external_user_id", "device_id", "timezone")
    properties = {k: v for k, v in flat.items() if k not in (*of_user, "id", "time")}
    return {
        "event_type": kind,
        "id": flat["id"],
        "time": flat["time"],
        "user": {k: v for k, v in flat.items() if k in of_user},
        "properties": properties,
    }
