"""The books of one connection: what the tool has accepted, what is in doubt, what it refused.

One SQLite file. Keys (customers, catalog items) stand in *spaces*: the user attributes are one,
each pushed segment and each catalog is another. For each key of a space it keeps

- ``accepted``: the last state that the tool took, as canonical JSON;
- ``in_flight``: the requests that have left and are not (yet) answered, with the names they write.
  It is written before a request leaves: after a crash exactly those are in doubt;
- ``doubt``: names of which the tool may hold either value; they are sent again;
- ``quarantine``: what the tool refused, with the reason and a hash of the content.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from threading import Event, Thread
from typing import Any

import orjson

from connectors.delivery.packing import Record
from connectors.errors import Stop

LAYOUT = 2
NOTHING = "{}"
CHECKPOINT_S = 0.5
LISTED = "SELECT value FROM json_each(?)"

SCHEMA = """
CREATE TABLE IF NOT EXISTS space(id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, label TEXT);
CREATE TABLE IF NOT EXISTS accepted(
    space INTEGER, customer_id TEXT, attributes TEXT NOT NULL,
    PRIMARY KEY(space, customer_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS in_flight(
    request INTEGER PRIMARY KEY, space INTEGER NOT NULL, records TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS doubt(
    space INTEGER, customer_id TEXT, names TEXT NOT NULL,
    PRIMARY KEY(space, customer_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quarantine(
    space INTEGER, customer_id TEXT, reason TEXT NOT NULL, content_hash BLOB NOT NULL,
    refused_at TEXT NOT NULL, PRIMARY KEY(space, customer_id)) WITHOUT ROWID;
"""

Refusal = tuple[Record, str]  # a record and the reason why it was not taken


@dataclass(frozen=True)
class Refused:
    """A line of the quarantine."""

    customer_id: str
    reason: str
    refused_at: str


def canonical(state: dict[str, Any]) -> str:
    """The same text for the same state. Raises TypeError for a value that JSON cannot hold."""
    return orjson.dumps(state, option=orjson.OPT_SORT_KEYS).decode()


def content_hash(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()


class Ledger:
    """Open with ``with Ledger(path, space) as ledger``; used by one thread.

    ``db`` is the open file and ``space`` the number of the space, for the plan: it compares with
    these books inside SQLite, and they take from it what was sent without passing through Python.
    """

    def __init__(self, path: Path, space: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self.db = sqlite3.connect(path, timeout=60, isolation_level=None)
        try:
            self._open()
            self.db.execute("INSERT OR IGNORE INTO space(name) VALUES (?)", [space])
            query = "SELECT id FROM space WHERE name = ?"
            self.space: int = self.db.execute(query, [space]).fetchone()[0]
        except sqlite3.DatabaseError as error:
            self.db.close()
            raise Stop(f"the state file {path} cannot be used: {error}") from error
        self._clean = False  # nothing in doubt or quarantine: known once a run has begun

    def _open(self) -> None:
        layout = self.db.execute("PRAGMA user_version").fetchone()[0]
        if layout > LAYOUT:
            raise sqlite3.DatabaseError(f"it has layout {layout}, this version writes {LAYOUT}")
        # NORMAL in WAL mode survives the death of the process; a power cut may lose the newest
        # answers, which then are asked for once more.
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.execute("PRAGMA secure_delete = ON")  # who leaves the books leaves no bytes
        self.db.execute("PRAGMA wal_autocheckpoint = 16000")  # pages: waits for the disk are few
        self.db.executescript(SCHEMA)
        self.db.execute(f"PRAGMA user_version = {LAYOUT}")

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.db.close()

    @property
    def label(self) -> str | None:
        """The name under which the space is known in the tool; None before it is declared."""
        query = "SELECT label FROM space WHERE id = ?"
        label: str | None = self.db.execute(query, [self.space]).fetchone()[0]
        return label

    def set_label(self, label: str) -> None:
        self.db.execute("UPDATE space SET label = ? WHERE id = ?", [label, self.space])

    def recover(self) -> None:
        """Requests that a run before this one left without an answer are in doubt."""
        query = "SELECT records FROM in_flight WHERE space = ?"
        with self.transaction():
            for (records,) in self.db.execute(query, [self.space]).fetchall():
                for names, keys in orjson.loads(records).items():
                    self._doubt([(key, names) for key in keys])
            self.db.execute("DELETE FROM in_flight WHERE space = ?", [self.space])
        held = ("doubt", "quarantine")
        self._clean = not any(
            self.db.execute(f"SELECT 1 FROM {table} WHERE space = ?", [self.space]).fetchone()  # noqa: S608
            for table in held
        )

    @contextmanager
    def tended(self) -> Iterator[None]:
        """Meanwhile a thread moves what was written to its place in the file: whoever writes does
        not wait for the disk."""
        over = Event()
        thread = Thread(target=_checkpoint, args=(self._path, over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def begin(self, records: Sequence[Record]) -> int:
        """Write down that these are about to be sent; the number of the request."""
        inserted = self.db.execute(
            "INSERT INTO in_flight(space, records) SELECT ?, json_group_object(names, json(keys))"  # noqa: S608 - a constant
            " FROM (SELECT names, json_group_array(customer_id) AS keys FROM spool.record"
            f" WHERE seq IN ({LISTED}) GROUP BY names)",
            [self.space, _listed(records)],
        )
        return int(inserted.lastrowid or 0)

    def settle(
        self,
        request: int,
        accepted: Sequence[Record],
        refused: Sequence[Refusal] = (),
        unsent: Sequence[Sequence[Record]] = (),
        uncertain: bool = False,
    ) -> list[int]:
        """Write down the answer to a request, in one transaction: the checkpoint.

        ``unsent`` are parts of it that are to be sent by themselves; returns their numbers.
        ``uncertain``: what was refused may have been written by a request before, so that it is in
        doubt, and sent again, also to be removed, when its content changes.
        """
        with self.transaction():
            self.db.execute("DELETE FROM in_flight WHERE request = ?", [request])
            if accepted:
                self._accept(_listed(accepted))
            for record, reason in refused:
                query = "SELECT names, content_hash FROM spool.record WHERE seq = ?"
                names, content = self.db.execute(query, [record.seq]).fetchone()
                if uncertain:
                    self._doubt([(record.key, names)])
                self.refuse(record.key, content, reason)
            return [self.begin(part) for part in unsent]

    def _accept(self, listed: str) -> None:
        sent = f"FROM spool.record WHERE seq IN ({LISTED})"
        for table in () if self._clean else ("doubt", "quarantine"):
            self.db.execute(
                f"DELETE FROM {table} WHERE space = ? AND customer_id IN"  # noqa: S608
                f" (SELECT customer_id {sent})",
                [self.space, listed],
            )
        self.db.execute(
            "INSERT OR REPLACE INTO accepted"
            f" SELECT ?, customer_id, desired {sent} AND desired != '{NOTHING}'",
            [self.space, listed],
        )
        self.db.execute(
            "DELETE FROM accepted WHERE space = ? AND customer_id IN"  # noqa: S608
            f" (SELECT customer_id {sent} AND desired = '{NOTHING}')",
            [self.space, listed],
        )

    def refuse(self, key: str, content: bytes, reason: str) -> None:
        """Quarantine what the tool does not take; ``content`` is a hash of what was desired."""
        self._clean = False
        self.db.execute(
            "INSERT OR REPLACE INTO quarantine VALUES (?, ?, ?, ?, ?)",
            (self.space, key, reason, content, now()),
        )

    def count_quarantine(self) -> int:
        query = "SELECT count(*) FROM quarantine WHERE space = ?"
        count: int = self.db.execute(query, [self.space]).fetchone()[0]
        return count

    def quarantine(self) -> list[Refused]:
        """What the tool refused in this space, by key."""
        query = "SELECT customer_id, reason, refused_at FROM quarantine WHERE space = ? ORDER BY 1"
        return [Refused(*row) for row in self.db.execute(query, [self.space])]

    @contextmanager
    def transaction(self, kind: str = "IMMEDIATE") -> Iterator[None]:
        """All or nothing of the block; within another it is part of that."""
        if self.db.in_transaction:
            yield
            return
        self.db.execute(f"BEGIN {kind}")
        try:
            yield
        except BaseException:
            if self.db.in_transaction:  # a full disk ends it by itself
                self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def _doubt(self, records: Sequence[tuple[str, str]]) -> None:
        """Of a key that is in doubt already, by other names, all of them are."""
        query = "SELECT names FROM doubt WHERE space = ? AND customer_id = ?"
        for key, names in records:
            self._clean = False
            row = self.db.execute(query, [self.space, key]).fetchone()
            if row is not None:
                union = {*orjson.loads(row[0]), *orjson.loads(names)}
                names = orjson.dumps(sorted(union)).decode()
            self.db.execute(
                "INSERT OR REPLACE INTO doubt VALUES (?, ?, ?)", (self.space, key, names)
            )


def _checkpoint(path: Path, over: Event) -> None:
    # What is wrong with the file whoever writes to it will be told.
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as db,
    ):
        while not over.wait(CHECKPOINT_S):
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _listed(records: Sequence[Record]) -> str:
    return orjson.dumps([record.seq for record in records]).decode()


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
