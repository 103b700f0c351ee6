"""A YAML file as plain values, with the line of every key: what an exact message needs.

The dialect is YAML 1.2's core, which surprises less: only true and false are truth values, a time
stays text, and digits with a leading zero stay text. Merge keys (``<<``) are not supported.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from settings.interpolation import ReferenceFailedError, interpolate
from settings.problems import Complaint, KeyPath, Problem, dotted

HIDDEN = "a value that is not shown"
MAX_FILE_BYTES = 2_000_000
MAX_NODES = 100_000  # an alias of an alias of an alias … fills any memory
_TAG = "tag:yaml.org,2002:"
_NULLS = ("", "~", "null", "Null", "NULL")


class _Loader(yaml.SafeLoader):
    """SafeLoader with the core schema's plain scalars; numbers of any sane length only."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _name, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(0|[1-9][0-9]{0,17})", "-+0123456789"),
    (
        "float",
        r"[-+]?(0|[1-9][0-9]{0,17})?\.[0-9]{1,30}([eE][-+]?[0-9]{1,4})?"
        r"|[-+]?[1-9][0-9]{0,17}\.?[eE][-+]?[0-9]{1,4}|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
):
    _first_characters = [*_first, ""] if _name == "null" else list(_first)
    _Loader.add_implicit_resolver(
        f"{_TAG}{_name}", re.compile(rf"(?:{_pattern})\Z"), _first_characters
    )


@dataclass
class Document:
    """``data`` as plain values (None if nothing could be read) and where each came from.

    ``lines`` maps a key path to its line; ``references`` those values that were made from
    ``${…}`` to the references, which are fit to print while the value is not.
    """

    file: Path
    data: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    references: dict[KeyPath, tuple[str, ...]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    failed: set[KeyPath] = field(default_factory=set)  # values that a problem tells about already
    line_ends: list[int] = field(default_factory=list)

    def line_at(self, mark: yaml.Mark) -> int:
        """As editors count: the YAML library also counts U+0085, U+2028 and U+2029."""
        return bisect_left(self.line_ends, mark.index) + 1

    def line(self, path: KeyPath) -> int:
        """The line of the nearest key that exists in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def hidden(self, path: KeyPath) -> str | None:
        """What stands for a value that holds a reference, of its own or of the nearest key around
        it; None where there is none."""
        for length in range(len(path), 0, -1):
            references = self.references.get(path[:length])
            if references:
                return f"{HIDDEN}, from {' and '.join(references)}"
        return None

    def complain(self, path: KeyPath, complaint: Complaint, line: int | None = None) -> None:
        found = complaint.found or "something else"
        self.problems.append(
            Problem(str(self.file), line or self.line(path), dotted(path), found, str(complaint))
        )


def read(file: Path, environ: Mapping[str, str]) -> Document:
    """Never raises for what a file holds: everything wrong is in ``problems``."""
    document = Document(file)
    text = _text(document)
    if text is None:
        return document
    document.line_ends = [match.start() for match in re.finditer("\n", text)]
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        document.problems.append(_broken(document, error))
    except RecursionError:
        document.problems.append(
            Problem(str(file), None, "", "lists or mappings nested too deeply", "a flat file")
        )
    else:
        if root is None:
            found = "an empty file"
            document.problems.append(Problem(str(file), 1, "", found, "a mapping of keys"))
        else:
            _Builder(document, environ).build_root(root)
    return document


def _text(document: Document) -> str | None:
    file = document.file
    expected = "a YAML file in UTF-8"
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        found = "no such file"
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        found = f"a file that cannot be read ({reason or 'bad file name'})"
    else:
        if len(content) > MAX_FILE_BYTES:
            found = f"more than {MAX_FILE_BYTES} bytes"
        else:
            try:
                return content.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                line = content.count(b"\n", 0, error.start) + 1
                found = f"the byte 0x{content[error.start]:02x}, which is not UTF-8"
                document.problems.append(Problem(str(file), line, "", found, expected))
                return None
    document.problems.append(Problem(str(file), None, "", found, expected))
    return None


def _broken(document: Document, error: yaml.YAMLError) -> Problem:
    """The parser's complaint without quoted words: they may be part of a secret."""
    mark = getattr(error, "problem_mark", None)
    file, line = document.file, document.line_at(mark) if mark else None
    what = getattr(error, "problem", None) or "a character that YAML does not allow"
    if "'\\t'" in what:
        return Problem(str(file), line, "", "a tab character", "spaces as indentation")
    if "single document" in (getattr(error, "context", None) or ""):
        return Problem(str(file), line, "", "a second document (---)", "one document a file")
    what = re.sub(r"\s*(['\"])(?!<).{2,}\1", "", what).rstrip(", ")
    return Problem(str(file), line, "", f"broken YAML ({what})", "valid YAML")


class _TooLargeError(Exception):
    """More than MAX_NODES values."""


class _Builder:
    """Nodes → plain values; notes lines, resolves references, refuses what is ambiguous."""

    def __init__(self, document: Document, environ: Mapping[str, str]) -> None:
        self.document = document
        self.environ = environ
        self.open_nodes: set[int] = set()
        self.count = 0

    def build_root(self, root: yaml.Node) -> None:
        self.document.lines[()] = self.document.line_at(root.start_mark)
        try:
            self.document.data = self._value(root, ())
        except _TooLargeError:
            expected = f"at most {MAX_NODES} values"
            self.document.complain((), Complaint(expected, "more values, counting aliases"))
            return
        if not isinstance(self.document.data, dict) and not self.document.problems:
            found = "a list" if isinstance(self.document.data, list) else "a single value"
            self.document.complain((), Complaint("a mapping of keys", found))

    def _value(self, node: yaml.Node, path: KeyPath) -> Any:
        self.count += 1
        if self.count > MAX_NODES:
            raise _TooLargeError
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self.open_nodes:
            return self._fail(path, Complaint("a value", "an alias of itself"))
        if node.tag not in (f"{_TAG}map", f"{_TAG}seq"):
            return self._fail(path, Complaint("a value without a tag", "a YAML tag"))
        self.open_nodes.add(id(node))
        value: Any = None
        if isinstance(node, yaml.MappingNode):
            value = self._mapping(node, path)
        elif isinstance(node, yaml.SequenceNode):
            value = self._list(node, path)
        self.open_nodes.discard(id(node))
        return value

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = self.document.line_at(key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode) or not _printable(key_node.value):
                self.document.complain(path, Complaint("a word as key", "another key"), line)
                continue
            key = key_node.value
            if key in values:
                first = self.document.lines[(*path, key)]
                complaint = Complaint(f"it once (first in line {first})", "the key a second time")
                self.document.complain((*path, key), complaint, line)
                continue
            self.document.lines[(*path, key)] = line
            values[key] = self._value(value_node, (*path, key))
        return values

    def _list(self, node: yaml.SequenceNode, path: KeyPath) -> list[Any]:
        for index, item in enumerate(node.value):
            self.document.lines[(*path, index)] = self.document.line_at(item.start_mark)
        return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        kind = node.tag.removeprefix(_TAG)
        try:
            if kind == "str":
                return self._string(node.value, path)
            if kind == "null" and node.value in _NULLS:
                return None
            if kind == "bool":
                return {"true": True, "false": False}[node.value.lower()]
            if kind == "int":
                return int(node.value)
            if kind == "float":
                return float(re.sub(r"\.(?=inf|nan)", "", node.value.lower()))
        except (KeyError, ValueError):
            return self._fail(path, Complaint("a value that fits its tag", "another one"))
        return self._fail(path, Complaint("a value without a tag", "a YAML tag"))

    def _string(self, text: str, path: KeyPath) -> str | None:
        try:
            value, references = interpolate(text, self.document.file.parent, self.environ)
        except ReferenceFailedError as error:
            return self._fail(path, *error.complaints)
        if references:
            self.document.references[path] = references
        if not _printable(value):
            return self._fail(path, Complaint("text", "a character that is not text (NUL, …)"))
        return value

    def _fail(self, path: KeyPath, *complaints: Complaint) -> Any:
        """Notes what is wrong with the value, which becomes None."""
        for complaint in complaints:
            self.document.complain(path, complaint)
        self.document.failed.add(path)
        return None


def _printable(text: str) -> bool:
    """No NUL (no file name or header can hold it) and no lone surrogate (cannot be encoded)."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
