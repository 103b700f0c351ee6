"""Run reports and snapshot descriptions, read from disk as the plain JSON that they are.

Not through scoring.snapshot: that one reads Parquet, and a web worker stays small.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def runs(workspace_dir: Path) -> list[dict[str, Any]]:
    """All run reports, newest first."""
    found = _all(workspace_dir / "runs", "run.json", "run")
    return sorted(found, key=lambda run: str(run.get("started_at") or ""), reverse=True)


def run(workspace_dir: Path, run_id: str) -> dict[str, Any] | None:
    """One run report, or None."""
    return _one(workspace_dir / "runs", run_id, "run.json", "run")


def snapshots(workspace_dir: Path) -> list[dict[str, Any]]:
    """What is known about the snapshots on disk, newest first."""
    found = _all(workspace_dir / "snapshots", "meta.json", "snapshot")
    return sorted(found, key=lambda meta: str(meta.get("created_at") or ""), reverse=True)


def snapshot(workspace_dir: Path, snapshot_id: str) -> dict[str, Any] | None:
    """What is known about one snapshot on disk, or None."""
    return _one(workspace_dir / "snapshots", snapshot_id, "meta.json", "snapshot")


def _all(folder: Path, name: str, key: str) -> list[dict[str, Any]]:
    if not folder.is_dir():
        return []
    found = (_one(folder, entry.name, name, key) for entry in folder.iterdir())
    return [document for document in found if document is not None]


def _one(folder: Path, entry: str, name: str, key: str) -> dict[str, Any] | None:
    """The document in ``folder/entry/name`` if it is about ``entry`` by its ``key``."""
    if not _NAME.fullmatch(entry):
        return None  # nothing outside of the folder can be named
    try:
        document = orjson.loads((folder / entry / name).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None  # being written, or removed just now
    about = document.get(key) if isinstance(document, dict) else None
    return document if about == entry else None  # damaged
