"""Which files are in the lake already: lake/imported.json, so that a finished file is skipped."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

IMPORTED_FILE = "imported.json"


class ImportedFiles:
    """Only a short cut: without it files are read again and their rows are found to be known."""

    def __init__(self, lake_folder: Path) -> None:
        self._path = lake_folder / IMPORTED_FILE
        self._files = _read(self._path)

    def done(self, source: str, file: str, fingerprint: str, now: datetime) -> bool:
        """Is this content imported, and has none of its waiting rows happened by ``now``."""
        kept = self._files.get(source, {}).get(file)
        if kept is None or kept.fingerprint != fingerprint:
            return False
        return kept.next_at is None or kept.next_at >= now

    def finish(
        self, source: str, files: Mapping[str, str], next_at: Mapping[str, datetime]
    ) -> None:
        """Note files (name → fingerprint); ``next_at``: when a waiting row of a file happens."""
        if not files:
            return
        self._files.setdefault(source, {}).update(
            {file: _Kept(fingerprint, next_at.get(file)) for file, fingerprint in files.items()}
        )
        document: dict[str, Any] = {
            name: {file: kept.to_json() for file, kept in files.items()}
            for name, files in self._files.items()
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text(json.dumps(document, indent=1))
        os.replace(temporary, self._path)  # noqa: PTH105


@dataclass(frozen=True)
class _Kept:
    """``next_at``: when the first row happens that was not imported because it had not happened."""

    fingerprint: str
    next_at: datetime | None

    def to_json(self) -> dict[str, str | None]:
        return {
            "fingerprint": self.fingerprint,
            "next_at": self.next_at.isoformat() if self.next_at else None,
        }


def _read(path: Path) -> dict[str, dict[str, _Kept]]:
    try:
        document = json.loads(path.read_text())
        return {
            source: {file: _kept(entry) for file, entry in files.items()}
            for source, files in document.items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}  # damaged: everything is read once more, nothing is doubled


def _kept(entry: dict[str, str | None]) -> _Kept:
    next_at = entry["next_at"]
    return _Kept(str(entry["fingerprint"]), datetime.fromisoformat(next_at) if next_at else None)
