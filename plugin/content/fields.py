"""Fields of the content routes that a query writes as one text: lists, and boosts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isfinite
from typing import Any

import marshmallow as ma
from marshmallow import fields

from plugin.content.boosts import BOOSTED, LEAST, MARGIN, MOST, Boost
from plugin.ids import short

_COMMA = re.compile(r"(?<!\\),")
MOST_MARGIN = 1.0


class Names(fields.Field[tuple[str, ...]]):
    """Several names or ids as one text, separated by commas; a comma within a name is written
    ``\\,``. In a JSON body a list of texts as well. An empty text is no name."""

    is_multiple = False  # one text in the query, not one parameter a name

    def __init__(self, description: str, example: str, most: int, **kwargs: Any) -> None:
        told = f"{description}; up to {most}, separated by commas"
        metadata = _text_or_list(told, example, most)
        super().__init__(metadata=metadata, **kwargs)
        self.most = most

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[str, ...]:
        names = parted(value)
        if len(names) > self.most:
            raise ma.ValidationError(f"Must be at most {self.most}, found {len(names)}.")
        for name in names:
            short(name)
        return names


class Boosts(fields.Field[tuple[Boost, ...]]):
    """``brand:X:1.5``, ``category:PATH:2``, ``tag:T:0.5`` and ``margin:0.5``, separated by
    commas."""

    is_multiple = False
    MOST = 20

    def __init__(self, description: str, example: str) -> None:
        super().__init__(metadata=_text_or_list(description, example, self.MOST))

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[Boost, ...]:
        parts = parted(value)
        if len(parts) > self.MOST:
            raise ma.ValidationError(f"Must be at most {self.MOST} boosts, found {len(parts)}.")
        return tuple(map(_boost, parts))


class Channel(fields.String):
    """A channel's name in lower case, as names of channels are compared."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, *args, **kwargs)
        return text.lower()


def _text_or_list(description: str, example: str, most: int) -> dict[str, Any]:
    """What OpenAPI says of such a field in a JSON body."""
    a_list = {"type": "array", "items": {"type": "string"}, "maxItems": most}
    return {
        "description": description,
        "example": example,
        "oneOf": [{"type": "string"}, a_list],
    }


def in_query(_: Any, field: fields.Field[Any], ret: dict[str, Any]) -> dict[str, Any]:
    """What OpenAPI says of such a field in a query, where it is one text: a method that apispec's
    converter asks of each parameter; ``ret`` is what it says so far."""
    if not isinstance(field, Names | Boosts):
        return {}
    schema = {name: value for name, value in ret["schema"].items() if name != "oneOf"}
    return {"schema": {**schema, "type": "string"}}


def parted(value: Any) -> tuple[str, ...]:
    """The names in a text or a list of texts, without repetitions. Raises ValidationError."""
    given: Sequence[Any] = _COMMA.split(value) if isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise ma.ValidationError("Must be a text with commas, or a list of texts.")
    if isinstance(value, str):
        given = [each.replace("\\,", ",") for each in given]
    return tuple(dict.fromkeys(each.strip() for each in given if each.strip()))


def _boost(text: str) -> Boost:
    what, _, rest = text.partition(":")
    name, _, number = rest.rpartition(":")
    factor = _factor(number)
    if what == MARGIN and not name and 0.0 <= factor <= MOST_MARGIN:
        return Boost(MARGIN, "", factor)
    if what in BOOSTED and name.strip() and LEAST <= factor <= MOST:
        return Boost(what, name.strip(), factor)
    raise ma.ValidationError(
        f"Must be brand:NAME:FACTOR, category:PATH:FACTOR or tag:NAME:FACTOR with a factor from "
        f"{LEAST:g} to {MOST:g}, or margin:WEIGHT with a weight from 0 to {MOST_MARGIN:g}."
    )


def _factor(text: str) -> float:
    """NaN for what is no number, which no range holds."""
    try:
        factor = float(text)
    except ValueError:
        return float("nan")
    return factor if isfinite(factor) else float("nan")
