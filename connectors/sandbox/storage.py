"""The sandbox tool's memory: one SQLite file in its folder."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

SCHEMA = """
CREATE TABLE IF NOT EXISTS profile(
    external_id TEXT PRIMARY KEY, fields TEXT NOT NULL, custom TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cohort(
    cohort_id TEXT PRIMARY KEY, name TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS cohort_member(
    cohort_id TEXT, external_id TEXT, PRIMARY KEY(cohort_id, external_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS campaign(
    campaign_id TEXT PRIMARY KEY, name TEXT NOT NULL, template TEXT NOT NULL, cohort_id TEXT,
    created_at TEXT NOT NULL, dialect TEXT NOT NULL DEFAULT 'braze', feed TEXT);
CREATE TABLE IF NOT EXISTS message(
    campaign_id TEXT, external_id TEXT, state TEXT NOT NULL, subject TEXT NOT NULL,
    body TEXT NOT NULL, reason TEXT, rendered_at TEXT NOT NULL,
    PRIMARY KEY(campaign_id, external_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS message_of ON message(external_id, rendered_at);
CREATE TABLE IF NOT EXISTS credential(
    name TEXT PRIMARY KEY, username TEXT NOT NULL, password TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS shelf(
    name TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY(name, key)) WITHOUT ROWID;
"""
ITEMS = "items"  # the shelf with the shop's catalog, for templates that look items up
# columns of campaign that older files lack
LATER = ("dialect TEXT NOT NULL DEFAULT 'braze'", "feed TEXT")


Values = Sequence[Any] | Mapping[str, Any]


class Storage:
    """One connection for all threads of the process; every use takes its lock, and is short."""

    def __init__(self, folder: Path) -> None:
        """Raises sqlite3.DatabaseError when the file in ``folder`` is not ours."""
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(
            folder / "sandbox.sqlite", timeout=30, isolation_level=None, check_same_thread=False
        )
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA secure_delete = ON")  # who is deleted leaves no bytes
        self._db.executescript(SCHEMA)
        there = {row["name"] for row in self._db.execute("PRAGMA table_info(campaign)")}
        for column in LATER:
            if column.split()[0] not in there:
                self._db.execute(f"ALTER TABLE campaign ADD COLUMN {column}")

    def rows(self, query: str, values: Values = ()) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(row) for row in self._db.execute(query, values)]

    def row(self, query: str, values: Values = ()) -> dict[str, Any] | None:
        with self._lock:
            found = self._db.execute(query, values).fetchone()
        return None if found is None else dict(found)

    def number(self, query: str, values: Values = ()) -> int:
        with self._lock:
            return int(self._db.execute(query, values).fetchone()[0])

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def forget(self) -> None:
        """What was deleted leaves the write-ahead log, too."""
        with self._lock:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def write(self, statement: str, values: Values = ()) -> int:
        """Run one statement; returns the number of rows that it changed."""
        with self._lock:
            return self._db.execute(statement, values).rowcount

    def write_many(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        with self.transaction() as db:
            db.executemany(statement, values)

    def credential(self, name: str) -> tuple[str, str] | None:
        """(user name, password), or (header, value), of a credential."""
        row = self.row("SELECT * FROM credential WHERE name = ?", [name])
        return None if row is None else (row["username"], row["password"])

    def item(self, item_id: str) -> dict[str, Any] | None:
        """What a template finds in the shop's catalog."""
        row = self.row("SELECT value FROM shelf WHERE name = ? AND key = ?", [ITEMS, item_id])
        return None if row is None else dict(orjson.loads(row["value"]))

    def close(self) -> None:
        with self._lock:
            self._db.close()
