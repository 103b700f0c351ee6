"""A small shop's files and the workspace that reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from scoring import canonical
from scoring.lake import Lake
from settings.workspace import ColumnMapping, SourceSettings, WorkspaceSettings

NOW = datetime(2026, 3, 10, tzinfo=UTC)
HEADER = "id,when,who,what,sku,n,price\n"
EVENT_COLUMNS = {
    "event_id": ColumnMapping(column="id"),
    "occurred_at": ColumnMapping(column="when"),
    "identifier": ColumnMapping(column="who"),
    "event_type": ColumnMapping(column="what"),
    "item_id": ColumnMapping(column="sku"),
    "quantity": ColumnMapping(column="n"),
    "unit_price": ColumnMapping(column="price"),
}


def line(
    id_: object,
    when: str = "2026-03-01T10:00:00Z",
    who: str = "kim",
    what: str = "purchase",
    n: object = 1,
) -> str:
    """A CSV line of the columns of HEADER."""
    return f"{id_},{when},{who},{what},tea,{n},2.5\n"


def events_source(path: object = "orders.csv", **changes: Any) -> SourceSettings:
    values: dict[str, Any] = {
        "name": "orders", "type": "file", "table": "events", "columns": EVENT_COLUMNS,
    }  # fmt: skip
    return SourceSettings(**{**values, "path": str(path), **changes})


def workspace(folder: Path, *sources: SourceSettings, **changes: Any) -> WorkspaceSettings:
    return WorkspaceSettings("shop", folder / "shop.yaml", sources or (events_source(),), **changes)


def event_table(*rows: Mapping[str, Any]) -> pa.Table:
    """Canonical events; what a row leaves out is a purchase of tea by kim."""
    default = {
        "occurred_at": datetime(2026, 3, 1, 10, tzinfo=UTC), "identifier": "kim",
        "identifier_kind": "external_id", "event_type": "purchase", "item_id": "tea",
    }  # fmt: skip
    return pa.Table.from_pylist(
        [{**default, **row} for row in rows], schema=canonical.schema("events")
    )


def content(lake: Lake) -> list[dict[str, Any]]:
    """Every event of the lake, by id."""
    rows = lake.events(before=datetime(2100, 1, 1, tzinfo=UTC)).to_pyarrow().to_pylist()
    return sorted(rows, key=lambda row: row["event_id"])


def ids(lake: Lake) -> list[str]:
    return [row["event_id"] for row in content(lake)]


def quarantined(workspace_dir: Path, source: str = "orders") -> list[tuple[int, str]]:
    """(line, reason) of a source's quarantine, in the order of the file."""
    path = workspace_dir / "quarantine" / f"{source}.ndjson"
    entries: Iterable[str] = path.read_text().splitlines() if path.exists() else ()
    return [(entry["line"], entry["reason"]) for entry in map(json.loads, entries)]
