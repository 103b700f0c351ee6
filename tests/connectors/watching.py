"""Requests that reached a double, held against what its vendor publishes.

A tool's ``published.json`` is its OpenAPI document reduced to the calls that we make: by method and
path the query parameters, the headers that must be there (``Name`` or ``Name: value``), and the
body as JSON Schema. Here objects have no other properties than those named, unless
``additionalProperties`` says of what kind the others are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, request

TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list,
    "object": dict, "null": type(None),
}  # fmt: skip


class Published:
    """Watches the calls of a double: those ``unmade``, and ``problems`` of those made."""

    def __init__(self, app: Flask, prefix: str, file: Path) -> None:
        self.problems: list[str] = []
        self._described: dict[str, dict[str, Any]] = json.loads(file.read_text())["calls"]
        self.unmade = set(self._described)
        self._prefix = prefix
        app.before_request(self._look)

    def _look(self) -> None:
        path = urlsplit(request.environ["REQUEST_URI"]).path  # as it was sent, with escapes
        if not path.startswith(self._prefix):
            return
        call = f"{request.method} {path.removeprefix(self._prefix)}"
        found = [each for each in self._described if re.fullmatch(_pattern(each), call)]
        if not found:
            self.problems.append(f"{call} is not published")
            return
        self.unmade.discard(found[0])
        described = self._described[found[0]]
        unknown = set(request.args) - set(described.get("query", []))
        self.problems += [f"{call} has no parameter {name}" for name in unknown]
        missing = [each for each in described.get("headers", []) if not _sent(each)]
        self.problems += [f"{call} needs the header {each}" for each in missing]
        if "body" not in described:
            self.problems += [f"{call} takes no body"] * bool(request.get_data())
            return
        body = request.get_json(silent=True)
        self.problems += [f"{call}: {each}" for each in misfits(described["body"], body)]


def _sent(header: str) -> bool:
    name, _, value = header.partition(": ")
    return name in request.headers and value in ("", request.headers[name])


def misfits(schema: dict[str, Any], value: Any, at: str = "body") -> Iterator[str]:
    """Where ``value`` is not as ``schema`` says."""
    if "anyOf" in schema:
        found = [list(misfits(each, value, at)) for each in schema["anyOf"]]
        if all(found):
            yield from min(found, key=len)
        return
    kinds = schema.get("type")
    if kinds is not None and not _is(value, [kinds] if isinstance(kinds, str) else kinds):
        yield f"{at} is no {kinds}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{at} is none of {schema['enum']}"
    elif isinstance(value, dict):
        yield from _object(schema, value, at)
    elif isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{at} has {len(value)} items"
        for index, each in enumerate(value):
            yield from misfits(schema.get("items", {}), each, f"{at}[{index}]")


def _object(schema: dict[str, Any], value: dict[str, Any], at: str) -> Iterator[str]:
    yield from (f"{at} lacks {name}" for name in schema.get("required", []) if name not in value)
    if len(value) > schema.get("maxProperties", len(value)):
        yield f"{at} has {len(value)} properties"
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    for name, each in value.items():
        if name in properties or others is not None:
            yield from misfits(properties.get(name, others), each, f"{at}.{name}")
        elif "type" in schema:
            yield f"{at} has no property {name}"


def _is(value: Any, kinds: list[str]) -> bool:
    if isinstance(value, bool):
        return "boolean" in kinds
    return any(isinstance(value, TYPES[kind]) for kind in kinds)


def _pattern(call: str) -> str:
    return re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(call))


@contextmanager
def watched(app: Flask, name: str, prefix: str | None = None) -> Iterator[Published]:
    """Calls of the tool's double, under ``prefix`` if it is no other, while the block runs; at its
    end all of them were published."""
    file = Path(__file__).parent / name / "published.json"
    published = Published(app, f"/tools/{name}" if prefix is None else prefix, file)
    yield published
    assert not published.problems, published.problems
