"""What people did, as a host tool tells it: by webhook, or as files it exports.

A connector says how its tool's words become canonical events; whose request it is, how much may
come at once, that nothing is lost and that nothing counts twice is settled once, by the plugin's
route and by the import. A canonical event is a dict of columns of ``settings.vocabulary``:

    event_id         the tool's own id of the event (without one: left out, occurred_at must be
                     there, and the same content is the same event)
    occurred_at      aware datetime, or ISO 8601 text with its zone
    identifier       the customer's external id; None when only ``device_id`` is known
    identifier_kind  left out for external_id
    event_type       one of EVENT_TYPES
    campaign_id, channel, device_id, item_id, quantity, unit_price
    properties       a dict of what else is worth keeping
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import marshmallow
import orjson


class Forbidden(Exception):  # noqa: N818 - the name says what the caller must do
    """The request does not carry the tool's own signature or token. The caller answers 403."""


class BadBody(Exception):  # noqa: N818
    """The body is no such document. The text says what was expected, never what was found."""


class Unreadable(Exception):  # noqa: N818
    """An exported file, or the place of such files, cannot be read; the text names it."""


@dataclass(frozen=True)
class Inbound:
    """What one request told.

    ``events`` are canonical. ``unknown`` counts, by the tool's own word, what has no canonical
    word; ``malformed`` what has one but lacks what it needs (who, when).
    """

    events: list[dict[str, Any]]
    unknown: Mapping[str, int] = field(default_factory=dict)
    malformed: int = 0


@dataclass(frozen=True)
class Webhook:
    """How a tool tells what happened over HTTP.

    ``verify(body, headers, options)`` raises Forbidden unless the request carries the tool's own
    token or signature; it is not asked when the request carries one of our keys, and must raise
    when the connection's options hold no secret for it. ``read(body, headers, options)`` gives the
    events and raises BadBody. ``headers`` have names in lower case; ``options`` are those of the
    connection.
    """

    verify: Callable[[bytes, Mapping[str, str], Mapping[str, Any]], None]
    read: Callable[[bytes, Mapping[str, str], Mapping[str, Any]], Inbound]


@dataclass(frozen=True)
class EventBatch:
    """A piece of a file: canonical column → its values, a list or an Arrow array, all of one
    length; ``occurred_at`` in seconds since 1970, ``properties`` as JSON text.

    ``unknown`` as in Inbound. ``broken`` says why the file cannot be read from here on: that goes
    to quarantine under the file's name, and what came before it counts.
    """

    columns: Mapping[str, Any]
    unknown: Mapping[str, int] = field(default_factory=dict)
    broken: str | None = None


@dataclass(frozen=True)
class EventFile:
    """One exported file. ``fingerprint`` changes when its content does.

    ``batches`` raises Unreadable when it cannot be read just now.
    """

    name: str
    fingerprint: str
    batches: Callable[[], Iterator[EventBatch]] = field(repr=False)


@dataclass(frozen=True)
class EventFiles:
    """Exported files as a source. ``source_type`` is its ``type`` in a workspace's ``sources``.

    ``open(options, base)`` lists the files, oldest first; relative paths start at ``base``. Raises
    Unreadable.
    """

    source_type: str
    options: type[marshmallow.Schema]
    open: Callable[[Mapping[str, Any], Path], list[EventFile]]


def token_in(header: str, option: str) -> Callable[[bytes, Mapping[str, str], Any], None]:
    """A ``verify`` for tools that send a fixed token: ``header`` (``Bearer`` before it is left
    out) must hold the connection's ``option``."""
    name = header.lower()

    def verify(_body: bytes, headers: Mapping[str, str], options: Mapping[str, Any]) -> None:
        require_same(headers.get(name, "").removeprefix("Bearer ").strip(), options.get(option))

    return verify


def hmac_sha256(secret: str | None, message: bytes) -> str:
    """The signature of ``message`` as hex. Raises Forbidden without a secret."""
    if not secret:
        raise Forbidden("the connection has no secret to check a signature with")
    return hmac.digest(secret.encode(), message, hashlib.sha256).hex()


def require_same(given: str, expected: str | None) -> None:
    """Compare in constant time. Raises Forbidden when they differ, or nothing is expected."""
    if not expected:
        raise Forbidden("the connection has no secret for it")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise Forbidden("the token or signature is not the connection's")


def documents(body: bytes, *, key: str = "events") -> list[dict[str, Any]]:
    """The JSON objects of a body: one object, an array, one a line, ``{key: [...]}``, or none.

    Raises BadBody, also for an array that holds anything but objects.
    """
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = _lines(body)
    if isinstance(found, dict):
        found = found[key] if isinstance(found.get(key), list) else [found]
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise BadBody("expected JSON objects: one, an array of them, or one a line")
    return found


def _lines(body: bytes) -> list[Any]:
    try:
        return [orjson.loads(line) for line in body.splitlines() if line.strip()]
    except orjson.JSONDecodeError:
        raise BadBody("the body is not JSON, nor one JSON object a line") from None


def text(value: object) -> str | None:
    """An id of the tool as text; None for what is missing or cannot be an id."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def moment(seconds: object) -> datetime | None:
    """Seconds since 1970 (a number, or digits) as a time in UTC; None for what is none."""
    try:
        return datetime.fromtimestamp(float(seconds), UTC)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def gathered(found: Iterator[dict[str, Any] | str | None]) -> Inbound:
    """An Inbound of what a reader yields for each document: an event, the tool's own word when it
    has no canonical one, or None when the document lacks what its event needs."""
    events: list[dict[str, Any]] = []
    unknown: Counter[str] = Counter()
    malformed = 0
    for each in found:
        if isinstance(each, dict):
            events.append(each)
        elif each is None:
            malformed += 1
        else:
            unknown[each[:100]] += 1
    return Inbound(events, unknown, malformed)
