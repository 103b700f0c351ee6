"""Which incoming events are new, which are copies of known ones, and which contradict them."""

# ruff: noqa: S608 - names come from scoring.columns, paths are quoted

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from scoring import columns as c
from scoring.delta import DataFile

_ROW = "incoming_row"


@dataclass(frozen=True)
class Split:
    """``fresh``: rows to append; ``known``: copies; ``conflicts``: row numbers (int64,
    ascending).
    """

    fresh: pa.Table
    known: int
    conflicts: np.ndarray


def split(
    connection: duckdb.DuckDBPyConnection, incoming: pa.Table, lake: Sequence[DataFile]
) -> Split:
    """Compare ``incoming`` (event schema, in source order) with itself and the files of the lake.

    The first accepted event of an id stays. Equal in every column = known; else a conflict.
    """
    numbered = incoming.append_column(_ROW, pa.array(np.arange(incoming.num_rows)))
    connection.register("incoming", numbered)
    try:
        touched = _touched(connection, lake)
        if touched.num_rows == 0:
            return Split(incoming, 0, np.empty(0, np.int64))
        connection.register("touched", touched)
        verdicts = _verdicts(connection, lake, touched)
    finally:
        connection.unregister("incoming")
        connection.unregister("touched")
    rows, same, first = (verdicts[name].to_numpy() for name in (_ROW, "same", "first"))
    drop = rows[~first]
    keep = np.ones(incoming.num_rows, bool)
    keep[drop] = False
    return Split(incoming.filter(pa.array(keep)), int(np.sum(same & ~first)), np.sort(rows[~same]))


def _touched(connection: duckdb.DuckDBPyConnection, lake: Sequence[DataFile]) -> pa.Table:
    """event_id and the lake's day (null: seen twice in ``incoming`` only), one row an id."""
    twice = (
        f"SELECT {c.EVENT_ID}, NULL::VARCHAR AS {c.DAY} FROM incoming "
        "GROUP BY 1 HAVING count(*) > 1"
    )
    found = twice
    if lake:
        found = (
            f"SELECT {c.EVENT_ID}, {c.DAY} FROM {scan(lake)} "
            f"SEMI JOIN incoming USING ({c.EVENT_ID}) UNION ALL {twice}"
        )
    query = f"SELECT {c.EVENT_ID}, max({c.DAY}) AS {c.DAY} FROM ({found}) GROUP BY 1"
    return connection.sql(query).to_arrow_table()


def _verdicts(
    connection: duckdb.DuckDBPyConnection, lake: Sequence[DataFile], touched: pa.Table
) -> pa.Table:
    """For each incoming row of a touched id: is it the one to keep, and does it equal that one."""
    days = set(touched[c.DAY].unique().to_pylist()) - {None}
    names = ", ".join(c.EVENT_COLUMNS)
    reference = (
        f"SELECT {names}, {_ROW} FROM incoming SEMI JOIN "
        f"(SELECT min({_ROW}) AS {_ROW} FROM incoming SEMI JOIN "
        f"(SELECT {c.EVENT_ID} FROM touched WHERE {c.DAY} IS NULL) USING ({c.EVENT_ID}) "
        f"GROUP BY {c.EVENT_ID}) USING ({_ROW})"
    )
    old = [file for file in lake if file.day in days]
    if old:
        reference += (
            f" UNION ALL SELECT {names}, NULL FROM {scan(old)} "
            f"SEMI JOIN touched USING ({c.EVENT_ID})"
        )
    same = " AND ".join(
        f"i.{name} IS NOT DISTINCT FROM r.{name}" for name in c.EVENT_COLUMNS if name != c.EVENT_ID
    )
    query = (
        f"SELECT i.{_ROW}, {same} AS same, i.{_ROW} IS NOT DISTINCT FROM r.{_ROW} AS first "
        f"FROM incoming i JOIN ({reference}) r ON i.{c.EVENT_ID} = r.{c.EVENT_ID}"
    )
    return connection.sql(query).to_arrow_table()


def scan(files: Sequence[DataFile]) -> str:
    """A DuckDB table expression over these files, with ``day`` from their folders."""
    listed = ", ".join("'" + str(file.path).replace("'", "''") + "'" for file in files)
    if all(file.day is None for file in files):
        return f"read_parquet([{listed}], hive_partitioning = false)"
    return (
        f"read_parquet([{listed}], hive_partitioning = true, hive_types = {{'{c.DAY}': VARCHAR}}, "
        "hive_types_autocast = false)"
    )
