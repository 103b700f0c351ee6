"""The rows of a run, each customer once, on disk: memory does not grow with their number."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import orjson

from connectors.errors import Stop
from connectors.files.formats import kind_of
from connectors.files.layout import Change


class Merge:
    """Customer id → name → value; of a name given twice the later counts.

    ``keep_removed`` says whether a removed name stays, as None, or goes with its customer when it
    was the last. ``kinds``: name → kinds of all its values.
    """

    def __init__(self, db: sqlite3.Connection, *, keep_removed: bool) -> None:
        self._db = db
        self._keep_removed = keep_removed
        self.kinds: dict[str, set[str]] = {}
        db.execute("CREATE TABLE row(customer_id TEXT PRIMARY KEY, change TEXT) WITHOUT ROWID")

    def add(self, lines: Iterable[bytes]) -> None:
        """``lines`` are JSON: [customer id, {name: value}]. Raises ValueError for what is not."""
        for line in lines:
            customer_id, change = orjson.loads(line)
            if not isinstance(customer_id, str) or not isinstance(change, dict):
                raise ValueError("no change of a customer")
            for name, value in change.items():
                if value is not None:
                    self.kinds.setdefault(name, set()).add(kind_of(value))
            found = self._db.execute("SELECT change FROM row WHERE customer_id = ?", [customer_id])
            before = found.fetchone()
            merged = {**(orjson.loads(before[0]) if before else {}), **change}
            if not self._keep_removed:
                merged = {name: value for name, value in merged.items() if value is not None}
            if merged:
                text = orjson.dumps(merged).decode()
                self._db.execute("INSERT OR REPLACE INTO row VALUES (?, ?)", [customer_id, text])
            elif before:
                self._db.execute("DELETE FROM row WHERE customer_id = ?", [customer_id])

    def all(self) -> Iterator[Change]:
        """By customer id."""
        for customer_id, text in self._db.execute("SELECT * FROM row ORDER BY customer_id"):
            change: dict[str, Any] = orjson.loads(text)
            yield customer_id, change


@contextmanager
def merging(*, keep_removed: bool) -> Iterator[Merge]:
    """A merge that is gone after the block. Raises Stop when there is no room for it."""
    try:
        with (
            tempfile.TemporaryDirectory(prefix="rightsend-") as folder,
            closing(sqlite3.connect(Path(folder) / "rows.sqlite", isolation_level=None)) as db,
        ):
            db.execute("PRAGMA journal_mode = OFF")
            db.execute("PRAGMA synchronous = OFF")
            db.execute("BEGIN")
            yield Merge(db, keep_removed=keep_removed)
    except (sqlite3.Error, OSError) as error:
        raise Stop(f"the folder for temporary files cannot be used: {error}") from error
