"""Rows → a Parquet file."""

from __future__ import annotations

import io
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from connectors.files.formats import FLAG, LIST, NUMBER, TEXT, Columns, Row

ROW_GROUP = 20_000
ARROW = {
    TEXT: pa.string(),
    NUMBER: pa.float64(),
    FLAG: pa.bool_(),
    LIST: pa.list_(pa.string()),
}


class ParquetFile:
    """Typed columns; what a row lacks is null. The size is that of the rows as JSON."""

    def __init__(self, columns: Columns, most_bytes: int) -> None:
        self.rows = 0
        self._most_bytes = most_bytes
        self._size = 0
        self._kinds = columns.kinds
        self._schema = pa.schema([(name, ARROW[kind]) for name, kind in columns.kinds.items()])
        self._bytes = io.BytesIO()
        self._writer = pq.ParquetWriter(self._bytes, self._schema, compression="zstd")
        self._waiting: list[Row] = []

    def add(self, row: Row) -> bool:
        size = self._size + len(orjson.dumps(row))
        if self.rows and size > self._most_bytes:
            return False
        self._size = size
        self._waiting.append(
            {name: _typed(value, self._kinds[name]) for name, value in row.items()}
        )
        self.rows += 1
        if len(self._waiting) == ROW_GROUP:
            self._flush()
        return True

    def content(self) -> bytes:
        self._flush()
        self._writer.close()
        return self._bytes.getvalue()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_pylist(self._waiting, schema=self._schema))
            self._waiting = []


def _typed(value: Any, kind: str) -> Any:
    """A column of values of several kinds is one of text."""
    if kind == NUMBER:
        return float(value)  # Arrow refuses whole numbers beyond 2^53
    return orjson.dumps(value).decode() if kind == TEXT and not isinstance(value, str) else value
