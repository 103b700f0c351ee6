"""CSV: columns as strings, with the line of every record, and the lines that are none.

Arrow parses; this module finds out beforehand where records begin. A line with an odd number of
quotes is either the beginning of a quoted line break or damage: it is joined with the following
lines up to the next such line, and if that is no record with the right number of fields, the one
line is broken and reading goes on behind it, so that a stray quote never swallows the rest of the
file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

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

_LONGEST_RECORD_LINES = 1000
_PARSE_BYTES = 4 * 1024 * 1024
_LONE_CR = re.compile(rb"\r(?!\n)")
_CR, _LF, _QUOTE = b'\r\n"'


@dataclass(frozen=True)
class _Format:
    delimiter: str
    names: list[str]  # c0, c1, … by position; the header only says which position is which column
    wanted: dict[str, int]  # source column → position


def read(
    path: Path,
    columns: Collection[str],
    *,
    delimiter: str = ",",
    header: bool = True,
    encoding: str = "utf-8",
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Chunk]:
    """Chunks of the named columns (strings, empty = null); raises SourceError."""
    if len(delimiter) != 1 or not delimiter.isascii():
        raise SourceError(f"{path}: the delimiter has to be one ASCII character, not {delimiter!r}")
    layout: _Format | None = None
    stream, failure, open_end = blocks(path, encoding, block_bytes), None, None
    while failure is None:
        try:
            block = next(stream, None)
        except SourceError as error:
            failure, block = error, None
        if block is None:
            break
        first = 0
        if layout is None:
            found, first = _header(path, block, delimiter, header)
            layout = _layout(path, found, columns, delimiter)
        if open_end is not None:
            block = open_end.followed_by(block)
        chunk, open_end = _parse(path, block, first, layout)
        yield chunk
    if open_end is not None and layout is not None:
        yield _parse(path, open_end, 0, layout, last=True)[0]
    if failure is not None:
        raise failure
    if layout is None and header:
        raise SourceError(f"{path}: empty file without a header line")


def _header(path: Path, block: Block, delimiter: str, header: bool) -> tuple[list[str], int]:
    """Names of the columns, and the index of the first line after them."""
    line = next((i for i in range(block.lines) if block.text(i).strip()), None)
    if line is None:
        raise SourceError(f"{path}: only empty lines")
    text = block.text(line)
    if "\r" in text:
        raise SourceError(
            f"{path}: lines end with carriage returns alone; save the file with line feeds"
        )
    try:
        fields = next(csv.reader([text], delimiter=delimiter))
    except csv.Error as error:
        raise SourceError(f"{path}: line {block.first_line + line}: {error}") from error
    if header:
        return [field.strip() for field in fields], line + 1
    return [f"c{i}" for i in range(len(fields))], line


def _layout(path: Path, found: list[str], columns: Collection[str], delimiter: str) -> _Format:
    if problem := missing_columns(str(path), columns, found):
        raise SourceError(problem)
    for column in columns:
        if found.count(column) > 1:
            raise SourceError(f"{path}: column {column!r} occurs twice in the header")
    names = [f"c{i}" for i in range(len(found))]
    return _Format(delimiter, names, {column: found.index(column) for column in columns})


def _parse(
    path: Path, block: Block, first: int, layout: _Format, *, last: bool = False
) -> tuple[Chunk, Block | None]:
    """The records of the lines from ``first``, and the lines that need the next block (or None)."""
    found = _records(block, first, layout, last=last)
    table, invalid = _arrow(_kept_bytes(block, found), layout, quoted_breaks=found.quoted_breaks)
    starts, broken = found.starts, found.broken
    if invalid:
        numbers = np.array(invalid, np.int64)
        broken = broken + [_broken(block, int(line), BROKEN_LINE) for line in starts[numbers]]
        starts = np.delete(starts, numbers)
    if table.num_rows != len(starts):
        raise SourceError(
            f"{path}: lines {block.first_line} to {block.first_line + found.stop - 1}: "
            f"{len(starts)} records expected, {table.num_rows} found: quotes in a mess"
        )
    chunk = Chunk(
        table.append_column(LINE, pa.array(starts + block.first_line)),
        lambda row: block.text(int(starts[row])),
        block.fraction,
        tuple(sorted(broken, key=lambda bad: bad.line)),
    )
    return chunk, block.from_line(found.stop) if found.stop < block.lines else None


@dataclass(frozen=True)
class _Records:
    """``starts``: int64, indices of the lines at which a record begins; ``stop``: lines from here
    on belong to a record that the block does not end."""

    starts: np.ndarray
    broken: list[BrokenLine]
    first: int
    stop: int
    quoted_breaks: bool


def _records(block: Block, first: int, layout: _Format, *, last: bool) -> _Records:
    begins = _non_empty(block)
    begins[:first] = False
    undecodable = block.undecodable[block.undecodable >= first]
    broken = [_broken(block, int(line), WRONG_ENCODING) for line in undecodable]
    stop, quoted_breaks = block.lines, False
    suspects, odd = _suspects(block, layout.delimiter)
    if len(suspects):
        odd, suspects = odd[suspects >= first], suspects[suspects >= first]
        before = int(begins.sum())
        stray, stop = _follow_quotes(block, suspects, odd, begins, layout, last=last)
        quoted_breaks = int(begins.sum()) != before
        begins[stray] = False
        broken += [_broken(block, line, BROKEN_LINE) for line in stray]
    begins[undecodable] = False
    begins[stop:] = False
    broken = [bad for bad in broken if bad.line < block.first_line + stop]
    return _Records(np.flatnonzero(begins), broken, first, stop, quoted_breaks)


def _suspects(block: Block, delimiter: str) -> tuple[np.ndarray, np.ndarray]:
    """Lines (int64, ascending) whose quotes do not simply enclose fields, and which of them have an
    odd number (bool). All other lines are records of their own."""
    data = np.frombuffer(block.data, np.uint8)
    quotes = np.flatnonzero(data == _QUOTE)
    if not len(quotes):
        return np.empty(0, np.int64), np.empty(0, bool)
    bounds = np.searchsorted(quotes, block.starts)
    counts = np.diff(bounds)
    line_of = np.repeat(np.arange(block.lines), counts)
    opening = (np.arange(len(quotes)) - bounds[line_of]) % 2 == 0
    before = np.where(quotes > block.starts[line_of], data[quotes - 1], _LF)
    after = data[quotes + 1]  # every line ends with a line feed
    edge = np.zeros(256, bool)
    edge[[ord(delimiter), _QUOTE, _LF]] = True
    misplaced = np.where(opening, ~edge[before], ~(edge[after] | (after == _CR)))
    odd = counts % 2 == 1
    strange = odd.copy()
    strange[line_of[misplaced]] = True
    lines = np.flatnonzero(strange)
    return lines, odd[lines]


def _non_empty(block: Block) -> np.ndarray:
    """bool, one a line: has it more than its line end."""
    lengths = np.diff(block.starts)
    kept = lengths > 1
    two = np.flatnonzero(lengths == 2)
    kept[two[np.frombuffer(block.data, np.uint8)[block.starts[two]] == _CR]] = False
    return kept


def _follow_quotes(
    block: Block,
    suspects: np.ndarray,
    odd: np.ndarray,
    begins: np.ndarray,
    layout: _Format,
    *,
    last: bool,
) -> tuple[list[int], int]:
    """Decide about ``suspects``.

    Clears ``begins`` inside records with line breaks. Returns the lines that are no record, and the
    line from which the next block is needed.
    """
    stray: list[int] = []
    bad, done = set(block.undecodable.tolist()), -1
    odd_lines = suspects[odd]
    for line, is_odd in zip(suspects.tolist(), odd.tolist(), strict=True):
        if line <= done or line in bad or _is_record(block, line, line, layout):
            continue
        if not is_odd:
            stray.append(line)
            continue
        following = int(np.searchsorted(odd_lines, line, side="right"))
        end = int(odd_lines[following]) if following < len(odd_lines) else block.lines
        if end == block.lines and not last and end - line < _LONGEST_RECORD_LINES:
            return stray, line
        short = end < min(block.lines, line + _LONGEST_RECORD_LINES)
        joined = range(line, end + 1)
        if short and bad.isdisjoint(joined) and _is_record(block, line, end, layout):
            begins[line + 1 : end + 1] = False
            done = end
        else:
            stray.append(line)
    return stray, block.lines


def _is_record(block: Block, first: int, last: int, layout: _Format) -> bool:
    lines = [block.text(line) + "\n" for line in range(first, last + 1)]
    try:
        rows = list(csv.reader(lines, delimiter=layout.delimiter, strict=True))
    except csv.Error:
        return False
    return len(rows) == 1 and len(rows[0]) == len(layout.names)


def _kept_bytes(block: Block, found: _Records) -> bytes:
    """The block without broken lines, and without the carriage returns that Arrow takes for
    ends.
    """
    keep = np.ones(block.lines, bool)
    keep[: found.first] = False
    keep[found.stop :] = False
    keep[[bad.line - block.first_line for bad in found.broken]] = False
    data = block.data
    if not keep.all():
        edges = np.flatnonzero(np.diff(np.concatenate([[False], keep, [False]]).astype(np.int8)))
        ends = block.starts[edges].reshape(-1, 2)
        view = memoryview(data)
        data = b"".join([view[start:end] for start, end in ends.tolist()])
    if data.count(b"\r") > data.count(b"\r\n"):
        data = _LONE_CR.sub(b" ", data)
    return data


def _arrow(data: bytes, layout: _Format, *, quoted_breaks: bool) -> tuple[pa.Table, list[int]]:
    """The parsed records, and the ordinals (from 0) of those with another number of fields."""
    columns = {f"c{position}": column for column, position in layout.wanted.items()}
    if not data:
        return pa.table({column: pa.array([], pa.string()) for column in layout.wanted}), []
    invalid: list[pacsv.InvalidRow] = []

    def skip(row: pacsv.InvalidRow) -> str:
        invalid.append(row)
        return "skip"

    def parse(*, threads: bool) -> pa.Table:
        return pacsv.read_csv(
            pa.BufferReader(data),
            pacsv.ReadOptions(
                column_names=layout.names, use_threads=threads, block_size=_PARSE_BYTES
            ),
            pacsv.ParseOptions(
                delimiter=layout.delimiter,
                newlines_in_values=quoted_breaks,
                invalid_row_handler=skip,
            ),
            pacsv.ConvertOptions(
                include_columns=list(columns),
                column_types=dict.fromkeys(columns, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
                check_utf8=False,
            ),
        )

    table = parse(threads=True)
    if invalid:  # only the single-threaded parser says which record it was
        invalid.clear()
        table = parse(threads=False)
    return table.rename_columns(list(columns.values())), [row.number - 1 for row in invalid]


def _broken(block: Block, line: int, reason: str) -> BrokenLine:
    return BrokenLine(block.first_line + line, reason, block.text(line))
