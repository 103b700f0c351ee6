"""Lines of a big text file in blocks: where each begins, and which have bytes of no character."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import zstandard

from scoring.sources.errors import SourceError

BLOCK_BYTES = 48 * 1024 * 1024
LONGEST_LINE_BYTES = 16 * 1024 * 1024
_UNREADABLE = "\ufffd"


class _NotTextError(Exception):
    """The bytes are no lines."""


READ_ERRORS = (
    OSError,
    EOFError,
    UnicodeError,
    zlib.error,
    zstandard.ZstdError,
    _NotTextError,
)


@dataclass(frozen=True)
class Block:
    """UTF-8 lines, each ended by a line feed.

    ``starts``: int64, offset of each line and the end of the last. ``first_line``: number of the
    first line, from 1. ``undecodable``: int64, indices of lines with bytes of no character.
    """

    data: bytes
    starts: np.ndarray
    first_line: int
    undecodable: np.ndarray
    fraction: float

    @property
    def lines(self) -> int:
        return len(self.starts) - 1

    def text(self, index: int) -> str:
        """One line as text, without its line end; undecodable bytes as \\xNN."""
        line = self.data[self.starts[index] : self.starts[index + 1]]
        return line.rstrip(b"\r\n").decode("utf-8", "backslashreplace")

    def from_line(self, index: int) -> Block:
        """The lines from this index on."""
        offset = self.starts[index]
        bad = self.undecodable[self.undecodable >= index] - index
        return Block(
            self.data[offset:],
            self.starts[index:] - offset,
            self.first_line + index,
            bad,
            self.fraction,
        )

    def followed_by(self, other: Block) -> Block:
        """These lines and then the other's."""
        return Block(
            self.data + other.data,
            np.concatenate([self.starts[:-1], other.starts + len(self.data)]),
            self.first_line,
            np.concatenate([self.undecodable, other.undecodable + self.lines]),
            other.fraction,
        )


def blocks(path: Path, encoding: str, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Read a plain, .gz or .zst file; raises SourceError (after the last good block) if it is
    broken.
    """
    try:
        size = path.stat().st_size
        with ExitStack() as stack:
            raw = stack.enter_context(path.open("rb"))
            stream = stack.enter_context(decompressed(raw, path.name))
            yield from _numbered(stream, raw, size, _codec(encoding), block_bytes)
    except LookupError as error:
        raise SourceError(f"{path}: unknown encoding {encoding!r}") from error
    except READ_ERRORS as error:
        raise SourceError(f"{path}: cannot be read: {reason(error)}") from error


def _codec(encoding: str) -> str:
    name = codecs.lookup(encoding).name
    return "utf-8" if name == "utf-8-sig" else name  # a byte order mark is left out anyway


def decompressed(raw: IO[bytes], name: str) -> IO[bytes]:
    """The plain bytes of a stream, by the ending of its file name."""
    if name.endswith(".gz"):
        return cast(IO[bytes], gzip.GzipFile(fileobj=raw))
    if name.endswith(".zst"):
        return zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
    return raw


def reason(error: BaseException) -> str:
    """A file error in words, without the path (the caller names it)."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _numbered(
    stream: IO[bytes], raw: IO[bytes], size: int, encoding: str, block_bytes: int
) -> Iterator[Block]:
    line, first = 1, True
    for data in _whole_lines(stream, encoding, block_bytes):
        if first:
            data = data.removeprefix(codecs.BOM_UTF8)
            first = False
        fraction = min(raw.tell() / size, 1.0) if size else 1.0
        block = _block(data, line, encoding, fraction)
        line += block.lines
        yield block


def _block(data: bytes, line: int, encoding: str, fraction: float) -> Block:
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")) + 1
    starts = np.concatenate([np.zeros(1, np.int64), ends])
    if encoding == "utf-8":
        bad = _undecodable(data, starts)
    else:
        marked = _positions(data, _UNREADABLE.encode())
        bad = np.unique(np.searchsorted(starts, marked, side="right") - 1)
    return Block(data, starts, line, bad, fraction)


def _whole_lines(stream: IO[bytes], encoding: str, block_bytes: int) -> Iterator[bytes]:
    """UTF-8 text in pieces that end with a line feed (added to the last line if it has none).

    A stream that breaks off yields its complete lines first and raises then.
    """
    recode = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)("replace")
    rest, failure, ended = b"", None, False
    while not ended:
        data, failure = _read(stream, block_bytes)
        ended = len(data) < block_bytes
        if recode is not None:
            data = recode.decode(data, final=ended and failure is None).encode()
        cut = data.rfind(b"\n") + 1
        if cut:
            yield rest + data[:cut] if rest else data[:cut]
            rest = data[cut:]
        else:
            rest += data
        if len(rest) > LONGEST_LINE_BYTES:
            raise _NotTextError(
                f"a line of more than {LONGEST_LINE_BYTES >> 20} MB: not a text file"
            )
    if failure is not None:
        raise failure
    if rest:
        yield rest + b"\n"


def _read(stream: IO[bytes], size: int) -> tuple[bytes, BaseException | None]:
    """Up to ``size`` bytes (fewer only at the end), and why there are no more if that is an
    error.
    """
    buffer = io.BytesIO()
    try:
        while missing := size - buffer.tell():
            # read1: a longer read would lose what it already has when a compressed file breaks off
            data = stream.read1(missing)  # type: ignore[attr-defined]
            if not data:
                break
            buffer.write(data)
    except READ_ERRORS as error:
        return buffer.getvalue(), error
    return buffer.getvalue(), None


def _undecodable(data: bytes, starts: np.ndarray) -> np.ndarray:
    """Indices of lines that are not UTF-8."""
    if data.isascii():
        return np.empty(0, np.int64)
    view, position, bad = memoryview(data), 0, []
    while position < len(data):
        try:
            codecs.utf_8_decode(view[position:], "strict", True)
            break
        except UnicodeDecodeError as error:
            line = int(np.searchsorted(starts, position + error.start, side="right")) - 1
            bad.append(line)
            position = int(starts[line + 1])
    return np.array(bad, np.int64)


def _positions(data: bytes, needle: bytes) -> np.ndarray:
    found, position = [], data.find(needle)
    while position >= 0:
        found.append(position)
        position = data.find(needle, position + 1)
    return np.array(found, np.int64)
