"""What a marketer asks of a segment job; plain data without a model library."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


class SegmentError(Exception):
    """The request cannot be answered; the text says what is wrong and what to do."""


@dataclass(frozen=True)
class Target:
    """What the campaign promotes. ``any``: at least one of the listed; ``all``: each of them."""

    items: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
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
    """One segment job. What is None, as ``holdout_share``, ``cost_per_send`` and ``margin`` (of one
    response) may be, is the workspace's."""

    name: str
    target: Target
    size: SizeRule
    goal: Literal["purchase", "click"] = "purchase"
    horizon_days: int = 7
    exclusions: Exclusions = field(default_factory=Exclusions)
    holdout_share: float | None = None
    cost_per_send: float | None = None
    margin: float | None = None
