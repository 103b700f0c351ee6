"""What a kind of content is asked and what it picks: plain values, so that a kind is a function.

A reason other than None says that the items are not what was asked for (``fallback``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from plugin.content.filters import NO_FILTERS
from plugin.content.rules import Rules
from scoring.holdout import TREATMENT
from scoring.store.reading import Reading
from settings.workspace import WorkspaceSettings

UNKNOWN_CUSTOMER = "unknown_customer"
UNKNOWN_ITEM = "unknown_item"
NO_SCORES = "no_scores"
FILTERED = "filtered"
EMPTY_CART = "empty_cart"
NOTHING_BACK = "nothing_back"
NO_PRICE_DROP = "no_price_drop"
NOTHING_DUE = "nothing_due"
NO_ARRIVALS = "no_arrivals"
NO_ITEMS = "no_items"
NO_SNAPSHOT = "no_snapshot"
STORE_UNAVAILABLE = "store_unavailable"
OVERLOADED = "overloaded"
RATE_LIMITED = "rate_limited"
ERROR = "error"
_BLIND = "what is known without the customer, such as what is popular, or no items"
# what each means, for the API's and the marketer's documentation
REASONS: Mapping[str, str] = {
    UNKNOWN_CUSTOMER: "this customer is not known and did nothing lately: what is popular",
    UNKNOWN_ITEM: "the item asked about is not published: what is popular",
    NO_SCORES: "nothing is known beside this item or for this customer: what is popular",
    FILTERED: "the filters leave nothing of what was asked for: the best others that pass them, or "
    "no items where only what was asked for makes sense",
    EMPTY_CART: "nothing lies in the cart that can be bought: no items",
    NOTHING_BACK: "nothing that the customer looked at is back in stock: no items",
    NO_PRICE_DROP: "nothing that the customer looked at costs less now: no items",
    NOTHING_DUE: "nothing is due for this customer: no items",
    NO_ARRIVALS: "there are no new items: what is popular",
    NO_ITEMS: "none of the items given can be shown: no items",
    NO_SNAPSHOT: "nothing was published yet",
    STORE_UNAVAILABLE: f"the store does not answer: {_BLIND}",
    OVERLOADED: f"too many calls at once: {_BLIND}",
    RATE_LIMITED: f"this key asks more often than it may: {_BLIND}",
    ERROR: f"something is wrong with us, and logged: {_BLIND}",
}


class Entry(NamedTuple):
    """One item of an answer by its published number; ``reasons`` by their places in the layout's;
    ``extra``: more members of its JSON."""

    number: int
    score: float
    reasons: tuple[int, ...] = ()
    extra: Mapping[str, Any] | None = None


def plain_entries(explained: Iterable[tuple[int, float, tuple[int, ...]]]) -> list[Entry]:
    """Entries of (number, score, reasons), as many as a campaign's answers have: made without what
    a named tuple's own constructor does besides."""
    return [_bare(Entry, (*each, None)) for each in explained]


_bare = tuple.__new__


@dataclass(frozen=True, slots=True)
class Asked:
    """One call. ``arguments``: what plugin.content.schema loaded; ``now``: UTC; ``limit``: at most
    so many items."""

    reading: Reading
    arguments: Mapping[str, Any]
    settings: WorkspaceSettings
    now: datetime
    limit: int

    @property
    def filters(self) -> bool:
        """Whether the call sets a filter; boosts and caps alone leave no answer empty."""
        rules: Rules | None = self.arguments.get("rules")
        return rules is not None and rules.filters != NO_FILTERS


@dataclass(slots=True)
class Picked:
    """``reason``: None or one of REASONS; ``members``: more members of the answer's JSON."""

    entries: list[Entry]
    reason: str | None = None
    members: Mapping[str, Any] = field(default_factory=dict)
    send: bool = True
    send_reason: str | None = None
    arm: str = TREATMENT  # of the campaign's holdout

    @property
    def fallback(self) -> bool:
        return self.reason is not None
