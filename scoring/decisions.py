"""The lake's table ``decisions``: each answer of a content call once, by process and number.

Beside the canonical tables, with a lock of its own: what the web answers waits for no import.
"""

# ruff: noqa: S608 - names come from scoring.columns, values through scoring.sql

from __future__ import annotations

import fcntl
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring import columns as c
from scoring import decision_ledger, sql
from scoring.delta import DataFile, Delta, day_numbers, day_text
from scoring.erasure import Erased
from scoring.lake import erase_from
from scoring.merge import scan
from scoring.store.decisions import Block

TABLE = "decisions"
_TIME = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema([
    (c.DECISION_ID, pa.string()),
    (c.DECIDED_AT, _TIME),
    (c.KIND, pa.string()),
    (c.CAMPAIGN_ID, pa.string()),
    (c.CHANNEL, pa.string()),
    (c.CUSTOMER, pa.string()),
    (c.SNAPSHOT, pa.string()),
    (c.POLICY, pa.string()),
    (c.ARM, pa.string()),
    (c.REASON, pa.string()),
    (c.SEND, pa.bool_()),
    (c.SEND_REASON, pa.string()),
    (c.ITEMS, pa.list_(pa.string())),
    (c.SCORES, pa.list_(pa.float32())),
    (c.PROCESS, pa.string()),
    (c.SEQUENCE, pa.int64()),
])  # fmt: skip
# column → what a block calls it
_IN_BLOCKS = {
    c.CAMPAIGN_ID: "campaign",
    c.DECIDED_AT: "at_us",
    **{
        name: name
        for name in (
            c.DECISION_ID, c.KIND, c.CHANNEL, c.CUSTOMER, c.SNAPSHOT, c.POLICY, c.ARM, c.REASON,
            c.SEND, c.SEND_REASON, c.ITEMS, c.SCORES,
        )
    },
}  # fmt: skip
_NOTHING_IS_NULL = (c.CAMPAIGN_ID, c.CHANNEL, c.CUSTOMER, c.SNAPSHOT)
_SMALL_BYTES = 32 * 1024 * 1024
_SMALL_FILES = 16  # a day of more of them gets one in their place
_KEEP_OLD_FILES_HOURS = 24  # somebody who began to read before still finds a file


@dataclass(frozen=True)
class Stored:
    """What a batch of blocks brought, in decisions: ``known`` had come before, ``erased`` are of
    people who were, ``unreadable`` hold what no decision does and will count as lost."""

    added: int
    known: int
    erased: int
    unreadable: int


class Decisions:
    """Of one workspace; ``folder`` is made by the first write."""

    def __init__(self, workspace_dir: Path) -> None:
        self._workspace_dir = workspace_dir
        self._lake = workspace_dir / "lake"
        self._table = Delta(self._lake / TABLE, SCHEMA, by_day=True, time=c.DECIDED_AT)

    def files(self, *, since: date | None = None, until: date | None = None) -> list[DataFile]:
        """Those of the days since ≤ day < until (UTC)."""
        first, end = str(since or ""), str(until or "9999-12-31")
        return [file for file in self._table.files() if first <= (file.day or "") < end]

    def store(self, blocks: Sequence[Block], *, at_s: float, secret: bytes | None) -> Stored:
        """Adds what has not come yet, in one commit, and notes it in the ledger at ``at_s`` (Unix
        time). Killed anywhere and called again with the same blocks, it adds nothing twice."""
        with self._writer():
            ledger = decision_ledger.read(self._lake)
            rows, unreadable = _read(blocks, ledger, at_s)
            fresh = self._unknown(rows) if rows.num_rows else rows
            kept = self._without_erased(fresh, secret)
            if kept.num_rows:
                self._table.commit(kept, note=f"{len(blocks)} blocks")
            ledger.fold(at_s)
            ledger.save(self._lake)
        came = sum(block.size for block in blocks) - unreadable
        erased = fresh.num_rows - kept.num_rows
        return Stored(kept.num_rows, came - fresh.num_rows, erased, unreadable)

    def counts(self, at_s: float) -> decision_ledger.Counts:
        """How many came and are missing, as of ``at_s`` (Unix time)."""
        return decision_ledger.read(self._lake).counts(at_s)

    def compact(self) -> int:
        """Joins the small files of each day that has many; returns how many days had."""
        with self._writer():
            days: dict[str | None, list[DataFile]] = {}
            for file in self._table.files():
                if file.path.stat().st_size < _SMALL_BYTES:
                    days.setdefault(file.day, []).append(file)
            crowded = {day: files for day, files in days.items() if len(files) > _SMALL_FILES}
            for day, files in crowded.items():
                with _connection() as connection:
                    rows = connection.sql(
                        f"SELECT * FROM {scan(files)} ORDER BY {c.DECIDED_AT}, {c.PROCESS}, "
                        f"{c.SEQUENCE}"
                    ).to_arrow_table()
                self._table.commit(rows, remove=files, note=f"compact {day}")
            if crowded:
                self._table.vacuum(_KEEP_OLD_FILES_HOURS)
        return len(crowded)

    def retire(self, before: date) -> int:
        """Removes the days before ``before`` (UTC), from the disk at once; returns how many."""
        with self._writer():
            old = self.files(until=before)
            if old:
                self._table.commit(None, remove=old, note=f"retire before {before}")
            for file in old:
                file.path.unlink(missing_ok=True)
        return len({file.day for file in old})

    def erase(self, customers: Collection[str]) -> int:
        """Removes the rows of these customers (hashes in hex) for good; returns how many. The
        caller has remembered them (scoring.erasure), so that later blocks bring none back."""
        if not customers:
            return 0
        erased = f"coalesce({sql.one_of(c.CUSTOMER, sorted(customers))}, false)"
        with self._writer(), _connection() as connection:
            removed = erase_from(connection, self._table, erased)
            self._table.vacuum(0)
        return removed

    def _unknown(self, rows: pa.Table) -> pa.Table:
        """Without those in the table: a worker may have died before it wrote the ledger."""
        days = {day_text(day) for day in np.unique(day_numbers(rows, c.DECIDED_AT)).tolist()}
        files = [file for file in self._table.files() if file.day in days]
        if not files:
            return rows
        with _connection() as connection:
            connection.register("incoming", rows.select([c.PROCESS, c.SEQUENCE]))
            known = connection.sql(
                f"SELECT {c.PROCESS}, {c.SEQUENCE} FROM {scan(files)} "
                f"SEMI JOIN incoming USING ({c.PROCESS}, {c.SEQUENCE})"
            ).fetchall()
        if not known:
            return rows
        pairs = zip(rows[c.PROCESS].to_pylist(), rows[c.SEQUENCE].to_pylist(), strict=True)
        there = set(known)
        return rows.filter(pa.array([pair not in there for pair in pairs], pa.bool_()))

    def _without_erased(self, rows: pa.Table, secret: bytes | None) -> pa.Table:
        erased = Erased(self._workspace_dir, secret)
        if not erased or not rows.num_rows:
            return rows
        customers = rows[c.CUSTOMER].unique().drop_null().to_pylist()
        gone = [each for each in customers if erased.holds(c.CUSTOMER_HASH, each)]
        return rows.filter(pc.invert(pc.is_in(rows[c.CUSTOMER], pa.array(gone, pa.string()))))

    @contextmanager
    def _writer(self) -> Iterator[None]:
        """One writer at a time; readers see all of a commit or nothing of it."""
        self._lake.mkdir(parents=True, exist_ok=True)
        with (self._lake / ".decisions.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _read(
    blocks: Sequence[Block], ledger: decision_ledger.Ledger, at_s: float
) -> tuple[pa.Table, int]:
    """The decisions that the ledger does not know, which it then does, and how many could not be
    read."""
    parts, unreadable = [SCHEMA.empty_table()], 0
    for block in blocks:
        try:
            table = _table(block)
        except (pa.ArrowException, TypeError, OverflowError):
            unreadable += block.size
            continue
        end = block.first + block.size
        for first, last in ledger.missing(block.process, block.first, end):
            parts.append(table.slice(first - block.first, last - first))
        ledger.add(block.process, block.first, end, ended=block.ended, at_s=at_s)
    rows = pa.concat_tables(parts).combine_chunks()
    for name in _NOTHING_IS_NULL:
        at = SCHEMA.get_field_index(name)
        column = pc.if_else(pc.equal(rows[name], ""), None, rows[name])
        rows = rows.set_column(at, SCHEMA.field(name), column)
    return rows, unreadable


def _table(block: Block) -> pa.Table:
    columns = {
        name: pa.array(block.columns[theirs], SCHEMA.field(name).type)
        for name, theirs in _IN_BLOCKS.items()
    }
    columns[c.PROCESS] = pa.array([block.process] * block.size, pa.string())
    columns[c.SEQUENCE] = pa.array(range(block.first, block.first + block.size), pa.int64())
    return pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)


@contextmanager
def _connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 2, "memory_limit": "1GB"}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
