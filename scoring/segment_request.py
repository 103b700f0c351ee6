"""What a marketer asks of a segment job; plain data without a model library."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

MAX_HORIZON_DAYS = 90

_TEXT, _NUMBER = ("is", "contains"), (">=", "<=")
# attribute of an item → what it may be compared by. "under" takes a category path and all below;
# an item that was never sold is on sale for 0 days
OPERATORS: Mapping[str, tuple[str, ...]] = {
    "name": _TEXT,
    "brand": _TEXT,
    "category": (*_TEXT, "under"),
    "price": _NUMBER,
    "margin": _NUMBER,
    "days_on_sale": _NUMBER,
}


class SegmentError(Exception):
    """The request cannot be answered; the text says what is wrong and what to do."""


@dataclass(frozen=True)
class Condition:
    """One condition on an item. Text is compared without regard to case; what is not known of an
    item fulfils no condition. Raises ValueError for what cannot be, naming the field first."""

    attribute: str
    operator: str
    value: str | float

    def __post_init__(self) -> None:
        operators = OPERATORS.get(self.attribute)
        if operators is None:
            raise ValueError(
                f"attribute: found {self.attribute!r}, expected one of {', '.join(OPERATORS)}"
            )
        if self.operator not in operators:
            raise ValueError(
                f"operator: found {self.operator!r}, {self.attribute} takes {', '.join(operators)}"
            )
        if operators is _NUMBER:
            number = float("nan")
            if isinstance(self.value, int | float) and not isinstance(self.value, bool):
                number = float(self.value)
            if not math.isfinite(number):
                raise ValueError(f"value: {self.attribute} takes a number, found {self.value!r}")
        elif not isinstance(self.value, str) or not self.value.strip():
            raise ValueError(f"value: {self.attribute} takes a text, found {self.value!r}")


@dataclass(frozen=True)
class Target:
    """What the campaign promotes. ``any``: at least one of the listed; ``all``: each of them.

    ``rule``: the items that fulfil every condition, together one more of the listed.
    """

    items: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    rule: tuple[Condition, ...] = ()
    match: Literal["any", "all"] = "any"


@dataclass(frozen=True)
class SizeRule:
    """How many: exactly one field is set (``maximum_profit`` uses margin and cost per send)."""

    count: int | None = None
    share: float | None = None  # of all customers, 0 < share ≤ 1
    minimum_probability: float | None = None
    budget: float | None = None  # workspace currency, over cost_per_send
    maximum_profit: bool = False


@dataclass(frozen=True)
class Exclusions:
    recent_buyer_days: int | None = None  # bought the target this recently
    without_ad_consent: bool = False
    fatigued: bool = False  # max_sends within max_sends_days, from the workspace settings


@dataclass(frozen=True)
class SegmentRequest:
    """One segment job. What is None, as ``horizon_days`` (1 … MAX_HORIZON_DAYS), ``holdout_share``,
    ``cost_per_send`` and ``margin`` (of one response) may be, is the workspace's."""

    name: str
    target: Target
    size: SizeRule
    goal: Literal["purchase", "click"] = "purchase"
    horizon_days: int | None = None
    exclusions: Exclusions = field(default_factory=Exclusions)
    holdout_share: float | None = None
    cost_per_send: float | None = None
    margin: float | None = None
