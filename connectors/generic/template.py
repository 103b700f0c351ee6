"""JSON templates: data with placeholders in it, no code.

A placeholder is a whole text such as ``$customer_id``; it becomes a value of its own type, so
nothing that is filled in can end a text or begin a key. ``$properties.NAME`` is one entry of a
mapping, ``$$…`` stands for a text that begins with one $. The key ``$merge`` takes a mapping whose
entries are put in its place. In a path a placeholder is a whole segment and is percent-encoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from connectors.errors import Reject

MERGE = "$merge"
_PLACEHOLDER = re.compile(r"\$([a-z_]+)(?:\.([^\s.]+))?\Z")


def problems(template: Any, allowed: frozenset[str]) -> Iterator[str]:
    """What is wrong with a template that may use ``allowed`` placeholders, one sentence each."""
    if isinstance(template, Mapping):
        for key, value in template.items():
            if not isinstance(key, str):
                yield f"the key {key!r} must be a text (in quotes)"
            if key == MERGE and not _is_placeholder(value):
                yield f"{MERGE} takes a placeholder"
            yield from problems(value, allowed)
    elif isinstance(template, list | tuple):
        for value in template:
            yield from problems(value, allowed)
    elif isinstance(template, str):
        yield from _text_problems(template, allowed)
    elif not (template is None or isinstance(template, bool | int | float)):
        yield f"{template!r} cannot be written as JSON (put it in quotes)"


def path_problems(path: str, allowed: frozenset[str]) -> Iterator[str]:
    """The same for a path; only its segments before a ``?`` may be placeholders."""
    segments, _, query = path.partition("?")
    for segment in segments.split("/"):
        yield from _text_problems(segment, allowed)
    if "$" in query:
        yield "what follows ? takes no placeholder"


def uses(template: Any, name: str) -> bool:
    """Whether the placeholder ``name`` stands anywhere in a template or path."""
    if isinstance(template, Mapping):
        return any(uses(value, name) for value in template.values())
    if isinstance(template, list | tuple):
        return any(uses(value, name) for value in template)
    if isinstance(template, str):
        found = [_PLACEHOLDER.match(segment) for segment in template.partition("?")[0].split("/")]
        return any(match is not None and match[1] == name for match in found)
    return False


def fill(template: Any, values: Mapping[str, Any]) -> Any:
    """The template with its placeholders replaced.

    Raises Reject when a value is missing or an entry of ``$merge`` would replace another one.
    """
    if isinstance(template, Mapping):
        filled: dict[str, Any] = {}
        for key, value in template.items():
            entries = _entries(value, values) if key == MERGE else {key: fill(value, values)}
            for name in entries.keys() & filled.keys():
                raise Reject(f"{name} is a field of the request, not an attribute")
            filled.update(entries)
        return filled
    if isinstance(template, list | tuple):
        return [fill(value, values) for value in template]
    if isinstance(template, str) and template.startswith("$"):
        return template[1:] if template.startswith("$$") else _value(template, values)
    return template


def fill_path(path: str, values: Mapping[str, Any]) -> str:
    """The path, whose placeholders stay the one segment that they are. Raises Reject."""
    segments, question_mark, query = path.partition("?")
    filled = (_path_segment(segment, values) for segment in segments.split("/"))
    return "/".join(filled) + question_mark + query


def _path_segment(segment: str, values: Mapping[str, Any]) -> str:
    if segment.startswith("$$"):
        return segment[1:]
    return _segment(_value(segment, values)) if segment.startswith("$") else segment


def _is_placeholder(value: Any) -> bool:
    return isinstance(value, str) and _PLACEHOLDER.match(value) is not None


def _text_problems(text: str, allowed: frozenset[str]) -> Iterator[str]:
    if not text.startswith("$") or text.startswith("$$"):
        return
    match = _PLACEHOLDER.match(text)
    if match is None or match[1] not in allowed:
        known = ", ".join(f"${name}" for name in sorted(allowed)) or "none"
        yield f"{text!r} is no placeholder here; there are: {known} ($$ for a text that begins so)"
    elif match[2] is not None and match[1] != "properties":
        yield f"${match[1]} has no entries, so {text!r} means nothing"


def _value(placeholder: str, values: Mapping[str, Any]) -> Any:
    match = _PLACEHOLDER.match(placeholder)
    assert match is not None  # the configuration was checked
    value = values[match[1]]
    if match[2] is None:
        return value
    if match[2] not in value:
        raise Reject(f"there is no property {match[2]}")
    return value[match[2]]


def _entries(placeholder: Any, values: Mapping[str, Any]) -> Mapping[str, Any]:
    entries = _value(placeholder, values)
    if not isinstance(entries, Mapping):
        raise Reject(f"{placeholder} cannot be merged, for it is no mapping")
    return entries


def _segment(value: Any) -> str:
    text = str(value)
    if text in ("", ".", ".."):
        raise Reject("the id cannot stand in an address")
    return quote(text, safe="")
