"""What a source yields: pieces of bounded size, with the line of every row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

LINE = "__line"  # int64: line of the file (CSV, NDJSON) or row number (others), from 1

# why a line could not even be split into columns
BROKEN_LINE = "broken_line"
WRONG_ENCODING = "wrong_encoding"
BROKEN_FILE = "broken_file"  # from here on; the text says why


@dataclass(frozen=True)
class BrokenLine:
    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class Chunk:
    """``table``: the asked source columns and LINE. ``fraction``: share of the file read so far.

    ``text(i)`` is row i of ``table`` as it stood in the source (for quarantine). ``unknown`` counts
    what was left out because there is no canonical event type for it, by the source's own word.
    """

    table: pa.Table
    text: Callable[[int], str]
    fraction: float
    broken: tuple[BrokenLine, ...] = ()
    unknown: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceFile:
    """One unit of import. ``fingerprint``: changes when the content does; None = unknown, read
    always.

    ``chunks(columns)`` reads the named source columns; raises SourceError, also half way (what came
    before is good).
    """

    name: str
    fingerprint: str | None
    chunks: Callable[[Collection[str]], Iterator[Chunk]] = field(repr=False)


def missing_columns(name: str, wanted: Collection[str], found: Collection[str]) -> str | None:
    """The sentence that says which mapped columns a file lacks, or None."""
    missing = sorted(set(wanted) - set(found))
    if not missing:
        return None
    listed = ", ".join(repr(column) for column in missing)
    return (
        f"{name}: no column {listed}; the columns are {', '.join(map(repr, found))}"
        " (correct the mapping or the file; a fixed value is written {value: …})"
    )
