"""Avro object container files as columns, many times as fast as record by record.

The blocks of a file are decoded side by side: numpy takes one field of one record of every block
at a time. The container and its compression are fastavro's.
https://avro.apache.org/docs/1.12.0/specification/
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import fastavro
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from fastavro.schema import expand_schema

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

BATCH_BYTES = 32 * 1024 * 1024  # of decompressed blocks that are decoded side by side
_OPTIONAL_TEXT = ["null", "string"]
_LONGEST_NUMBER = 10  # bytes
_MOST_BYTES = 2**31 - 100
_SIZES = {"null": 0, "boolean": 1, "float": 4, "double": 8}
_NUMPY = {"int": np.int64, "long": np.int64, "boolean": np.bool_, "float": np.float32,
          "double": np.float64}  # fmt: skip


class BrokenFile(Exception):  # noqa: N818 - a state, not a fault of ours
    """No Avro file, or one that ends early, or whose content does not fit its own schema."""


@dataclass(frozen=True)
class Records:
    """``rows`` records as Arrow columns by field: of the fields that were asked for those that the
    file has, as text, whole number, number or truth value (or null)."""

    rows: int
    columns: Mapping[str, pa.Array]


class AvroFile:
    """The content of a file, read once. Raises BrokenFile when its header cannot be read.

    ``name`` is that of the schema.
    """

    def __init__(self, content: bytes) -> None:
        self._size = len(content)
        with _named():
            self._blocks: Any = fastavro.block_reader(BytesIO(content))
            schema: Any = expand_schema(self._blocks.writer_schema)
            self._fields = [(each["name"], each["type"]) for each in schema["fields"]]
            self.name = str(schema["name"])

    def count(self) -> int:
        """How many records there are, without decoding any. Raises BrokenFile."""
        return sum(count for _, count in self._whole_blocks())

    def records(self, wanted: Collection[str]) -> Iterator[Records]:
        """All records in order, in batches of about BATCH_BYTES; also those of whole blocks before
        a broken one. Raises BrokenFile after them."""
        waiting: list[tuple[bytes, int]] = []
        waiting_bytes = 0
        try:
            for payload, count in self._whole_blocks():
                waiting.append((payload, count))
                waiting_bytes += len(payload)
                if waiting_bytes >= BATCH_BYTES:
                    yield from _decoded(waiting, self._fields, wanted)
                    waiting, waiting_bytes = [], 0
        except BrokenFile:
            if waiting:
                yield from _decoded(waiting, self._fields, wanted)
            raise
        if waiting:
            yield from _decoded(waiting, self._fields, wanted)

    def _whole_blocks(self) -> Iterator[tuple[bytes, int]]:
        """Decompressed content and number of records."""
        end = None
        while True:
            with _named():
                block = next(self._blocks, None)
                content = b"" if block is None else block.bytes_.read()
            if block is None:
                break
            # A record of nothing but nulls takes no room; nobody exports those.
            if not 0 <= block.num_records <= len(content):
                raise BrokenFile("a block says that it holds more records than it has bytes")
            end = block.offset + block.size
            yield content, block.num_records
        if end is not None and end != self._size:
            raise BrokenFile("the file ends within the head of a block")


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except BrokenFile:
        raise
    # A damaged file makes fastavro, zlib and numpy raise whatever they meet first.
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0][:200]
        raise BrokenFile(f"{type(error).__name__}: {reason}") from error


def _decoded(
    blocks: list[tuple[bytes, int]], fields: list[tuple[str, Any]], wanted: Collection[str]
) -> Iterator[Records]:
    """All at once, or, when one is damaged, those before it. Raises BrokenFile."""
    try:
        with _named():
            records = _Lanes(blocks).records(fields, wanted)
    except BrokenFile:
        if len(blocks) == 1:
            raise
        half = len(blocks) // 2
        yield from _decoded(blocks[:half], fields, wanted)
        yield from _decoded(blocks[half:], fields, wanted)
    else:
        yield records


class _Lanes:
    """Blocks side by side. A cursor is an int64 array: the position of each of some lanes."""

    def __init__(self, blocks: list[tuple[bytes, int]]) -> None:
        sizes = np.array([len(content) for content, _ in blocks], np.int64)
        self._counts = np.array([count for _, count in blocks], np.int64)
        self._ends = np.cumsum(sizes)
        self._starts = self._ends - sizes
        self._first_row = np.cumsum(self._counts) - self._counts
        self._rows = int(self._counts.sum())
        if int(sizes.sum()) > _MOST_BYTES:
            raise BrokenFile("a block is larger than 2 GB")
        # Reading a number may look past the end before it is seen that it did.
        self._data: Bytes = np.frombuffer(
            b"".join([content for content, _ in blocks] + [bytes(_LONGEST_NUMBER)]), np.uint8
        )

    def records(self, fields: list[tuple[str, Any]], wanted: Collection[str]) -> Records:
        """Record after record of all lanes that have one left."""
        kept = {name: _Column(self._rows, kind) for name, kind in fields if name in wanted}
        columns = {name: column for name, column in kept.items() if column.kind is not None}
        order = np.argsort(-self._counts, kind="stable")
        at, ends = self._starts[order].copy(), self._ends[order]
        counts, rows = self._counts[order], self._first_row[order]
        for step in range(int(counts.max(initial=0))):
            live = int(np.searchsorted(-counts, -step, side="left"))
            cursor = at[:live]
            for name, kind in fields:
                cursor = self._take(kind, cursor, rows[:live] + step, columns.get(name))
            if (cursor > ends[:live]).any():
                raise BrokenFile("a record goes on behind its block")
            at[:live] = cursor
        if np.any(at != ends):
            raise BrokenFile("a block is longer than its records")
        return Records(
            self._rows, {name: column.array(self._data) for name, column in columns.items()}
        )

    def _take(self, kind: Any, at: Ints, rows: Ints, column: _Column | None) -> Ints:
        """Read one value of type ``kind`` at each cursor; returns the cursors behind it."""
        if kind == _OPTIONAL_TEXT:
            behind = self._short_texts(at, rows, column)
            if behind is not None:
                return behind
        if isinstance(kind, list):
            branch, at = self._number(at)
            if branch.min() < 0 or branch.max() >= len(kind):
                raise BrokenFile("a union has no such branch")
            for number, each in enumerate(kind):
                if each != "null":
                    (chosen,) = (branch == number).nonzero()
                    if chosen.size == len(at):
                        at = self._take(each, at, rows, column)
                    elif chosen.size:
                        at[chosen] = self._take(each, at[chosen], rows[chosen], column)
            return at
        name = kind["type"] if isinstance(kind, dict) else kind
        if name in ("string", "bytes"):
            length, start = self._number(at)
            if length.min() < 0 or length.max() > len(self._data):
                raise BrokenFile("a text has an impossible length")
            if column is not None:
                column.put_text(rows, start, start + length)
            return start + length
        if name in ("int", "long", "enum"):
            value, at = self._number(at)
            if column is not None:
                column.put(rows, value)
            return at
        if name in _SIZES:
            size = _SIZES[name]
            if column is not None:
                column.put(rows, self._raw(at, size).view(_NUMPY[name])[:, 0])
            return at + size
        return self._skip(name, kind, at)

    def _short_texts(self, at: Ints, rows: Ints, column: _Column | None) -> Ints | None:
        """Optional texts of up to 63 bytes, which most are: one byte says whether there is one,
        the next twice its length. None if some are others."""
        branch, twice = self._data[at], self._data[at + 1]
        given = branch == 2
        if (branch & 253).any() or (twice[given] & 129).any():
            return None
        behind = at + np.where(given, 2 + (twice >> 1), 1)
        if column is not None:
            column.put_text(rows, at + 2, behind, given)
        return behind

    def _skip(self, name: str, kind: Any, at: Ints) -> Ints:
        """Values of several parts, which are never asked for."""
        if name == "record":
            for field in kind["fields"]:
                at = self._take(field["type"], at, at, None)
            return at
        if name == "fixed":
            return at + int(kind["size"])
        parts = ["string", kind["values"]] if name == "map" else [kind["items"]]
        at, open_ = at.copy(), np.arange(len(at))  # lanes whose last part has not come
        while open_.size:
            count, at[open_] = self._number(at[open_])
            sized = open_[count < 0]  # such a count is followed by the size in bytes
            if sized.size:
                _, at[sized] = self._number(at[sized])
            open_, count = open_[count != 0], np.abs(count[count != 0])
            for step in range(int(count.max(initial=0))):
                chosen = open_[count > step]
                for part in parts:
                    at[chosen] = self._take(part, at[chosen], chosen, None)
                if at.max() > len(self._data):
                    raise BrokenFile("an array or map is longer than its block")
        return at

    def _number(self, at: Ints) -> tuple[Ints, Ints]:
        """Zigzag numbers of variable length, and the cursors behind them."""
        value = self._data[at].astype(np.int64)
        at = at + 1
        if value.max(initial=0) < 128:  # one byte each, as most are
            return (value >> 1) ^ -(value & 1), at
        shift = 0
        (more,) = (value >= 128).nonzero()
        value[more] &= 127
        while more.size:
            shift += 7
            if shift == 7 * _LONGEST_NUMBER:
                raise BrokenFile("a number is longer than ten bytes")
            byte = self._data[at[more]]
            value[more] |= (byte & 127).astype(np.int64) << shift
            at[more] += 1
            more = more[byte >= 128]
        return ((value >> 1) & np.int64(2**63 - 1)) ^ -(value & 1), at

    def _raw(self, at: Ints, size: int) -> Bytes:
        """The ``size`` bytes at each cursor: (lanes, size)."""
        return self._data[at[:, None] + np.arange(size)]


class _Column:
    """Values of one field as they are found. ``kind`` is None for a type that is no column."""

    def __init__(self, rows: int, kind: Any) -> None:
        branches = kind if isinstance(kind, list) else [kind]
        own = [each for each in branches if each != "null"]
        only = own[0] if len(own) == 1 else None
        known = isinstance(only, str) and (only == "string" or only in _NUMPY)
        self.kind: str | None = only if known else None
        self._valid = np.zeros(rows, np.bool_)
        if self.kind == "string":
            self._start, self._end = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
        elif self.kind is not None:
            self._values: npt.NDArray[Any] = np.zeros(rows, _NUMPY[self.kind])

    def put_text(
        self, rows: Ints, start: Ints, end: Ints, given: npt.NDArray[np.bool_] | bool = True
    ) -> None:
        self._valid[rows] = given
        self._start[rows], self._end[rows] = start, end

    def put(self, rows: Ints, values: npt.NDArray[Any]) -> None:
        self._valid[rows] = True
        self._values[rows] = values

    def array(self, data: Bytes) -> pa.Array:
        """Raises ValueError (of Arrow) when a text is not UTF-8."""
        if self.kind != "string":
            return pa.array(self._values, mask=~self._valid)
        # The data is cut at both ends of each text; then every second piece is taken.
        self._end = np.maximum.accumulate(self._end)
        self._start = np.where(self._valid, self._start, self._end)
        cuts = np.stack([self._start, self._end], axis=1).ravel()
        cuts = np.append(cuts, cuts[-1:]).astype(np.int32)
        pieces = pa.StringArray.from_buffers(len(cuts) - 1, pa.py_buffer(cuts), pa.py_buffer(data))
        own = pa.array(np.arange(0, len(cuts) - 1, 2), mask=~self._valid)
        texts = pieces.take(own)
        texts.validate(full=True)
        return texts
