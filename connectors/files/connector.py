"""Files as a host tool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import orjson

from connectors.customers import CustomerTarget
from connectors.errors import Stop
from connectors.files.layout import Layout
from connectors.files.options import FULL
from connectors.files.runs import Runs
from connectors.files.store import Store, open_store
from connectors.tool import Encoded, Limits, Outcome, Target, Tool
from settings.vocabulary import LIST_SCORES
from settings.workspace import ConnectionSettings

PROBE = "_check"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Rows(CustomerTarget):
    """Attributes of customers, or members of a segment."""

    runs: Runs

    # Of a part of the journal, which is ours alone: enough that parts are few, little enough that
    # several at a time fit into memory.
    limits = Limits(items=50_000, body_bytes=8_000_000, item_bytes=1_000_000, envelope_bytes=0)

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        return Encoded(orjson.dumps([customer_id, change]))

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """Into the journal of the run. Raises Retry or Stop."""
        self.runs.append(records)
        return Outcome()

    def finish(self) -> None:
        """What was written appears. Raises Retry or Stop; the next run then makes the files."""
        self.runs.publish()


@dataclass
class Files(Tool):
    """An open connection."""

    store: Store
    layout: Layout
    now: Callable[[], datetime] = _now
    _opened: list[Runs] = field(default_factory=list)

    def attributes(self) -> Target:
        return self._rows("attributes", self.layout)

    def segment(self, segment_id: str) -> Target:
        return self._rows(_folder(segment_id), self.layout.of_members())

    def declare_segment(self, segment_id: str, name: str) -> None:
        """``segment.json`` says what the segment is called."""
        content = orjson.dumps({"segment_id": segment_id, "name": name})
        self.store.put(f"{_folder(segment_id)}/segment.json", content)

    def check(self) -> None:
        """Write a small file and remove it."""
        self.store.put(PROBE, b"")
        self.store.remove(PROBE)

    def close(self) -> None:
        for runs in self._opened:
            runs.close()

    def _rows(self, folder: str, layout: Layout) -> Rows:
        runs = Runs(self.store, folder, layout, self.now)
        self._opened.append(runs)
        return Rows(runs)


def open_files(connection: ConnectionSettings) -> Files:
    """Raises Stop for a storage whose package is not installed."""
    options = connection.options
    attributes = connection.attributes
    layout = Layout(
        names=tuple(each.name for each in attributes),
        lists=frozenset(each.name for each in attributes if each.score in LIST_SCORES),
        full=options["content"] == FULL,
        format=options["format"],
        file_bytes=options["file_bytes"],
        spreadsheet_safe=options["spreadsheet_safe"],
    )
    return Files(open_store(options["url"], options["storage_options"]), layout)


def _folder(segment_id: str) -> str:
    """Raises Stop for an id that names no folder."""
    name = quote(segment_id, safe="")
    if name in ("", ".", ".."):
        raise Stop(f"no folder can be called like the segment {segment_id!r}")
    return f"segments/{name}"
