"""Rows that did not fit: one NDJSON file a source, each entry once however often a file is
imported.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Rejected:
    """``row`` is the row as it stood in the source (a CSV line, a JSON object as text)."""

    source: str
    file: str
    line: int
    reason: str
    row: str


class Quarantine:
    """``folder``/<source>.ndjson with source, file, line, reason, row."""

    def __init__(self, folder: Path, source: str) -> None:
        self.path = folder / f"{source}.ndjson"

    def forget(self, file: str) -> None:
        """Drop the entries of one file: it is about to be read again."""
        start = _start(file)
        self._rewrite(lambda line: not line.startswith(start))

    def add(self, rows: Iterable[Rejected], *, once: bool = False) -> None:
        """Append entries; ``once``: leave out those that are there already."""
        lines = [_dumped(row) for row in rows]
        if lines and once and self.path.exists():
            with self.path.open("rb") as stream:
                known = set(stream)
            lines = [line for line in lines if line not in known]
        if lines:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as stream:
                stream.write(b"".join(lines))

    def erase(self, identifiers: Collection[str]) -> None:
        """Drop the entries whose row holds one of these identifiers as a whole word."""
        words = "|".join(re.escape(word) for word in sorted(identifiers))
        pattern = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])")
        if identifiers:
            self._rewrite(lambda line: not pattern.search(_row_of(line)))

    def _rewrite(self, keep: Any) -> None:
        try:
            with self.path.open("rb") as stream:
                lines = stream.readlines()
        except FileNotFoundError:
            return
        # A process that was killed while adding leaves half a line; its file will be read again.
        kept = [line for line in lines if line.endswith(b"\n") and keep(line)]
        if len(kept) == len(lines):
            return
        temporary = self.path.with_suffix(".tmp")
        temporary.write_bytes(b"".join(kept))
        os.replace(temporary, self.path)  # noqa: PTH105


def _dumped(row: Rejected) -> bytes:
    # file comes first: forget() finds its entries without parsing them
    entry = {"file": row.file, **asdict(row)}
    return json.dumps(entry, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def _start(file: str) -> bytes:
    return f'{{"file": {json.dumps(file, ensure_ascii=False)}, '.encode("utf-8", "backslashreplace")


def _row_of(line: bytes) -> str:
    return str(json.loads(line)["row"])
