"""A batch of what a shop tells: the list in a body, each entry of it read or refused for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from typing import Any, NoReturn, TypeVar

from flask import Response

from plugin.errors import fail
from plugin.events.schema import BadEventError
from plugin.jsonio import answer

Entry = TypeVar("Entry")


def listed(body: Any, name: str, most: int) -> list[Any]:
    """The entries of a body {name: [...]}; ``name`` is a plural in s. Answers 422 for anything
    else, for none and for more than ``most``."""
    entries = body.get(name) if isinstance(body, dict) else None
    if not isinstance(entries, list) or not entries or set(body) != {name}:
        entry = name.removesuffix("s")
        _refuse(
            name, f'Send {{"{name}": [...]}} with at least one {entry}, and nothing else beside it.'
        )
    if len(entries) > most:
        _refuse(name, f"Send at most {most} {name} at once; found {len(entries)}.")
    return entries


def read_each(
    entries: Iterable[object],
    read: Callable[[object, datetime, tzinfo], Entry],
    now: datetime,
    zone: tzinfo,
) -> tuple[list[Entry], list[dict[str, Any]]]:
    """What could be read, and of the rest where it is in the batch and why not: the documents of
    RejectedEventSchema. ``read`` raises BadEventError; ``zone``: of times that name none."""
    good: list[Entry] = []
    rejected: list[dict[str, Any]] = []
    for index, entry in enumerate(entries):
        try:
            good.append(read(entry, now, zone))
        except BadEventError as error:
            rejected.append({"index": index, "code": error.code, "message": str(error)})
    return good, rejected


def accepted(count: int, rejected: list[dict[str, Any]]) -> Response:
    """The 202 of AcceptedSchema."""
    return answer({"accepted": count, "rejected": rejected}, 202)


def _refuse(name: str, message: str) -> NoReturn:
    fail(422, "invalid_batch", message, details={name: [message]})
