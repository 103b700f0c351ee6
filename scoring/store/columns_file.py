"""Columns in one file that processes map into memory and share: numbers, and texts by position.

    magic, length of the head (u32), head: JSON name → [offset, bytes, type]; then the columns, each
    at a multiple of 8. Texts are two columns, ``name`` (all of them, joined) and ``name.starts``.

A file is written beside its place and moved there whole. It is read by this machine's processes
only, so the byte order is the machine's.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from scoring.store.errors import RecordError

_HEAD = struct.Struct("<8sI")
_MAGIC = b"rscols01"
_HEAD_BYTES = 4096  # room for the head, which is written last


class Texts(Sequence[bytes]):
    """Texts by position; raises IndexError beyond the last. For a tight loop: text ``n`` is
    ``raw[base + starts[n] : base + starts[n + 1]]``."""

    def __init__(self, raw: bytes | mmap.mmap, base: int, starts: memoryview) -> None:
        self.raw = raw
        self.base = base
        self.starts = starts

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, number: Any) -> Any:
        if number < 0:
            raise IndexError(number)
        return self.raw[self.base + self.starts[number] : self.base + self.starts[number + 1]]

    def __iter__(self) -> Iterator[bytes]:
        return (self[number] for number in range(len(self)))


class ColumnsWriter:
    """Writes texts as they come, and numbers a column at a time, after all texts. Those of
    ``streamed`` are not held in memory. ``close`` must be called."""

    def __init__(self, file: BinaryIO, streamed: str) -> None:
        self._file = file
        self._streamed = streamed
        self._starts = array("I", [0])
        self._file.write(b"\0" * _HEAD_BYTES)
        self._at = _HEAD_BYTES
        self._head: dict[str, tuple[int, int, str]] = {}
        self._texts: dict[str, tuple[bytearray, array[int]]] = {}

    def text(self, name: str, value: bytes) -> None:
        """One more text of column ``name``."""
        if name == self._streamed:
            self._file.write(value)
            self._starts.append(self._starts[-1] + len(value))
            return
        joined, starts = self._texts.setdefault(name, (bytearray(), array("I", [0])))
        joined += value
        starts.append(len(joined))

    def numbers(self, name: str, kind: str, values: Iterable[Any]) -> None:
        """A whole column of array's type ``kind``. Raises RecordError for what does not fit."""
        self._end_stream()
        try:
            self._write(name, kind, array(kind, values).tobytes())
        except (TypeError, OverflowError, ValueError) as problem:
            raise RecordError(f"column {name}: {problem}") from None

    def close(self) -> None:
        """Writes what is held, and the head."""
        self._end_stream()
        for name, (joined, starts) in self._texts.items():
            self._write(name, "B", joined)
            self._write(f"{name}.starts", "I", starts.tobytes())
        head = orjson.dumps(self._head)
        if len(head) + _HEAD.size > _HEAD_BYTES:
            raise RecordError(f"a head of {len(head)} bytes")
        self._file.seek(0)
        self._file.write(_HEAD.pack(_MAGIC, len(head)) + head)
        self._file.flush()

    def texts_of(self, name: str) -> Iterator[bytes]:
        """What text() was given for ``name``."""
        joined, starts = self._texts.get(name, (bytearray(), array("I", [0])))
        return (bytes(joined[a:b]) for a, b in pairwise(starts))

    def _end_stream(self) -> None:
        if self._streamed in self._head:
            return
        size = self._starts[-1]
        self._file.write(b"\0" * (-size % 8))
        self._head[self._streamed] = (self._at, size, "B")
        self._at += size + -size % 8
        self._write(f"{self._streamed}.starts", "I", self._starts.tobytes())

    def _write(self, name: str, kind: str, raw: bytes | bytearray) -> None:
        self._file.write(raw + b"\0" * (-len(raw) % 8))
        self._head[name] = (self._at, len(raw), kind)
        self._at += len(raw) + -len(raw) % 8


class Columns:
    """Columns over bytes or a mapped file. Raises RecordError for what is no such file."""

    def __init__(self, raw: bytes | mmap.mmap) -> None:
        self._bytes = raw
        self._raw = memoryview(raw)
        try:
            magic, length = _HEAD.unpack_from(self._raw)
            if magic != _MAGIC:
                raise ValueError("no columns")
            self._head = orjson.loads(self._raw[_HEAD.size : _HEAD.size + length])
            ends = [at + size for at, size, _ in self._head.values()]
            if max(ends, default=0) > len(self._raw):
                raise ValueError("cut off")
        except (struct.error, ValueError) as problem:
            raise RecordError(f"columns: {problem}") from None

    @classmethod
    def open(cls, path: Path) -> Columns:
        """Maps the file. Raises OSError, RecordError."""
        with path.open("rb") as file:
            if not os.fstat(file.fileno()).st_size:
                raise RecordError("columns: an empty file")
            return cls(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def numbers(self, name: str) -> memoryview:
        """A column of numbers. Raises RecordError if there is none of the name."""
        try:
            at, size, kind = self._head[name]
        except KeyError:
            raise RecordError(f"columns: {name} is missing") from None
        return self._raw[at : at + size].cast(kind)

    def texts(self, name: str) -> Texts:
        """A column of texts. Raises RecordError if there is none of the name."""
        if name not in self._head:  # no text was ever given
            return Texts(b"", 0, memoryview(array("I", [0])))
        at, _, _ = self._head[name]
        return Texts(self._bytes, at, self.numbers(f"{name}.starts"))


def write_beside(path: Path, streamed: str, write: Callable[[ColumnsWriter], None]) -> None:
    """Calls ``write(writer)`` for a file that then takes the place of ``path``; on the disk, so
    that a machine that fails leaves no half of it. Raises OSError, RecordError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            writer = ColumnsWriter(file, streamed)
            write(writer)
            writer.close()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
