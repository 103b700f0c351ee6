"""One Delta table of the lake: its files, and commits that add and remove whole files.

We write the Parquet files ourselves and only commit them through deltalake: three times faster than
its own writer for a year of day partitions, and no statistics with identifiers reach the log, so
that erasing a person's files erases every trace of them.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Schema
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, RemoveAction

from scoring import columns as c

MICROSECONDS_PER_DAY = 86_400_000_000
# Ids are nearly unique: a dictionary of them costs time and saves nothing.
_PLAIN_COLUMNS = (
    c.EVENT_ID, c.OCCURRED_AT, c.PROPERTIES, c.TEXT, c.DECISION_ID, c.DECIDED_AT, c.SEQUENCE,
    c.SCORES,
)  # fmt: skip
_LOG_SETTINGS = {
    "delta.dataSkippingNumIndexedCols": "0",
    "delta.checkpointInterval": "50",
    # draining commits thousands of times a day, and nobody goes back in time here
    "delta.logRetentionDuration": "interval 2 days",
}


class LakeError(Exception):
    """A table of the lake cannot be opened; the text says which and what to do."""


@dataclass(frozen=True)
class DataFile:
    """A committed Parquet file; ``day`` is its partition ("2017-12-04") or None."""

    path: Path
    day: str | None


class Delta:
    """A table folder with a fixed Arrow ``schema``; ``by_day`` splits it by the day of the column
    ``time``.
    """

    def __init__(
        self,
        folder: Path,
        schema: pa.Schema,
        *,
        by_day: bool = False,
        time: str = c.OCCURRED_AT,
    ) -> None:
        self.folder = folder
        self.schema = schema
        self.by_day = by_day
        self._time = time

    def exists(self) -> bool:
        return DeltaTable.is_deltatable(str(self.folder))

    def files(self) -> list[DataFile]:
        """The files of the newest version, sorted by path; [] if nothing was ever written."""
        if not self.exists():
            return []
        with self._damage_named():
            actions = pa.table(DeltaTable(str(self.folder)).get_add_actions(flatten=True))
        paths = [self.folder / unquote(path) for path in actions["path"].to_pylist()]
        return [DataFile(path, _day_of(path) if self.by_day else None) for path in sorted(paths)]

    def commit(self, rows: pa.Table | None, *, remove: Collection[DataFile] = (), note: str) -> int:
        """Add ``rows`` and drop the files ``remove`` in one atomic step; returns the new
        version.
        """
        with self._damage_named():
            table = self._open()
        version = table.version() + 1
        partition_by = [c.DAY] if self.by_day else None
        actions: list[AddAction | RemoveAction] = [self._remove_action(file) for file in remove]
        if rows is not None and rows.num_rows:
            actions += self._write(rows, version)
        if actions:
            table.create_write_transaction(
                actions,
                mode="append",
                schema=self._delta_schema(),
                partition_by=partition_by,
                commit_properties=CommitProperties(custom_metadata={"batch": note}),
            )
        return version

    def vacuum(self, retention_hours: int) -> None:
        """Delete files that no version younger than ``retention_hours`` uses, orphans included."""
        if self.exists():
            DeltaTable(str(self.folder)).vacuum(
                retention_hours=retention_hours,
                dry_run=False,
                enforce_retention_duration=False,
                full=True,
            )

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            yield
        except DeltaError as error:
            problem = (str(error).splitlines() or ["no details"])[0]
            raise LakeError(
                f"{self.folder}: its log is damaged ({problem}): restore it from a backup"
            ) from error

    def _open(self) -> DeltaTable:
        """The table, made if there is none, with the columns that it lacks."""
        schema = self._delta_schema()
        table = DeltaTable.create(
            str(self.folder),
            schema,
            mode="ignore",
            partition_by=[c.DAY] if self.by_day else None,
            configuration=_LOG_SETTINGS,
        )
        known = {field.name for field in table.schema().fields}
        added = [field for field in Schema.from_arrow(schema).fields if field.name not in known]
        if added:
            table.alter.add_columns(added)
        return table

    def _delta_schema(self) -> pa.Schema:
        return self.schema.append(pa.field(c.DAY, pa.string())) if self.by_day else self.schema

    def _remove_action(self, file: DataFile) -> RemoveAction:
        return RemoveAction(
            file.path.relative_to(self.folder).as_posix(),
            True,
            int(time.time() * 1000),
            file.path.stat().st_size,
            {c.DAY: file.day} if self.by_day else {},
        )

    def _write(self, rows: pa.Table, version: int) -> list[AddAction]:
        rows = rows.select(self.schema.names).cast(self.schema)
        parts = list(_by_day(rows, self._time)) if self.by_day else [(None, rows)]
        dictionary = [_leaf(each) for each in self.schema if each.name not in _PLAIN_COLUMNS]

        def write(part: tuple[str | None, pa.Table]) -> AddAction:
            day, table = part
            # A name by version makes two equal imports equal on disk; a killed writer's file of the
            # same name was never committed.
            name = f"part-{version:08d}.parquet"
            path = self.folder / (f"{c.DAY}={day}/{name}" if day else name)
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(
                table,
                path,
                compression="zstd",
                use_dictionary=dictionary,
                write_statistics=[self._time] if self._time in self.schema.names else False,
            )
            return AddAction(
                path.relative_to(self.folder).as_posix(),
                path.stat().st_size,
                {c.DAY: day} if day else {},
                int(time.time() * 1000),
                True,
                f'{{"numRecords":{table.num_rows}}}',
            )

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(write, parts))


def day_text(day_number: int) -> str:
    """Days since 1970-01-01 as "2017-12-04"."""
    return str(np.datetime64(int(day_number), "D"))


def day_numbers(rows: pa.Table, time: str = c.OCCURRED_AT) -> np.ndarray:
    """Days since 1970-01-01 (UTC) of the column ``time``, int64, one a row."""
    moments = rows[time].cast(pa.int64()).to_numpy()
    return np.floor_divide(moments, MICROSECONDS_PER_DAY)


def _leaf(column: pa.Field) -> str:
    """What Parquet calls the values of a column."""
    return f"{column.name}.list.element" if pa.types.is_list(column.type) else column.name


def _by_day(rows: pa.Table, time: str) -> Iterator[tuple[str, pa.Table]]:
    days = day_numbers(rows, time)
    if np.any(days[1:] < days[:-1]):
        order = np.argsort(days, kind="stable")
        rows, days = rows.take(pa.array(order)), days[order]
    bounds: Sequence[int] = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
    for start, end in pairwise(bounds):
        yield day_text(days[start]), rows.slice(start, end - start)


def _day_of(path: Path) -> str:
    return path.parent.name.removeprefix(f"{c.DAY}=")
