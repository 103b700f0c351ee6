"""fallback.json: the best non-personal content, on disk, for answers when Redis is away."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from scoring.store.catalogue import Item, ScoredItem, pack_chunk
from scoring.store.published import (
    Layout,
    PublishedSnapshot,
    in_memory,
    nothing_published,
    pack_relations_chunk,
)

FALLBACK = "fallback.json"


def write_fallback(
    workspace_dir: Path, meta: Mapping[str, Any], items: Sequence[ScoredItem]
) -> None:
    """Replaces the file in one step. ``meta``: the snapshot's (``snapshot``, ``created_at``)."""
    document = {
        "snapshot": meta["snapshot"],
        "created_at": meta["created_at"],
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
        self._content = nothing_published()

    def read(self) -> PublishedSnapshot:
        """Popular sellable items, as a snapshot without customers. Never raises: without a usable
        file it has no items."""
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_ino, status.st_size)
            if seen != self._seen:
                self._content = _parse(orjson.loads(self._path.read_bytes()))
                self._seen = seen
        except (OSError, ValueError, KeyError, TypeError):
            pass  # what was read before is the best content known
        return self._content


def _parse(document: dict[str, Any]) -> PublishedSnapshot:
    entries = [dict(entry) for entry in document["items"]]
    scores = [float(entry.pop("score")) for entry in entries]
    items = [Item(**entry) for entry in entries]
    brands = list(dict.fromkeys(item.brand for item in items if item.brand))
    categories = list(dict.fromkeys(item.category for item in items if item.category))
    layout = Layout(
        generation="",
        meta={"snapshot": str(document["snapshot"]), "created_at": document.get("created_at")},
        chunks=1,
        published_items=len(items),
        brands=brands,
        categories=categories,
        popular=list(enumerate(scores)),
    )
    chunk = pack_chunk(
        items,
        {name: index for index, name in enumerate(brands)},
        {name: index for index, name in enumerate(categories)},
    )
    return in_memory(layout, [chunk], [pack_relations_chunk([b""] * len(items))])
