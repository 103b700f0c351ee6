"""The lake: canonical tables as Delta tables in one folder, read through Ibis over DuckDB.

One writer at a time (a file lock); readers take no lock and see the version that was newest when
they asked: all of a write or nothing of it.
"""

# ruff: noqa: S608 - names come from scoring.columns, values through scoring.sql

from __future__ import annotations

import fcntl
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import ibis
import numpy as np
import pyarrow as pa

from scoring import canonical, separation, sql
from scoring import columns as c
from scoring.delta import DataFile, Delta
from scoring.merge import scan, split
from scoring.separation import erased_events, past_of

_KEEP_OLD_FILES_HOURS = 24  # a reader that began before an upsert still finds its file
_COMPACT_FROM_FILES = 8  # a day of more files than this becomes one


@dataclass(frozen=True)
class AppendReport:
    """``conflicts``: row numbers (int64) of ``rows`` whose id is in the lake with other content."""

    added: int
    known: int
    conflicts: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))


class Lake:
    """``folder`` is made by the first write. ``threads`` and ``memory_limit`` bound DuckDB."""

    def __init__(self, folder: Path, *, threads: int = 2, memory_limit: str = "1GB") -> None:
        self.folder = folder
        self._config: dict[str, Any] = {"threads": threads, "memory_limit": memory_limit}
        self._ibis: ibis.BaseBackend | None = None
        self._lock_depth = 0
        self._views = 0
        # what was asked for last, and its table
        self._separated: tuple[Any, str | None] = (None, None)
        self._tables = {
            name: Delta(folder / name, canonical.schema(name), by_day=name == canonical.EVENTS)
            for name in canonical.COLUMNS
        }

    # reading

    @property
    def backend(self) -> ibis.BaseBackend:
        """The DuckDB connection behind every table of this lake (UTC; join them freely)."""
        if self._ibis is None:
            self._ibis = ibis.duckdb.connect(**self._config)
            self._ibis.raw_sql("SET TimeZone = 'UTC'")
        return self._ibis

    def events(self, *, before: datetime, since: datetime | None = None) -> ibis.Table:
        """Events with since ≤ occurred_at < before (aware times): canonical columns and ``day``.

        A device that was separated before ``before`` has another name for each of its former
        hands (scoring.separation).
        """
        first = "" if since is None else _utc(since).date().isoformat()
        last = _utc(before).date().isoformat()
        files = [
            file for file in self._tables[canonical.EVENTS].files() if (file.day or "") <= last
        ]
        pasts = self._pasts(files, _utc(before))
        files = [file for file in files if first <= (file.day or "")]
        table = self._view(canonical.EVENTS, files, pasts)
        table = table.filter(table[c.OCCURRED_AT] < _utc(before))
        if since is not None:
            table = table.filter(table[c.OCCURRED_AT] >= _utc(since))
        return table

    def items(self) -> ibis.Table:
        return self._view(canonical.ITEMS)

    def customers(self) -> ibis.Table:
        return self._view(canonical.CUSTOMERS)

    def campaigns(self) -> ibis.Table:
        return self._view(canonical.CAMPAIGNS)

    def offers(self) -> ibis.Table:
        return self._view(canonical.OFFERS)

    def _pasts(self, files: Sequence[DataFile], before: datetime) -> str | None:
        """The table of the pasts of separated devices, None if there are none."""
        asked = (tuple(files), before)
        if files and self._separated[0] != asked:
            self._views += 1
            table = f"separated_{self._views}"
            found = separation.epochs(self.backend.con, files, before, table)
            self._separated = asked, table if found else None
        return self._separated[1] if files else None

    def _view(
        self, table: str, files: Sequence[DataFile] | None = None, pasts: str | None = None
    ) -> ibis.Table:
        """A view of its own over these files: what is written later does not change it."""
        files = self._tables[table].files() if files is None else files
        names = list(canonical.COLUMNS[table])
        if table == canonical.EVENTS:
            names.append(c.DAY)
        self._views += 1
        view = f"{table}_{self._views}"
        if files and pasts:
            rows = separation.told_apart(names, files, pasts)
        elif table == canonical.EVENTS and files:
            rows = f"SELECT {', '.join(names)} FROM {scan(files)}"
        else:
            rows = _complete(names, files)
        self.backend.raw_sql(f"CREATE TEMP VIEW {view} AS {rows}")
        return self.backend.table(view)

    # writing

    @contextmanager
    def writer(self) -> Iterator[None]:
        """Hold the write lock (other processes and Lake objects wait); may be nested in one
        object.
        """
        if self._lock_depth:
            self._lock_depth += 1
            try:
                yield
            finally:
                self._lock_depth -= 1
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._lock_depth = 1
            try:
                yield
            finally:
                self._lock_depth = 0

    def append_events(self, rows: pa.Table, *, batch: str) -> AppendReport:
        """Append the events whose event_id is not in the lake, in one commit named ``batch``.

        ``rows`` has the columns of ``canonical.schema("events")``. Calling it again with the same
        rows adds nothing. An id that exists with other content is a conflict and is left out;
        within ``rows`` the first one counts.
        """
        events = self._tables[canonical.EVENTS]
        rows = rows.select(events.schema.names).cast(events.schema)
        if rows.num_rows == 0:
            return AppendReport(0, 0)
        with self.writer(), self._connection() as connection:
            parts = split(connection, rows, events.files())
            if parts.fresh.num_rows:
                events.commit(parts.fresh, note=batch)
        return AppendReport(parts.fresh.num_rows, parts.known, parts.conflicts)

    def upsert(self, table: str, rows: pa.Table, *, batch: str) -> AppendReport:
        """Put items, customers, campaigns or offers by id: the newest row replaces an older one
        whole.

        Of several rows with one id the last counts. ``added`` are new or changed ids, the rest
        known.
        """
        if table == canonical.EVENTS or table not in self._tables:
            raise ValueError(f"no table to upsert into: {table!r}")
        target = self._tables[table]
        rows = rows.select(target.schema.names).cast(target.schema)
        with self.writer(), self._connection() as connection:
            merged, changed = _newest(connection, canonical.KEYS[table], rows, target)
            if changed:
                target.commit(merged, remove=target.files(), note=batch)
                target.vacuum(_KEEP_OLD_FILES_HOURS)
        return AppendReport(changed, rows.num_rows - changed)

    def erase(self, identifiers: Collection[tuple[str, str]]) -> int:
        """Remove every event and customer row of these (identifier_kind, identifier) pairs for
        good.

        Files are rewritten without them and the old files deleted at once (a query that is reading
        one of them right now may fail and has to be repeated). Returns the number of rows removed.
        """
        if not identifiers:
            return 0
        tests = {
            canonical.EVENTS: _erased_event(identifiers),
            canonical.CUSTOMERS: _erased_customer(identifiers),
        }
        removed = 0
        with self.writer(), self._connection() as connection:
            for name, erased in tests.items():
                removed += erase_from(connection, self._tables[name], erased)
                self._tables[name].vacuum(0)
        return removed

    def compact(
        self, *, from_files: int = _COMPACT_FROM_FILES, under_bytes: int | None = None
    ) -> int:
        """Join the files of each day that has more than ``from_files``, or more than that of fewer
        than ``under_bytes``; returns how many days were rewritten."""
        events = self._tables[canonical.EVENTS]
        with self.writer(), self._connection() as connection:
            days: dict[str | None, list[DataFile]] = {}
            for file in events.files():
                if under_bytes is None or file.path.stat().st_size < under_bytes:
                    days.setdefault(file.day, []).append(file)
            crowded = {day: files for day, files in days.items() if len(files) > from_files}
            for day, files in crowded.items():
                rows = connection.sql(
                    f"SELECT * FROM {scan(files)} ORDER BY {c.OCCURRED_AT}, {c.EVENT_ID}"
                ).to_arrow_table()
                events.commit(rows, remove=files, note=f"compact {day}")
            if crowded:
                events.vacuum(_KEEP_OLD_FILES_HOURS)
        return len(crowded)

    @contextmanager
    def _connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect(config=self._config) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            yield connection


def _erased_event(identifiers: Collection[tuple[str, str]]) -> str:
    """SQL: is an event of one of these identifiers (or of one of these devices)."""
    pasts = [
        past for kind, value in identifiers if kind == c.DEVICE_ID and (past := past_of(value))
    ]
    by_kind = _by_kind(identifiers)
    tests = [
        f"({c.IDENTIFIER_KIND} = {sql.literal(kind)} AND {sql.one_of(c.IDENTIFIER, values)})"
        for kind, values in by_kind.items()
    ]
    if devices := by_kind.get(c.DEVICE_ID):
        tests.append(sql.one_of(c.DEVICE_ID, devices))
    tests += [erased_events(past) for past in pasts]
    return f"coalesce({' OR '.join(tests)}, false)"


def _erased_customer(identifiers: Collection[tuple[str, str]]) -> str:
    """SQL: is a customer row that has one of these identifiers."""
    tests = []
    for kind, values in _by_kind(identifiers).items():
        listed = ", ".join(sql.literal(value) for value in values)
        own = sql.listed_identifiers(c.IDENTIFIERS, kind)
        tests.append(f"coalesce(list_has_any({own}, [{listed}]), false)")
        if kind == c.EXTERNAL_ID:
            tests.append(sql.one_of(c.CUSTOMER_ID, values))
    return " OR ".join(tests)


def _by_kind(identifiers: Collection[tuple[str, str]]) -> dict[str, list[str]]:
    by_kind: dict[str, list[str]] = {}
    for kind, value in sorted(set(identifiers)):
        by_kind.setdefault(kind, []).append(value)
    return by_kind


def erase_from(connection: duckdb.DuckDBPyConnection, table: Delta, erased: str) -> int:
    """Rewrites the table's files without the rows of which the SQL ``erased`` is true (never null);
    returns how many. The old files stay on disk until vacuum()."""
    files = table.files()
    if not files:
        return 0
    hit = connection.execute(
        f"SELECT filename, count(*) FROM (SELECT *, filename FROM {scan(files)}) "
        f"WHERE {erased} GROUP BY filename"
    ).fetchall()
    touched = {Path(name) for name, _ in hit}
    old = [file for file in files if file.path in touched]
    if old:
        rest = connection.sql(
            f"SELECT * FROM {scan(old)} WHERE NOT ({erased}) "
            f"ORDER BY {', '.join(table.schema.names)}"
        ).to_arrow_table()
        table.commit(rest, remove=old, note="erase")
    return sum(count for _, count in hit)


def _newest(
    connection: duckdb.DuckDBPyConnection, key: str, rows: pa.Table, table: Delta
) -> tuple[pa.Table, int]:
    """The table with ``rows`` laid over it, ordered by id, and how many ids are new or changed."""
    names = ", ".join(table.schema.names)
    files = table.files()
    connection.register(
        "incoming", rows.append_column("incoming_row", pa.array(np.arange(len(rows))))
    )
    connection.execute(f"CREATE TEMP TABLE old AS {_complete(table.schema.names, files)}")
    connection.execute(
        f"CREATE TEMP TABLE fresh AS SELECT {names} FROM incoming SEMI JOIN "
        f"(SELECT max(incoming_row) AS incoming_row FROM incoming GROUP BY {key}) "
        "USING (incoming_row)"
    )
    changed = connection.execute(
        "SELECT count(*) FROM (SELECT * FROM fresh EXCEPT SELECT * FROM old)"
    ).fetchall()[0][0]
    merged = connection.sql(
        f"SELECT * FROM fresh UNION ALL SELECT * FROM old ANTI JOIN fresh USING ({key}) "
        f"ORDER BY {key}"
    ).to_arrow_table()
    return merged, changed


def _complete(names: Sequence[str], files: Sequence[DataFile]) -> str:
    """SQL: these columns of the files, null where a file was written before there was one."""
    types = [f"NULL::{canonical.sql_type(canonical.kind(name))} AS {name}" for name in names]
    nothing = f"SELECT {', '.join(types)} WHERE false"
    if not files:
        return nothing
    return (
        f"SELECT {', '.join(names)} FROM ({nothing} UNION ALL BY NAME SELECT * FROM {scan(files)})"
    )


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"a time with a zone is needed, found {moment!r}")
    return moment.astimezone(UTC)
