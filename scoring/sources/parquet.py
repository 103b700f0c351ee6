"""Parquet: typed columns in bounded batches; the line is the row number."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scoring.sources.chunk import LINE, Chunk, missing_columns
from scoring.sources.errors import SourceError
from scoring.sources.lines import READ_ERRORS, decompressed, reason

CHUNK_ROWS = 1_500_000
_TEXT_ROWS = 1024  # taken out together for quarantine: one by one is slow
_BATCH_ROWS = 131_072  # DuckDB works on batches in parallel


def read(path: Path, columns: Collection[str], *, chunk_rows: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """Chunks of the named columns in their own types; raises SourceError."""
    try:
        with ExitStack() as stack:
            raw = stack.enter_context(path.open("rb"))
            plain = stack.enter_context(_seekable(raw, path.name))
            file = stack.enter_context(pq.ParquetFile(plain))
            names = file.schema_arrow.names
            if problem := missing_columns(str(path), columns, names):
                raise SourceError(problem)
            for column in columns:
                if names.count(column) > 1:
                    raise SourceError(f"{path}: column {column!r} occurs twice")
            total = file.metadata.num_rows
            batches = file.iter_batches(_BATCH_ROWS, columns=list(columns), use_threads=True)
            yield from chunks(batches, chunk_rows, total)
    except (pa.ArrowException, *READ_ERRORS) as error:
        raise SourceError(f"{path}: cannot be read as Parquet: {reason(error)}") from error


def chunks(
    batches: Iterator[pa.RecordBatch], chunk_rows: int, total: int | None
) -> Iterator[Chunk]:
    """Batches joined up to about ``chunk_rows``; ``total`` rows (None = not known)."""
    waiting: list[pa.RecordBatch] = []
    done = rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        if rows >= chunk_rows:
            yield _chunk(waiting, done, (done + rows) / total if total else 0.0)
            done, rows, waiting = done + rows, 0, []
    if rows:
        yield _chunk(waiting, done, 1.0)


def _chunk(batches: list[pa.RecordBatch], done: int, fraction: float) -> Chunk:
    table = pa.Table.from_batches(batches)
    table = table.cast(pa.schema([_taken_by_duckdb(each) for each in table.schema]))

    @lru_cache(maxsize=1)
    def values(block: int) -> list[dict[str, Any]]:
        return table.slice(block * _TEXT_ROWS, _TEXT_ROWS).to_pylist()

    def text(row: int) -> str:
        block, position = divmod(row, _TEXT_ROWS)
        return json.dumps(values(block)[position], default=str, ensure_ascii=False)

    lines = pa.array(np.arange(done + 1, done + table.num_rows + 1))
    return Chunk(table.append_column(LINE, lines), text, fraction)


def _taken_by_duckdb(column: pa.Field) -> pa.Field:
    """The column, with a number type that DuckDB reads."""
    if pa.types.is_float16(column.type):
        return column.with_type(pa.float32())
    if pa.types.is_decimal256(column.type):
        return column.with_type(pa.float64())
    return column


def _seekable(raw: IO[bytes], name: str) -> IO[bytes]:
    """The file itself, or an unpacked copy in a temporary file (Parquet is read from its end)."""
    if not name.endswith((".gz", ".zst")):
        return raw
    plain: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - the caller's ExitStack closes it
    with decompressed(raw, name) as stream:
        shutil.copyfileobj(stream, plain, 1024 * 1024)
    plain.seek(0)
    return plain
