"""Rows → the bytes of one file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

# A cell that begins so is a formula to a spreadsheet; the last four are = + - @ as East Asian
# keyboards write them.
# https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")
TEXT, NUMBER, FLAG, LIST = "text", "number", "flag", "list"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Columns:
    """Name → kind (text, number, flag, list), in order; a row may lack any but the first."""

    kinds: Mapping[str, str]
    spreadsheet_safe: bool = True


class RowFile(Protocol):
    """A file that grows by rows up to a size."""

    rows: int

    def add(self, row: Row) -> bool:
        """False when there is no more room for it; the first row always has."""

    def content(self) -> bytes:
        """The whole file; nothing is added afterwards."""


class CsvFile:
    """RFC 4180 with a header; UTF-8. A list is JSON, a flag true or false, no value is empty."""

    def __init__(self, columns: Columns, most_bytes: int) -> None:
        self.rows = 0
        self._columns = columns
        self._most_bytes = most_bytes
        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text)
        self._content = bytearray(self._line(columns.kinds))

    def add(self, row: Row) -> bool:
        line = self._line(self._cell(row.get(name)) for name in self._columns.kinds)
        if self.rows and len(self._content) + len(line) > self._most_bytes:
            return False
        self._content += line
        self.rows += 1
        return True

    def content(self) -> bytes:
        return bytes(self._content)

    def _line(self, cells: Iterable[Any]) -> bytes:
        self._writer.writerow(cells)
        line = self._text.getvalue().encode()
        self._text.seek(0)
        self._text.truncate()
        return line

    def _cell(self, value: Any) -> Any:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, list):
            return orjson.dumps(value).decode()
        if isinstance(value, str) and self._columns.spreadsheet_safe and value.startswith(FORMULA):
            return f"'{value}"
        return value


class NdjsonFile:
    """A JSON object a line; what a row lacks is left out."""

    def __init__(self, columns: Columns, most_bytes: int) -> None:
        self.rows = 0
        self._most_bytes = most_bytes
        self._content = bytearray()

    def add(self, row: Row) -> bool:
        line = orjson.dumps(row) + b"\n"
        if self.rows and len(self._content) + len(line) > self._most_bytes:
            return False
        self._content += line
        self.rows += 1
        return True

    def content(self) -> bytes:
        return bytes(self._content)


def _parquet(columns: Columns, most_bytes: int) -> RowFile:
    # Arrow is for who writes Parquet, not for the web's processes
    from connectors.files.parquet import ParquetFile

    return ParquetFile(columns, most_bytes)


FORMATS: Mapping[str, Callable[[Columns, int], RowFile]] = {
    "csv": CsvFile,
    "ndjson": NdjsonFile,
    "parquet": _parquet,
}


def kind_of(value: Any) -> str:
    """The kind of column that holds a value."""
    if isinstance(value, bool):
        return FLAG
    return LIST if isinstance(value, list) else TEXT if isinstance(value, str) else NUMBER
