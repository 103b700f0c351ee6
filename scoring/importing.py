"""Sources → lake: every row once, whatever happens in between.

Files are read in chunks and one or several of them are one commit; when a file is through, its
fingerprint is kept. Killed anywhere, the next run reads the unfinished file again and finds the
rows it already has by their ids. So no order of death and rerun loses or doubles a row.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from scoring import canonical, merge
from scoring import columns as c
from scoring.erasure import Erased
from scoring.import_job import ImportJob
from scoring.import_report import ImportReport, SourceReport
from scoring.imported_files import ImportedFiles
from scoring.lake import Lake
from scoring.progress import Progress, silent
from scoring.quarantine import Quarantine, Rejected
from scoring.separation import past_of
from scoring.sources import mapping
from scoring.sources.chunk import LINE, Chunk, SourceFile
from scoring.sources.groups import Group
from scoring.sources.registry import SOURCES, Open, open_source
from settings.workspace import ColumnMapping, SourceSettings, WorkspaceSettings

STREAM = "stream"  # name of the real-time intake in quarantine and reports


class UnknownSourceError(ValueError):
    """The workspace has no source of this name; the text lists those that there are."""


def import_sources(
    workspace: WorkspaceSettings,
    workspace_dir: Path,
    *,
    now: datetime,
    progress: Progress = silent,
    only: Collection[str] | None = None,
    secret: bytes | None = None,
    types: Mapping[str, Open] = SOURCES,
) -> ImportReport:
    """Read all sources (or those named in ``only``) into the lake; run it as often as you like.

    In a workspace with ``as_of``, events from ``now`` on are left for a later run. ``secret`` is
    the installation's: it is needed as soon as somebody was erased (ErasureError without it).
    ``types`` says how a source of each type is opened. What cannot be read stands in the report;
    everything else is imported. Raises UnknownSourceError.
    """
    job = ImportJob(
        Lake(workspace_dir / "lake"),
        workspace_dir / "quarantine",
        workspace.file.parent,
        mapping.Horizon(now, replay=workspace.as_of is not None),
        Erased(workspace_dir, secret),
        progress,
        types,
    )
    sources = [source for source in workspace.sources if only is None or source.name in only]
    unknown = set(only or ()) - {source.name for source in sources}
    if unknown:
        raise UnknownSourceError(
            f"no such source: {', '.join(sorted(unknown))}; "
            f"there is {', '.join(source.name for source in workspace.sources)}"
        )
    with _alone(workspace_dir / "lake"), mapping.connect() as connection:
        imported = ImportedFiles(workspace_dir / "lake")
        reports = tuple(job.source(connection, source, imported) for source in sources)
        job.lake.compact()
    return ImportReport(reports)


def import_events(
    rows: Iterable[Mapping[str, Any]],
    workspace_dir: Path,
    *,
    now: datetime,
    secret: bytes | None = None,
) -> SourceReport:
    """Append a batch of real-time events (dicts of canonical columns; times as datetime or ISO
    text).

    Exactly once by event_id, however often the batch is delivered; an event without one gets the
    hash of its content. Bad rows go to quarantine/stream.ndjson.
    """
    events = [_stream_row(row) for row in rows]
    report = SourceReport(STREAM, canonical.EVENTS)
    if not events:
        return report
    columns = {name: ColumnMapping(column=name) for name in c.EVENT_COLUMNS}
    source = SourceSettings(STREAM, STREAM, canonical.EVENTS, columns)
    table = pa.table(
        {name: pa.array([row.get(name) for row in events], pa.string()) for name in c.EVENT_COLUMNS}
    ).append_column(LINE, pa.array(range(len(events)), pa.int64()))
    chunk = Chunk(table, lambda row: json.dumps(events[row], ensure_ascii=False), 1.0)
    lake = Lake(workspace_dir / "lake")
    with lake.writer(), mapping.connect() as connection:
        erased = Erased(workspace_dir, secret)  # with the lock: nobody is being erased meanwhile
        job = ImportJob(
            lake, workspace_dir / "quarantine", workspace_dir, mapping.Horizon(now), erased
        )
        whole = Group([(SourceFile(STREAM, None, _no_chunks), chunk)])
        rejected, _ = job.group(connection, source, whole, report)
    # A batch that is delivered twice may be cut differently: the row alone tells an old entry.
    lines = [Rejected(STREAM, STREAM, 0, entry.reason, entry.row) for entry in rejected]
    Quarantine(job.quarantine, STREAM).add(lines, once=True)
    return report


def read_events_after(
    workspace: WorkspaceSettings,
    *,
    since: datetime,
    until: datetime,
    types: Mapping[str, Open] = SOURCES,
) -> pa.Table:
    """Events with since ≤ occurred_at < until straight from the sources, never into the lake.

    It is what an ``as_of`` workspace must not see and its backtest is judged by. Schema of
    ``canonical.schema("events")``; raises SourceError when a source cannot be read.
    """
    horizon = mapping.Horizon(until, replay=True)
    parts = [canonical.schema(canonical.EVENTS).empty_table()]
    with mapping.connect() as connection:
        for source in workspace.sources:
            if source.table != canonical.EVENTS:
                continue
            mapping.check(source)
            for file in open_source(source, workspace.file.parent, types):
                for chunk in file.chunks(mapping.source_columns(source)):
                    rows = mapping.apply(connection, source, chunk.table, horizon).rows
                    late = pc.greater_equal(rows[c.OCCURRED_AT], pa.scalar(since))
                    parts.append(rows.filter(late).cast(parts[0].schema))
        return merge.split(connection, pa.concat_tables(parts), []).fresh


def erase(workspace_dir: Path, identifiers: Collection[tuple[str, str]], *, secret: bytes) -> int:
    """Erase these (identifier_kind, identifier) pairs from lake and quarantine, now and for later.

    They are remembered (hashed) first, so that no import brings them back. Returns the rows
    removed.
    """
    lake = Lake(workspace_dir / "lake")
    # Not during an import, which knows only those who were erased before it began.
    with _alone(lake.folder):
        with lake.writer():
            # a device that was theirs once may be somebody else's now
            now = {(kind, value) for kind, value in identifiers if past_of(value) is None}
            Erased(workspace_dir, secret).add(now)
            removed = lake.erase(identifiers)
        for path in sorted((workspace_dir / "quarantine").glob("*.ndjson")):
            values = {past.device if (past := past_of(each)) else each for _, each in identifiers}
            Quarantine(path.parent, path.stem).erase(values)
    return removed


def _stream_row(row: Mapping[str, Any]) -> dict[str, str | None]:
    """A row of texts; without an event_id it gets the hash of its content."""
    texts = {name: _stream_text(row.get(name)) for name in c.EVENT_COLUMNS}
    if not texts[c.EVENT_ID]:
        content = json.dumps(texts, sort_keys=True, ensure_ascii=False)
        texts[c.EVENT_ID] = hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
    return texts


def _stream_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False, default=str)


def _no_chunks(columns: Collection[str]) -> Iterator[Chunk]:
    return iter(())


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One import at a time; single commits of others (real-time events) may come in between."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".import.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
