"""A consumer of the files: reads the runs in the order of their names, as the docs say."""

from __future__ import annotations

import csv
import io
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

LISTS = {"rs_items"}


def rows_of(file: Path) -> list[dict[str, Any]]:
    """Rows as the format has them, without the empty."""
    if file.suffix == ".ndjson":
        return [json.loads(line) for line in file.read_bytes().splitlines()]
    if file.suffix == ".parquet":
        rows = pq.read_table(file).to_pylist()
        return [{name: value for name, value in row.items() if value is not None} for row in rows]
    text = io.StringIO(file.read_bytes().decode(), newline="")
    return [
        {name: _of_csv(name, cell) for name, cell in row.items() if cell != ""}
        for row in csv.DictReader(text)
    ]


def _of_csv(name: str, cell: str) -> Any:
    if name in LISTS | {"removed"}:
        return json.loads(cell)
    if cell in ("true", "false"):
        return cell == "true"
    try:
        return float(cell)
    except ValueError:
        return cell


def runs_in(folder: Path) -> list[Path]:
    """Those that have appeared, in order."""
    return sorted(
        each.parent for each in folder.glob("*/manifest.json") if each.parent.name[0] != "_"
    )


def run_rows(run: Path) -> list[dict[str, Any]]:
    """All rows of a run, after checking its files against the manifest."""
    manifest = json.loads((run / "manifest.json").read_text())
    files = [run / file["name"] for file in manifest["files"]]
    assert sorted(files) == sorted(run.glob("part-*"))
    for file, said in zip(files, manifest["files"], strict=True):
        content = file.read_bytes()
        assert (said["bytes"], said["sha256"]) == (len(content), sha256(content).hexdigest())
        assert said["rows"] == len(rows_of(file))
    rows = [row for file in files for row in rows_of(file)]
    assert manifest["rows"] == len(rows)
    assert len({row["customer_id"] for row in rows}) == len(rows)  # nobody twice
    return rows


def held(folder: Path) -> dict[str, dict[str, Any]]:
    """What a consumer has who applied every run."""
    state: dict[str, dict[str, Any]] = {}
    for run in runs_in(folder / "attributes"):
        if json.loads((run / "manifest.json").read_text())["full"]:
            state = {}
        for row in run_rows(run):
            customer = state.setdefault(row.pop("customer_id"), {})
            for name in row.pop("removed", []):
                customer.pop(name, None)
            customer.update(row)
    return {customer_id: state[customer_id] for customer_id in state if state[customer_id]}


def members(folder: Path, segment_id: str) -> list[str]:
    present: set[str] = set()
    for run in runs_in(folder / "segments" / segment_id):
        rows = run_rows(run)
        if json.loads((run / "manifest.json").read_text())["full"]:
            present = {row["customer_id"] for row in rows}
        for row in rows:
            (present.add if row.get("member", True) else present.discard)(row["customer_id"])
    return sorted(present)
