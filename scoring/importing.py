"""Sources → lake: every row once, whatever happens in between.

Files are read in chunks and one or several of them are one commit; when a file is through, its
fingerprint is kept. Killed anywhere, the next run reads the unfinished file again and finds the
rows it already has by their ids. So no order of death and rerun loses or doubles a row.
"""

from __future__ import annotations

import fcntl
import hashlib
import heapq
import json
import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring import canonical, merge
from scoring import columns as c
from scoring.erasure import Erased
from scoring.import_report import ImportReport, SourceReport
from scoring.imported_files import ImportedFiles
from scoring.lake import AppendReport, Lake
from scoring.progress import Progress, silent
from scoring.quarantine import Quarantine, Rejected
from scoring.sources import mapping
from scoring.sources.chunk import LINE, Chunk, SourceFile
from scoring.sources.errors import SourceError
from scoring.sources.groups import Group, groups
from scoring.sources.registry import SOURCES, Open, open_source
from settings.workspace import ColumnMapping, SourceSettings, WorkspaceSettings

MAPPING_VERSION = 1  # count up when the same mapping gives other rows: everything is read again
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
    job = _Job(
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
        job = _Job(
            lake,
            workspace_dir / "quarantine",
            workspace_dir,
            mapping.Horizon(now),
            erased,
            silent,
            {},
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
            Erased(workspace_dir, secret).add(identifiers)
            removed = lake.erase(identifiers)
        for path in sorted((workspace_dir / "quarantine").glob("*.ndjson")):
            Quarantine(path.parent, path.stem).erase({value for _, value in identifiers})
    return removed


@dataclass(frozen=True)
class _Job:
    lake: Lake
    quarantine: Path
    base: Path
    horizon: mapping.Horizon
    erased: Erased
    progress: Progress
    types: Mapping[str, Open]

    def source(
        self, connection: duckdb.DuckDBPyConnection, source: SourceSettings, imported: ImportedFiles
    ) -> SourceReport:
        """Import every unfinished file of one source, small ones together."""
        report, started = SourceReport(source.name, source.table), time.monotonic()
        quarantine = Quarantine(self.quarantine, source.name)
        files = self._unfinished(source, imported, report)
        names = [file.name for file, _ in files]
        fingerprints = {file.name: known for file, known in files if known}
        failed: set[str] = set()
        next_at: dict[str, datetime] = {}

        def note(error: SourceError, *names: str) -> None:
            report.errors.append(str(error))
            failed.update(names)

        for group in groups(
            [file for file, _ in files],
            mapping.source_columns(source),
            begin=lambda file: quarantine.forget(file.name),
            failed=lambda file, error: note(error, file.name),
        ):
            if group.parts:
                try:
                    rejected, later = self.group(connection, source, group, report)
                except SourceError as error:
                    note(error, *(file.name for file, _ in group.parts))
                    continue
                quarantine.add(rejected)
                if later:
                    for file, _ in group.parts:
                        next_at[file.name] = min(later, next_at.get(file.name, later))
                file, chunk = group.parts[-1]
                share = (names.index(file.name) + chunk.fraction) / len(names)
                total = round(report.rows_read / share) if chunk.fraction else None
                self.progress(source.name, report.rows_read, total)
            whole = [file.name for file in group.finished if file.name not in failed]
            report.files_read += len(whole)
            known = {name: fingerprints[name] for name in whole if name in fingerprints}
            imported.finish(source.name, known, next_at)
        report.seconds = time.monotonic() - started
        return report

    def group(
        self,
        connection: duckdb.DuckDBPyConnection,
        source: SourceSettings,
        group: Group,
        report: SourceReport,
    ) -> tuple[Iterator[Rejected], datetime | None]:
        """Map, check and store pieces of files together; returns what goes to quarantine, in
        order, and when the first row happens that has not happened yet."""
        mapped = mapping.apply(connection, source, group.table(), self.horizon)
        rows, kept = mapped.rows, mapped.kept
        erased = self.erased.rows(connection, source.table, rows)
        if erased.any():
            rows, kept = rows.filter(pa.array(~erased)), kept[~erased]
        stored = self._store(source.table, rows, batch=f"{source.name} {group.parts[0][0].name}")
        conflicts = kept[stored.conflicts]
        report.rows_read += group.rows
        report.rows_added += stored.added
        report.rows_known += stored.known
        report.rows_after_now += mapped.later
        report.rows_erased += int(np.count_nonzero(erased))
        report.rows_quarantined.update(mapped.reasons)
        for _, chunk in group.parts:
            report.rows_read += len(chunk.broken) + sum(chunk.unknown.values())
            report.rows_quarantined.update(line.reason for line in chunk.broken)
            report.rows_unknown.update(chunk.unknown)
        if len(conflicts):
            report.rows_quarantined[mapping.DUPLICATE_ID] += len(conflicts)
        return _rejected(source, group, mapped, conflicts), mapped.next_at

    def _unfinished(
        self, source: SourceSettings, imported: ImportedFiles, report: SourceReport
    ) -> list[tuple[SourceFile, str | None]]:
        """The files to read, each with the fingerprint to remember (None: read it always)."""
        try:
            mapping.check(source)
            files = open_source(source, self.base, self.types)
        except SourceError as error:
            report.errors.append(str(error))
            return []
        digest, unfinished = _digest(source), []
        for file in files:
            known = f"{file.fingerprint}:{digest}" if file.fingerprint else None
            if known and imported.done(source.name, file.name, known, self.horizon.now):
                report.files_skipped += 1
            else:
                unfinished.append((file, known))
        return unfinished

    def _store(self, table: str, rows: pa.Table, *, batch: str) -> AppendReport:
        if rows.num_rows == 0:
            return AppendReport(0, 0)
        if table == canonical.EVENTS:
            return self.lake.append_events(rows, batch=batch)
        return self.lake.upsert(table, rows, batch=batch)


def _rejected(
    source: SourceSettings, group: Group, mapped: mapping.Mapped, conflicts: np.ndarray
) -> Iterator[Rejected]:
    """One by one: with a wrong mapping it is every row of the file."""
    unfit = zip(mapped.rejected.tolist(), mapped.reasons, strict=True)
    doubles = zip(conflicts.tolist(), repeat(mapping.DUPLICATE_ID))
    bad = deque(heapq.merge(unfit, doubles))
    end = 0
    for file, chunk in group.parts:
        start, end = end, end + chunk.table.num_rows
        lines = chunk.table[LINE].to_numpy()
        own = []
        while bad and bad[0][0] < end:
            row, reason = bad.popleft()
            own.append((row - start, reason))
        rows = ((int(lines[row]), reason, chunk.text(row)) for row, reason in own)
        broken = ((line.line, line.reason, line.text) for line in chunk.broken)
        for line, reason, text in heapq.merge(rows, broken):
            yield Rejected(source.name, file.name, line, reason, text)


def _digest(source: SourceSettings) -> str:
    """Of everything that decides what a file's rows become (not the URL: it may hold a
    password).
    """
    parts = (
        MAPPING_VERSION, source.table, source.format, source.encoding, source.delimiter,
        source.header, sorted((name, repr(column)) for name, column in source.columns.items()),
    )  # fmt: skip
    own = sorted((key, repr(value)) for key, value in source.options.items() if key != "path")
    if own:
        parts = (*parts, own)  # type: ignore[assignment]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


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
