"""NDJSON: one JSON object a line; a column is a key or a dotted path; values come as strings."""

# ruff: noqa: S608 - column names and paths are quoted by scoring.sql

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from scoring import sql
from scoring.sources.chunk import (
    BROKEN_LINE,
    LINE,
    WRONG_ENCODING,
    BrokenLine,
    Chunk,
    missing_columns,
)
from scoring.sources.errors import SourceError
from scoring.sources.lines import BLOCK_BYTES, Block, blocks

_GOOD = "__good"


def read(
    path: Path,
    columns: Collection[str],
    *,
    encoding: str = "utf-8",
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Chunk]:
    """Chunks of the named keys (strings; a nested value as JSON; absent = null); raises
    SourceError.

    A key that no object of the first block has is taken for a mistake in the mapping.
    """
    wanted = list(columns)
    # one thread: with more, DuckDB returns rows in any order
    with duckdb.connect(config={"threads": 1}) as connection:
        for number, block in enumerate(blocks(path, encoding, block_bytes)):
            chunk = _parse(connection, block, wanted)
            if number == 0:
                _check_shape(path, block, chunk)
                _check_keys(path, connection, chunk, block, wanted)
            yield chunk


def _parse(connection: duckdb.DuckDBPyConnection, block: Block, columns: list[str]) -> Chunk:
    lines = np.flatnonzero(_has_text(block))
    lines = lines[~np.isin(lines, block.undecodable)]
    connection.register("raw", pa.table({"line": _texts(block, lines)}))
    values = ", ".join(_value(column) for column in columns)
    table = connection.sql(
        f"SELECT {values + ', ' if values else ''}coalesce(j IS NOT NULL, false) AS {_GOOD} FROM ("
        "SELECT CASE WHEN json_valid(line) AND json_type(line) = 'OBJECT' THEN line::JSON END AS j "
        "FROM raw)"
    ).to_arrow_table()
    good = table[_GOOD].to_numpy()
    broken = [(int(line), BROKEN_LINE) for line in lines[~good]]
    broken += [(int(line), WRONG_ENCODING) for line in block.undecodable]
    lines = lines[good]
    return Chunk(
        table.drop_columns([_GOOD])
        .filter(pa.array(good))
        .append_column(LINE, pa.array(lines + block.first_line)),
        lambda row: block.text(int(lines[row])),
        block.fraction,
        tuple(
            BrokenLine(block.first_line + line, reason, block.text(line))
            for line, reason in sorted(broken)
        ),
    )


def _has_text(block: Block) -> np.ndarray:
    """bool, one a line: is it more than white space (lines of up to 2 bytes are looked at)."""
    lengths = np.diff(block.starts)
    kept = lengths > 2
    for index in np.flatnonzero(lengths == 2).tolist():
        kept[index] = bool(block.text(index).strip())
    return kept


def _texts(block: Block, lines: np.ndarray) -> pa.Array:
    """The lines as Arrow strings over the block's own memory."""
    if len(lines) == block.lines:
        offsets = pa.py_buffer(block.starts.astype(np.int32))
        return pa.StringArray.from_buffers(block.lines, offsets, pa.py_buffer(block.data))
    return pa.array([block.text(int(line)) for line in lines], pa.string())


def _value(column: str) -> str:
    key = f'$."{column}"'
    if "." not in column:
        return f"j->>{sql.literal(key)} AS {sql.name(column)}"
    nested = "$" + "".join(f'."{part}"' for part in column.split("."))
    return f"coalesce(j->>{sql.literal(key)}, j->>{sql.literal(nested)}) AS {sql.name(column)}"


def _check_shape(path: Path, block: Block, chunk: Chunk) -> None:
    """One bad line is quarantine; a file that is one array is another format."""
    if block.data.lstrip().startswith(b"[") and 2 * chunk.table.num_rows < block.lines:
        raise SourceError(
            f"{path}: a JSON array; expected one object a line, without brackets and commas "
            "around them"
        )


def _check_keys(
    path: Path,
    connection: duckdb.DuckDBPyConnection,
    chunk: Chunk,
    block: Block,
    columns: list[str],
) -> None:
    if chunk.table.num_rows == 0:
        return
    absent = [name for name in columns if chunk.table[name].null_count == chunk.table.num_rows]
    if not absent:
        return
    keys = {
        key
        for (key,) in connection.execute(
            "SELECT DISTINCT unnest(json_keys(line)) FROM raw "
            "WHERE json_valid(line) AND json_type(line) = 'OBJECT'"
        ).fetchall()
    }
    unknown = [name for name in absent if name not in keys and name.split(".")[0] not in keys]
    if problem := missing_columns(str(path), unknown, sorted(keys)):
        raise SourceError(problem)
