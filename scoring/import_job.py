"""One import at work: files in, rows of the lake and entries of the quarantine out."""

from __future__ import annotations

import hashlib
import heapq
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import repeat
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from scoring import canonical
from scoring.erasure import Erased
from scoring.import_report import SourceReport
from scoring.imported_files import ImportedFiles
from scoring.lake import AppendReport, Lake
from scoring.progress import Progress, silent
from scoring.quarantine import Quarantine, Rejected
from scoring.sources import mapping
from scoring.sources.chunk import LINE, SourceFile
from scoring.sources.errors import SourceError
from scoring.sources.groups import Group, groups
from scoring.sources.registry import SOURCES, Open, open_source
from settings.workspace import SourceSettings

MAPPING_VERSION = 1  # count up when the same mapping gives other rows: everything is read again


@dataclass
class _Reading:
    """How far the files of one source are. ``fingerprints``: of those that have one."""

    files: list[SourceFile]
    fingerprints: Mapping[str, str]
    report: SourceReport
    failed: set[str] = field(default_factory=set)
    next_at: dict[str, datetime] = field(default_factory=dict)

    def fail(self, error: SourceError, *names: str) -> None:
        """These files could not be read, or not to their end."""
        self.report.errors.append(str(error))
        self.failed.update(names)

    def wait(self, group: Group, until: datetime | None) -> None:
        """Some row of the group happens only then."""
        if until is not None:
            for file, _ in group.parts:
                self.next_at[file.name] = min(until, self.next_at.get(file.name, until))

    def finish(self, group: Group) -> dict[str, str]:
        """Count the files that end in the group; those to remember, with their fingerprints."""
        whole = [file.name for file in group.finished if file.name not in self.failed]
        self.report.files_read += len(whole)
        return {name: self.fingerprints[name] for name in whole if name in self.fingerprints}

    def total(self, group: Group) -> int | None:
        """An estimate of all rows, from the share of the files that is read."""
        last, chunk = group.parts[-1]
        before = next(i for i, file in enumerate(self.files) if file.name == last.name)
        share = (before + chunk.fraction) / len(self.files)
        return round(self.report.rows_read / share) if chunk.fraction else None


@dataclass(frozen=True)
class ImportJob:
    """What all sources of one import share. ``types``: how a source of each type is opened."""

    lake: Lake
    quarantine: Path
    base: Path
    horizon: mapping.Horizon
    erased: Erased
    progress: Progress = silent
    types: Mapping[str, Open] = field(default_factory=lambda: SOURCES)

    def source(
        self, connection: duckdb.DuckDBPyConnection, source: SourceSettings, imported: ImportedFiles
    ) -> SourceReport:
        """Import every unfinished file of one source, small ones together."""
        report, started = SourceReport(source.name, source.table), time.monotonic()
        quarantine = Quarantine(self.quarantine, source.name)
        reading = self._unfinished(source, imported, report)
        quarantine.forget([file.name for file in reading.files])
        for group in groups(reading.files, mapping.source_columns(source), reading.fail):
            if group.parts:
                try:
                    rejected, next_at = self.group(connection, source, group, report)
                except SourceError as error:
                    reading.fail(error, *(file.name for file, _ in group.parts))
                    continue
                quarantine.add(rejected)
                reading.wait(group, next_at)
                self.progress(source.name, report.rows_read, reading.total(group))
            imported.finish(source.name, reading.finish(group), reading.next_at)
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
    ) -> _Reading:
        try:
            mapping.check(source)
            files = open_source(source, self.base, self.types)
        except SourceError as error:
            report.errors.append(str(error))
            files = []
        digest, unfinished, fingerprints = _digest(source), [], {}
        for file in files:
            fingerprint = f"{file.fingerprint}:{digest}" if file.fingerprint else None
            if fingerprint is not None:
                if imported.done(source.name, file.name, fingerprint, self.horizon.now):
                    report.files_skipped += 1
                    continue
                fingerprints[file.name] = fingerprint
            unfinished.append(file)
        return _Reading(unfinished, fingerprints, report)

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
    own = sorted((key, repr(value)) for key, value in source.options.items() if key != "path")
    parts = (
        MAPPING_VERSION, source.table, source.format, source.encoding, source.delimiter,
        source.header, sorted((name, repr(column)) for name, column in source.columns.items()),
        *([own] if own else []),
    )  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
