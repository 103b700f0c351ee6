"""The plain event, taken without asking its schema: most of them, at a fifth of the time.

What is not plain (another type, a rare form, anything wrong) is left to the schema, which alone
says what is right and what an error is called.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from scoring import columns as c

_PLAIN_CHARACTERS = 200  # of a text: under the limit in whatever language
_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6}|\.\d{3})?(?:Z|[+-]\d\d:\d\d)?", re.ASCII
)
_TYPES = frozenset(c.EVENT_TYPES) - {c.LINK, c.UNLINK, c.RETURN}
_KINDS = frozenset(c.IDENTIFIER_KINDS)


def quick(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """What EventSchema.load gives for a plain event, without what is null; None for any other."""
    event: dict[str, Any] = {}
    for name, value in document.items():
        check = _CHECKS.get(name)
        if check is None:
            return None
        if value is None and name not in _NEVER_NULL:
            continue
        plain = check(value)
        if plain is None:
            return None
        event[name] = plain
    if c.EVENT_TYPE not in event or not (c.IDENTIFIER in event or c.DEVICE_ID in event):
        return None
    return event


def _text(value: object) -> str | None:
    if type(value) is not str or len(value) > _PLAIN_CHARACTERS or "\x00" in value:
        return None
    return value if value.strip() else None


def _type(value: object) -> str | None:
    return value if type(value) is str and value in _TYPES else None


def _kind(value: object) -> str | None:
    return value if type(value) is str and value in _KINDS else None


def _number(value: object) -> float | None:
    if type(value) is not float and type(value) is not int:
        return None
    return float(value) if 0 <= value <= 1e9 else None


def _time(value: object) -> datetime | None:
    if type(value) is not str or not _TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _not_plain(_value: object) -> None:
    """An object of any form."""


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    c.EVENT_ID: _text,
    c.OCCURRED_AT: _time,
    c.IDENTIFIER: _text,
    c.IDENTIFIER_KIND: _kind,
    c.EVENT_TYPE: _type,
    c.ITEM_ID: _text,
    c.QUANTITY: _number,
    c.UNIT_PRICE: _number,
    c.CAMPAIGN_ID: _text,
    c.CHANNEL: _text,
    c.DEVICE_ID: _text,
    c.PROPERTIES: _not_plain,
}
_NEVER_NULL = frozenset((c.IDENTIFIER, c.IDENTIFIER_KIND, c.EVENT_TYPE))
