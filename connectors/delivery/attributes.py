"""Scores → the user attributes of a connection, coarse enough that noise is not a change.

A number is rounded to a step or put into a bucket, and then *held*: what the tool has stays until
the score has left it by more than noise. Without that, a score on the border of two steps would be
written every night.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from math import isfinite
from typing import Any

from connectors.delivery.plan import differ
from settings.workspace import AttributeSettings

HOLD_STEPS = 0.75  # of the step: a quarter of it beyond where rounding alone would change
HOLD_BUCKET = 0.1  # of the bound that was crossed

EXACT = 2.0**53  # floats beyond it are whole numbers with gaps

State = Mapping[str, Any]


@dataclass(frozen=True)
class Rendering:
    """The attributes of one connection."""

    attributes: Sequence[AttributeSettings]

    def render(self, scores: State) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """(attributes, exact values of those that are held or None) of one customer.

        ``scores``: score name → number, text or list. A score that is missing or None, and an
        empty list, give no attribute. Raises ValueError, naming the attribute, for a value that no
        tool can store.
        """
        rendered, exact = {}, {}
        for attribute in self.attributes:
            value = scores.get(attribute.score)
            coarse = _coarse(attribute, value)
            if coarse is None:
                continue
            rendered[attribute.name] = _typed(attribute, coarse)
            if _held(attribute):
                exact[attribute.name] = value if isinstance(coarse, (int, float, str)) else coarse
        return rendered, exact or None

    def settled(self, coarse: State, exact: State, accepted: State) -> dict[str, Any]:
        """The attributes to have, when the tool has ``accepted``: noise changes nothing, and a
        stamp (``along``) changes only with another attribute."""
        state = dict(coarse)
        for attribute in self.attributes:
            name = attribute.name
            if (
                name in exact
                and name in accepted
                and not attribute.along
                and _kind(accepted[name]) is _kind(state[name])
                and accepted[name] != state[name]
                and _stays(attribute, exact[name], _untyped(attribute, accepted[name]))
            ):
                state[name] = accepted[name]
        stamps = {a.name for a in self.attributes if a.along}
        others = {*state, *accepted} - stamps
        moved = any(differ(state.get(name), accepted.get(name)) for name in others)
        if not moved:
            state.update((name, accepted[name]) for name in stamps & accepted.keys() & state.keys())
        return state

    def urgency(self, change: State, accepted: State) -> float:
        """Which changes go first when not all can: by the highest priority among the changed
        attributes, then by how much of its value one of them changed (0 to 1)."""
        most = 0.0
        for attribute in self.attributes:
            if attribute.name in change:
                size = _size(change[attribute.name], accepted.get(attribute.name))
                most = max(most, attribute.priority + 0.999 * size)
        return most


def _held(attribute: AttributeSettings) -> bool:
    numeric = attribute.round_to is not None or bool(attribute.buckets)
    return attribute.along or numeric or attribute.hold is not None


def _coarse(attribute: AttributeSettings, value: Any) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        if not _is_finite(value):
            raise ValueError(f"{attribute.name} is not a finite number")
        if attribute.buckets:
            return _labels(attribute)[bisect_right(attribute.buckets, value)]
        return value if attribute.round_to is None else _to_step(value, attribute.round_to)
    if isinstance(value, (list, tuple)):
        if not all(isinstance(element, str) for element in value):
            raise ValueError(f"{attribute.name} holds something else than texts")
        # Tools keep an array as a set: an element twice would be billed and never come back.
        return list(dict.fromkeys(value))[: attribute.length] or None
    raise ValueError(f"{attribute.name} is a {type(value).__name__}")


def _is_finite(value: float) -> bool:
    try:
        return isfinite(value)
    except OverflowError:  # an integer beyond any float
        return False


def _kind(value: Any) -> type:
    """To a tool all numbers are of one."""
    return float if type(value) is int else type(value)


def _labels(attribute: AttributeSettings) -> tuple[str | bool, ...]:
    return (False, True) if attribute.type == "boolean" else attribute.labels


def _typed(attribute: AttributeSettings, coarse: Any) -> Any:
    if attribute.type != "text" or isinstance(coarse, str):
        return coarse
    return ",".join(coarse) if isinstance(coarse, list) else str(coarse)


def _untyped(attribute: AttributeSettings, accepted: Any) -> Any:
    """What the tool has, as it was before it was made text; any rubbish otherwise."""
    if attribute.type != "text" or not isinstance(accepted, str) or attribute.buckets:
        return accepted
    if attribute.round_to is None:
        return accepted.split(",")
    try:
        return float(accepted)
    except ValueError:
        return None


def _stays(attribute: AttributeSettings, exact: Any, accepted: Any) -> bool:
    """Whether what the tool has is still as good as the new value."""
    if isinstance(exact, list):
        if attribute.hold is None or not isinstance(accepted, list):
            return False
        return len(exact) == len(accepted) and len({*accepted} - {*exact}) <= attribute.hold
    if not isinstance(exact, (int, float)):
        return False
    if attribute.buckets:
        return accepted in _labels(attribute) and _in_bucket(attribute, exact, accepted)
    if not isinstance(accepted, (int, float)):
        return False
    hold = HOLD_STEPS * (attribute.round_to or 0.0) if attribute.hold is None else attribute.hold
    return abs(exact - accepted) < hold


def _in_bucket(attribute: AttributeSettings, exact: float, label: str | bool) -> bool:
    """Within the bounds of the label's bucket, widened."""
    at = _labels(attribute).index(label)
    bounds = attribute.buckets

    def slack(bound: float) -> float:
        return HOLD_BUCKET * abs(bound) if attribute.hold is None else attribute.hold

    over = at == 0 or exact >= bounds[at - 1] - slack(bounds[at - 1])
    under = at == len(bounds) or exact < bounds[at] + slack(bounds[at])
    return over and under


def _size(new: Any, old: Any) -> float:
    """How much of a value changed: 0 nothing, 1 all of it."""
    if isinstance(new, (int, float)) and isinstance(old, (int, float)):
        largest = max(abs(new), abs(old))
        return min(abs(new - old) / largest, 1.0) if largest else 0.0
    if isinstance(new, list) and isinstance(old, list):
        return len({*new} - {*old}) / max(len(new), 1)
    return 1.0


def _to_step(value: float, step: float) -> int | float:
    """The multiple of ``step`` nearest to ``value``, without the dust of binary fractions."""
    if abs(value) >= EXACT * step:  # its own digits are coarser
        return value
    steps = round(value / step)
    digits = _digits(step)
    return round(steps * step, digits) if digits else steps * int(step)


@cache
def _digits(step: float) -> int:
    """After the decimal point."""
    return 0 if float(step).is_integer() else -int(Decimal(str(step)).as_tuple().exponent)
