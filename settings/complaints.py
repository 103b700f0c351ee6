"""marshmallow's messages → problems with a line, and without a secret."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from marshmallow import Schema

from settings.problems import Complaint, KeyPath
from settings.yaml_file import HIDDEN, Document

_SCHEMA = "_schema"
_TELLTALE = ("secret", "password", "token", "api_key", "apikey", "credential")
_MISSING = "Missing data for required field."
_SHOWN_CHARACTERS = 60


def secret_keys(schemas: Iterable[type[Schema]]) -> frozenset[str]:
    """Keys whose values no message may show: marked ``secret`` in one of the schemas."""
    return frozenset(
        field.data_key or key
        for schema in schemas
        for key, field in schema._declared_fields.items()
        if field.metadata.get("secret") or field.load_only
    )


def complaints(
    document: Document, messages: Any, secret_keys: frozenset[str]
) -> Iterator[tuple[KeyPath, Complaint]]:
    """Each message as a key path and a complaint with ``found``, which never shows a secret.

    Left out are messages about a value that could not be read, for that is told already.
    """
    for path, message in _flat(messages, ()):
        if path in document.failed or any(path == each[:-1] for each in document.failed):
            continue
        given, value = _value_at(document.data, path)
        secret = _is_secret(document, path, secret_keys)
        expected = _expectation(message, path)
        if secret and isinstance(value, str | int | float) and str(value):
            expected = expected.replace(str(value), "…")
        found = message.found if isinstance(message, Complaint) else None
        if found is None:
            found = _description(document, path, value, secret) if given else "nothing"
        yield path, Complaint(expected, found)


def _flat(messages: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(messages, Mapping):
        for key, each in messages.items():
            yield from _flat(each, path if key == _SCHEMA else (*path, key))
    elif isinstance(messages, list):
        for each in messages:
            yield from _flat(each, path)
    else:
        yield path, messages if isinstance(messages, str) else str(messages)


def _value_at(data: Any, path: KeyPath) -> tuple[bool, Any]:
    """Whether the key exists, and the value of the nearest one that does.

    A shorthand has no keys of its own: what its schema says below it is about the text itself.
    """
    for part in path:
        if isinstance(data, Mapping):
            if part not in data:
                return False, None
            data = data[part]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
    return True, data


def _is_secret(document: Document, path: KeyPath, secret_keys: frozenset[str]) -> bool:
    names = [part.lower() for part in path if isinstance(part, str)]
    return (
        any(path[: length + 1] in document.references for length in range(len(path)))
        or any(name in secret_keys for name in names)
        or any(word in name for name in names for word in _TELLTALE)
    )


def _description(document: Document, path: KeyPath, value: Any, secret: bool) -> str:
    if isinstance(value, Mapping):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if value is None:
        return "nothing (null)"
    if secret:
        return document.hidden(path) or HIDDEN
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"


def _expectation(message: str, path: KeyPath) -> str:
    """marshmallow's own sentences ("Must be …", "Not a valid …") as what is expected."""
    if message == _MISSING:
        return f"a value for {path[-1]}" if path else "a value"
    if message == "Field may not be null.":
        return "a value, or the key left out"
    text = message.removesuffix(".")
    for start, instead in (
        ("Must be ", ""),
        ("must ", "a value that must "),
        ("is ", "a value, which is "),
        ("Not a valid ", "a valid "),
        ("Invalid input type", "a mapping of keys"),
        ("Length must be ", "a length of "),
        ("Shorter than minimum length ", "a length of at least "),
        ("Longer than maximum length ", "a length of at most "),
    ):
        if text.startswith(start):
            return instead + text.removeprefix(start)
    return text
