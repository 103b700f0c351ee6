"""fallback.json: the best non-personal content, on disk, for answers when Redis is away."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from scoring.store.catalogue import Item, ScoredItem

FALLBACK = "fallback.json"


class Fallback(NamedTuple):
    """Popular sellable items, best first; ``snapshot`` is None when nothing was ever published."""

    snapshot: str | None
    items: tuple[ScoredItem, ...]


NOTHING = Fallback(None, ())


def write_fallback(workspace_dir: Path, snapshot: str, items: Sequence[ScoredItem]) -> None:
    """Replaces the file in one step."""
    document = {
        "snapshot": snapshot,
        "items": [
            {**scored.item.to_json(), "margin": scored.item.margin, "score": scored.score}
            for scored in items
        ],
    }
    workspace_dir.mkdir(parents=True, exist_ok=True)
    beside = workspace_dir / f".{FALLBACK}.writing"
    with beside.open("wb") as file:
        file.write(orjson.dumps(document, option=orjson.OPT_INDENT_2))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(workspace_dir / FALLBACK)


class FallbackFile:
    """Reads the file again when it changed; keeps the last good content if it is unreadable."""

    def __init__(self, workspace_dir: Path) -> None:
        self._path = workspace_dir / FALLBACK
        self._seen: tuple[int, int, int] | None = None
        self._content = NOTHING

    def read(self) -> Fallback:
        """Never raises: without a usable file there are no items."""
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_ino, status.st_size)
            if seen != self._seen:
                self._content = _parse(orjson.loads(self._path.read_bytes()))
                self._seen = seen
        except (OSError, ValueError, KeyError, TypeError):
            pass  # what was read before is the best content known
        return self._content


def _parse(document: dict[str, Any]) -> Fallback:
    items = [dict(item) for item in document["items"]]
    scores = [float(item.pop("score")) for item in items]
    return Fallback(
        str(document["snapshot"]),
        tuple(ScoredItem(Item(**item), score) for item, score in zip(items, scores, strict=True)),
    )
