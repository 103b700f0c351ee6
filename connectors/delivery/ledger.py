"""The books of one connection: what the tool has accepted, what is in doubt, what it refused.

One SQLite file. Customers stand in *spaces*: the user attributes are one, each pushed segment is
another. For each customer of a space it keeps

- ``accepted``: the last state that the tool took, as canonical JSON;
- ``doubt``: names that were sent and not (yet) answered, so the tool may hold either value. It is
  written before a request leaves: after a crash exactly those are sent again;
- ``quarantine``: what the tool refused, with the reason and a hash of the content.

The desired state is spooled into a scratch file beside it, so memory does not grow with the
number of customers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from connectors.delivery.packing import Record
from connectors.errors import Reject, Stop

State = dict[str, Any] | Reject  # what a customer is desired to be, or why nobody can say

LAYOUT = 1
NOTHING = "{}"
PAGE = 2_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS space(id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, label TEXT);
CREATE TABLE IF NOT EXISTS accepted(
    space INTEGER, customer_id TEXT, attributes TEXT NOT NULL,
    PRIMARY KEY(space, customer_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS doubt(
    space INTEGER, customer_id TEXT, names TEXT NOT NULL,
    PRIMARY KEY(space, customer_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quarantine(
    space INTEGER, customer_id TEXT, reason TEXT NOT NULL, content_hash BLOB NOT NULL,
    refused_at TEXT NOT NULL, PRIMARY KEY(space, customer_id)) WITHOUT ROWID;
"""

CHANGED = """
FROM spool.desired AS d
LEFT JOIN accepted AS a ON a.space = :space AND a.customer_id = d.customer_id
LEFT JOIN doubt AS u ON u.space = :space AND u.customer_id = d.customer_id
LEFT JOIN quarantine AS q ON q.space = :space AND q.customer_id = d.customer_id
WHERE d.customer_id > :after
AND d.attributes IS NOT NULL
AND (coalesce(a.attributes, '{}') != d.attributes OR u.names IS NOT NULL)
AND q.content_hash IS NOT d.content_hash
"""


@dataclass(frozen=True)
class Difference:
    """A customer whose desired state is not known to be the tool's."""

    customer_id: str
    desired: str
    change: dict[str, Any]  # name → new value, None removes


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
    """Open with ``with Ledger(path, scratch, space) as ledger``; one user at a time a scratch."""

    def __init__(self, path: Path, scratch: Path, space: str) -> None:
        self._scratch = scratch
        self._remove_scratch()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=60, isolation_level=None)
        try:
            self._open(path)
            self._db.execute("INSERT OR IGNORE INTO space(name) VALUES (?)", [space])
            query = "SELECT id FROM space WHERE name = ?"
            self._space: int = self._db.execute(query, [space]).fetchone()[0]
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise Stop(f"the state file {path} cannot be used: {error}") from error

    def _open(self, path: Path) -> None:
        layout = self._db.execute("PRAGMA user_version").fetchone()[0]
        if layout not in (0, LAYOUT):
            raise sqlite3.DatabaseError(f"it has layout {layout}, this version writes {LAYOUT}")
        # NORMAL in WAL mode survives the death of the process; a power cut may lose the newest
        # answers, which then are asked for once more.
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(SCHEMA)
        self._db.execute(f"PRAGMA user_version = {LAYOUT}")
        self._db.execute("ATTACH DATABASE ? AS spool", [str(self._scratch)])
        self._db.execute("PRAGMA spool.journal_mode = OFF")
        self._db.execute("PRAGMA spool.synchronous = OFF")
        self._db.execute(
            "CREATE TABLE spool.desired(customer_id TEXT PRIMARY KEY, attributes TEXT,"
            " content_hash BLOB NOT NULL, problem TEXT) WITHOUT ROWID"
        )

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()
        self._remove_scratch()

    @property
    def label(self) -> str | None:
        """The name under which the space is known in the tool; None before it is declared."""
        query = "SELECT label FROM space WHERE id = ?"
        label: str | None = self._db.execute(query, [self._space]).fetchone()[0]
        return label

    def set_label(self, label: str) -> None:
        self._db.execute("UPDATE space SET label = ? WHERE id = ?", [label, self._space])

    def desire(self, states: Iterable[tuple[str, State]]) -> None:
        """Spool the whole desired state; customers that are not in it are desired empty.

        A Reject in place of a state leaves the customer as he is in the tool. Of a customer given
        twice the last counts.
        """
        # Deferred: only the scratch file is locked while the caller computes the states.
        with self._transaction("DEFERRED"):
            self._db.executemany(
                "INSERT OR REPLACE INTO spool.desired VALUES (?, ?, ?, ?)",
                (_spooled(customer_id, state) for customer_id, state in states),
            )
            self._db.execute(
                "INSERT OR IGNORE INTO spool.desired SELECT customer_id, :nothing, :hash, NULL"
                " FROM (SELECT customer_id FROM accepted WHERE space = :space"
                " UNION SELECT customer_id FROM doubt WHERE space = :space)",
                {"nothing": NOTHING, "hash": content_hash(NOTHING), "space": self._space},
            )

    def problems(self) -> list[tuple[str, int]]:
        """Why states could not be spooled: (reason, customers), most frequent first."""
        query = "SELECT problem, count(*) FROM spool.desired WHERE problem IS NOT NULL GROUP BY 1"
        return sorted(self._db.execute(query), key=lambda row: (-row[1], row[0]))

    def count_differences(self) -> int:
        parameters = {"space": self._space, "after": ""}
        count: int = self._db.execute(f"SELECT count(*) {CHANGED}", parameters).fetchone()[0]
        return count

    def differences(self) -> Iterator[Difference]:
        """Customers whose state has to be sent, by customer id; books may be kept meanwhile."""
        after = ""
        query = (
            "SELECT d.customer_id, d.attributes, coalesce(a.attributes, '{}'),"
            f" coalesce(u.names, '[]') {CHANGED} ORDER BY d.customer_id LIMIT {PAGE}"
        )
        while page := self._db.execute(query, {"space": self._space, "after": after}).fetchall():
            after = page[-1][0]
            for customer_id, desired, accepted, names in page:
                change = _change(orjson.loads(desired), orjson.loads(accepted), orjson.loads(names))
                yield Difference(customer_id, desired, change)

    def begin(self, records: Sequence[Record]) -> None:
        """Write down that these are about to be sent."""
        with self._transaction():
            self._db.executemany(
                "INSERT OR REPLACE INTO doubt VALUES (?, ?, ?)",
                [(self._space, r.customer_id, orjson.dumps(r.names).decode()) for r in records],
            )

    def settle(self, accepted: Sequence[Record], refused: Sequence[tuple[Record, str]]) -> None:
        """Write down the answer to a request, in one transaction: the checkpoint.

        What was refused stays in doubt: should its content ever change, all of it is sent again,
        whatever the tool really did with it.
        """
        with self._transaction():
            for table in ("accepted", "doubt", "quarantine"):
                self._db.executemany(
                    f"DELETE FROM {table} WHERE space = ? AND customer_id = ?",  # noqa: S608
                    [(self._space, record.customer_id) for record in accepted],
                )
            self._db.executemany(
                "INSERT INTO accepted VALUES (?, ?, ?)",
                [(self._space, r.customer_id, r.desired) for r in accepted if r.desired != NOTHING],
            )
            for record, reason in refused:
                self._quarantine(record.customer_id, record.desired, reason)

    def refuse(self, customer_id: str, desired: str, reason: str) -> None:
        """Quarantine what was never sent, because the tool cannot take it."""
        self._quarantine(customer_id, desired, reason)

    def tidy(self) -> None:
        """Close the books of a sync: quarantine what could not be spooled, forget what is over.

        Over is a refusal when the customer is desired no more and the tool holds nothing of him,
        or when what it holds is what is desired.
        """
        refused = (
            "SELECT q.customer_id FROM quarantine AS q"
            " LEFT JOIN spool.desired AS d ON d.customer_id = q.customer_id"
            " LEFT JOIN accepted AS a ON a.space = q.space AND a.customer_id = q.customer_id"
            " LEFT JOIN doubt AS u ON u.space = q.space AND u.customer_id = q.customer_id"
            " WHERE q.space = :space"
        )
        gone = f"{refused} AND coalesce(d.content_hash, :hash) = :hash AND a.customer_id IS NULL"
        equal = (
            f"{refused} AND u.customer_id IS NULL AND (d.customer_id IS NULL OR"
            " d.attributes IS NOT NULL) AND coalesce(d.attributes, '{}') ="
            " coalesce(a.attributes, '{}')"
        )
        values = {"space": self._space, "hash": content_hash(NOTHING), "at": _now()}
        with self._transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO quarantine SELECT :space, customer_id, problem,"
                " content_hash, :at FROM spool.desired WHERE problem IS NOT NULL",
                values,
            )
            for table, over in (("doubt", gone), ("quarantine", equal)):
                self._db.execute(
                    f"DELETE FROM {table} WHERE space = :space AND customer_id IN ({over})",  # noqa: S608
                    values,
                )

    def count_quarantine(self) -> int:
        query = "SELECT count(*) FROM quarantine WHERE space = ?"
        count: int = self._db.execute(query, [self._space]).fetchone()[0]
        return count

    def quarantine(self) -> list[Refused]:
        """What the tool refused in this space, by customer id."""
        query = "SELECT customer_id, reason, refused_at FROM quarantine WHERE space = ? ORDER BY 1"
        return [Refused(*row) for row in self._db.execute(query, [self._space])]

    def _quarantine(self, customer_id: str, desired: str, reason: str) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO quarantine VALUES (?, ?, ?, ?, ?)",
            (self._space, customer_id, reason, content_hash(desired), _now()),
        )

    @contextmanager
    def _transaction(self, kind: str = "IMMEDIATE") -> Iterator[None]:
        self._db.execute(f"BEGIN {kind}")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _remove_scratch(self) -> None:
        self._scratch.unlink(missing_ok=True)


def _spooled(customer_id: str, state: State) -> tuple[str, str | None, bytes, str | None]:
    if isinstance(state, Reject):
        return customer_id, None, content_hash(state.what), state.what
    try:
        text = canonical(state)
    except TypeError:  # an integer over 64 bits, or an object
        return _spooled(customer_id, Reject("a value cannot be written as JSON"))
    return customer_id, text, content_hash(text), None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _change(
    desired: dict[str, Any], accepted: dict[str, Any], in_doubt: Sequence[str]
) -> dict[str, Any]:
    names = sorted({*desired, *accepted, *in_doubt})
    return {
        name: desired.get(name)
        for name in names
        if name in in_doubt or desired.get(name) != accepted.get(name)
    }
