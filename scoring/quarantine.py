"""Rows that did not fit: one NDJSON file a source, each entry once however often a file is
imported.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

_SECOND_KEY = b'"source": '


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

    def forget(self, files: Collection[str]) -> None:
        """Drop the entries of these files: they are about to be read again."""
        starts = {_start(file) for file in files}
        if starts:
            self._rewrite(lambda line: line[: line.find(_SECOND_KEY)] not in starts)

    def add(self, rows: Iterable[Rejected], *, once: bool = False) -> None:
        """Append entries; ``once``: leave out those that are there already."""
        lines = map(_dumped, rows)
        first = next(lines, None)
        if first is None:
            return
        known: set[bytes] = set()
        if once and self.path.exists():
            with self.path.open("rb") as stream:
                known.update(stream)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as stream:
            stream.writelines(line for line in chain([first], lines) if line not in known)

    def erase(self, identifiers: Collection[str]) -> None:
        """Drop the entries whose row holds one of these identifiers as a whole word."""
        words = "|".join(re.escape(word) for word in sorted(identifiers))
        pattern = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])")
        if identifiers:
            self._rewrite(lambda line: not pattern.search(_row_of(line)))

    def _rewrite(self, keep: Callable[[bytes], bool]) -> None:
        temporary, changed = self.path.with_suffix(".tmp"), False
        try:
            with self.path.open("rb") as old, temporary.open("wb") as new:
                for line in old:
                    # A process that was killed while adding leaves half a line; its file is read
                    # again.
                    if line.endswith(b"\n") and keep(line):
                        new.write(line)
                    else:
                        changed = True
        except FileNotFoundError:
            return
        if changed:
            os.replace(temporary, self.path)  # noqa: PTH105
        else:
            temporary.unlink()


def _dumped(row: Rejected) -> bytes:
    # file comes first: forget() finds its entries without parsing them
    entry = {"file": row.file, **vars(row)}
    return json.dumps(entry, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def _start(file: str) -> bytes:
    return f'{{"file": {json.dumps(file, ensure_ascii=False)}, '.encode("utf-8", "backslashreplace")


def _row_of(line: bytes) -> str:
    return str(json.loads(line)["row"])
