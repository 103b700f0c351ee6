"""What is wrong with a configuration: each problem names its file, line and key.

A problem never holds a secret: callers hand in text that is fit for a terminal and a log.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """``line`` counts from 1 (None: the file as a whole); ``key`` is a dotted path, "" for none."""

    file: str
    line: int | None
    key: str
    found: str
    expected: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        key = f" {self.key}:" if self.key else ""
        return f"{place}:{key} found {self.found}, expected {self.expected}"


class SettingsError(Exception):
    """The configuration cannot be used. ``problems`` has at least one entry, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Complaint(str):
    """A validation message that says what is expected and, when the value does not, what is found.

    ``found`` is None when the value at the key tells it best.
    """

    found: str | None

    def __new__(cls, expected: str, found: str | None = None) -> Complaint:
        self = super().__new__(cls, expected)
        self.found = found
        return self


def one_of(known: Iterable[str], found: object = None) -> str:
    """The phrase "one of: a, b (did you mean b?)"; the suggestion only if something is close."""
    names = sorted(known)
    phrase = f"one of: {', '.join(names)}" if names else "nothing here"
    close = difflib.get_close_matches(str(found), names, n=1) if isinstance(found, str) else []
    return f"{phrase} (did you mean {close[0]}?)" if close else phrase


def unknown_key(key: str, known: Iterable[str]) -> Complaint:
    """The complaint about a key that does not exist at its place."""
    return Complaint(one_of(known, key), f"the unknown key {key[:60]!r}")


def dotted(path: KeyPath) -> str:
    """``("sources", 0, "path")`` as ``sources[0].path``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if part.isprintable() else repr(part)
            text += f".{name}" if text else name
    return text
