"""Scores → the user attributes of a connection, coarse enough that noise is not a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import isfinite
from typing import Any

from settings.workspace import AttributeSettings


def render(attributes: Sequence[AttributeSettings], scores: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of one customer from ``scores`` (score name → number, text or list).

    A score that is missing or None, and an empty list, give no attribute. Raises ValueError,
    naming the attribute, for a value that no tool can store.
    """
    rendered = {}
    for attribute in attributes:
        value = _render(attribute, scores.get(attribute.score))
        if value is not None:
            rendered[attribute.name] = value
    return rendered


def _render(attribute: AttributeSettings, value: Any) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        if not isfinite(value):
            raise ValueError(f"{attribute.name} is not a finite number")
        return value if attribute.round_to is None else _to_step(value, attribute.round_to)
    if isinstance(value, (list, tuple)):
        if not all(isinstance(element, str) for element in value):
            raise ValueError(f"{attribute.name} holds something else than texts")
        # Tools keep an array as a set: an element twice would be billed and never come back.
        return list(dict.fromkeys(value))[: attribute.length] or None
    raise ValueError(f"{attribute.name} is a {type(value).__name__}")


def _to_step(value: float, step: float) -> int | float:
    """The multiple of ``step`` nearest to ``value``, without the dust of binary fractions."""
    exact = Decimal(str(step)) * round(Decimal(str(value)) / Decimal(str(step)))
    return int(exact) if float(step).is_integer() else float(exact)
