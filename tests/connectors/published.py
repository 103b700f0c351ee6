"""Are the requests of a connector such as its vendor publishes?

A ``published.json`` beside a tool's tests holds, of the vendor's OpenAPI document and in our words,
what the calls that we make may hold: ``"METHOD /path/{parameter}"`` → ``query`` (names),
``headers`` (that must be there), ``body`` (shape), ``most`` (place in the body → most entries).
A shape is a JSON type's name (``string?``: or null), a list with the shape of an element, or an
object of shapes in which ``name*`` is required and any other name is a mistake.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from connectors.http import Answer, Client

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
}


@dataclass(frozen=True)
class Sent:
    """A request as it left the connector; ``path`` is below the vendor's host."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


def record(patch: pytest.MonkeyPatch, prefix: str) -> list[Sent]:
    """The requests of all clients from now on; their host's path begins with ``prefix``."""
    sent: list[Sent] = []
    send = Client.request

    def recorded(
        client: Client,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        below = (urlsplit(client.base_url).path + path).removeprefix(prefix)
        parsed = None if body is None else orjson.loads(body)
        sent.append(Sent(method, below, params or {}, client.headers, parsed))
        return send(client, method, path, body=body, params=params)

    patch.setattr(Client, "request", recorded)
    return sent


def read_published(tests_of_tool: str) -> dict[str, Any]:
    """``calls`` of the published.json beside a test module."""
    text = (Path(tests_of_tool).parent / "published.json").read_text()
    calls: dict[str, Any] = json.loads(text)["calls"]
    return calls


def call_of(sent: Sent, calls: Mapping[str, Any]) -> str | None:
    """The published call that a request is."""
    for template in calls:
        pattern = re.sub(r"\{\w+\}", "[^/]+", template)
        if re.fullmatch(pattern, f"{sent.method} {sent.path}"):
            return template
    return None


def unpublished(sent: Sent, calls: Mapping[str, Any]) -> list[str]:
    """What is wrong with a request; empty when it is as published."""
    template = call_of(sent, calls)
    if template is None:
        return [f"{sent.method} {sent.path} is not published"]
    call = {"query": [], "headers": [], **calls[template]}
    wrong = [f"{name}: no such parameter" for name in sent.params if name not in call["query"]]
    wrong += [f"{name}: no such header" for name in call["headers"] if not sent.headers.get(name)]
    if (sent.body is None) != (call.get("body") is None):
        return [*wrong, "a body that should not be, or none that should"]
    if sent.body is not None:
        wrong += _misfits(sent.body, call["body"], "body")
        for place, most in call.get("most", {}).items():
            if len(_at(sent.body, place)) > most:
                wrong.append(f"{place} has more than {most} entries")
    return wrong


def _misfits(value: Any, shape: Any, place: str) -> list[str]:
    if isinstance(shape, str):
        fits = type(value) in TYPES[shape.removesuffix("?")]
        fits = fits or (value is None and shape.endswith("?"))
        return [] if fits else [f"{place} is {type(value).__name__}, not {shape}"]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{place} is no array"]
        return [wrong for entry in value for wrong in _misfits(entry, shape[0], f"{place}[]")]
    if not isinstance(value, dict):
        return [f"{place} is no object"]
    known = {name.removesuffix("*"): part for name, part in shape.items()}
    needed = {name.removesuffix("*") for name in shape if name.endswith("*")}
    wrong = [f"{place}.{name} is missing" for name in sorted(needed - set(value))]
    for name, part in value.items():
        if name not in known:
            wrong.append(f"{place}.{name} is not published")
        else:
            wrong += _misfits(part, known[name], f"{place}.{name}")
    return wrong


def _at(body: Any, place: str) -> Any:
    for name in place.split("."):
        body = body[name]
    return body
