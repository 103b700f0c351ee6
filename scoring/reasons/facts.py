"""What may be said of described pairs: each reason with its numbers, where they are facts.

Everything is read off the description that the model itself saw. Where the description does not
hold what a sentence tells, the sentence does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.models import Floats
from scoring.reasons.reason import CODE_SHIFT, CODES, LIMITS, SHIFTS

Packed = NDArray[np.uint32]
DUE_FROM, DUE_UNTIL = 0.75, 2.0  # of the usual gap: later than twice is a habit given up
SAME_PRICE = float(np.log(1.25))  # log of the price over the usual one
BOUGHT_AGAIN_FROM = 0.2  # share of the buyers


@dataclass(frozen=True)
class Described:
    """Pairs as a level describes them: ``x`` float32[n, k], its columns named by ``features``.

    ``best_seller_from``: share of customers from which a target is a best seller.
    """

    features: Sequence[str]
    x: Floats
    best_seller_from: float

    def column(self, name: str) -> Floats:
        """float32[n]; NaN throughout if the level has no such feature."""
        if name not in self.features:
            return np.full(len(self.x), np.nan, dtype=np.float32)
        return self.x[:, self.features.index(name)]


def sayable(code: str, described: Described) -> Packed:
    """uint32[n]: the reason with its parameters as ``reason.encode`` packs it, 0 = not so."""
    return _FACTS.get(code, _claim)(code, described)


def _days(scorer: str, names: tuple[str, str] = ("days_bought", "recency_days")) -> _Fact:
    """Happened on so many days, last so many days ago."""

    def fact(code: str, described: Described) -> Packed:
        days, ago = (described.column(f"{scorer}.{name}") for name in names)
        return _packed(code, (days >= 1) & (ago >= 0), days, ago)

    return fact


def _due(gap_name: str, due_name: str) -> _Fact:
    """Comes in a rhythm, and it is about time."""

    def fact(code: str, described: Described) -> Packed:
        gap, due = described.column(gap_name), described.column(due_name)
        return _packed(code, (gap >= 1) & (due >= DUE_FROM) & (due <= DUE_UNTIL), gap)

    return fact


def _best_seller(code: str, described: Described) -> Packed:
    share = described.column("popularity.buyers_28d")
    return _packed(code, (share > 0) & (share >= described.best_seller_from), share * 1000)


def _bought_again(code: str, described: Described) -> Packed:
    share = described.column("popularity.repeat_share")
    return _packed(code, share >= BOUGHT_AGAIN_FROM, share * 1000)


def _price(code: str, described: Described) -> Packed:
    """Near what the customer pays for such products, or below it."""
    against = described.column("content.price_fit")
    cheaper = _packed("cheaper", against < -SAME_PRICE)
    return np.where(cheaper > 0, cheaper, _packed(code, np.abs(against) <= SAME_PRICE))


def _claim(code: str, described: Described) -> Packed:
    """Told without numbers: the model's own score is the fact, see ``explain``."""
    return _packed(code, np.ones(len(described.x), dtype=bool))


def _packed(code: str, said: NDArray[np.bool_], *parameters: Floats) -> Packed:
    number = np.full(len(said), (CODES.index(code) + 1) << CODE_SHIFT, dtype=np.uint32)
    for values, limit, shift in zip(parameters, LIMITS, SHIFTS, strict=False):
        whole = np.rint(np.clip(np.nan_to_num(values), 0, limit)).astype(np.uint32)
        number |= whole << np.uint32(shift)
    return np.where(said, number, np.uint32(0))


_Fact = Callable[[str, Described], Packed]
_FACTS: Mapping[str, _Fact] = {
    "bought": _days("repeat"),
    "due": _due("repeat.gap_days", "repeat.due"),
    "interest": _days("engaged"),
    "clicked": _days("clicked"),
    "brand": _days("brand"),
    "category": _days("category"),
    "kind": _days("kind"),
    "shops": _days("activity", ("visit_days", "visit_recency_days")),
    "visit_due": _due("activity.visit_gap_days", "activity.visit_due"),
    "best_seller": _best_seller,
    "price": _price,
    "bought_again": _bought_again,
}
