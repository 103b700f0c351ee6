"""The session folded in: what a customer looked at and carted since the night moves the ranking.

Nothing is learned again. The night's probability p of an item is raised by the odds at which it is
bought together with an item of the session (how likely beside it, over how likely anyway), and
where its category is what the session is about. Then what the session's items themselves and their
related lists make likely is joined to it as an independent cause: 1 − (1 − p)(1 − sum). Everything
is weakened by the event's age. The lists are item-to-item scores in the sense of Deshpande and
Karypis (2004), see scoring.relations; weighing by recency what stands beside the session's items is
a strong rival to learned session models (Ludewig and Jannach, 2018). The weights are chosen by
``python -m benchmarks.session`` on its validation part.

Ages count from the session's newest event, not from the clock: within the same snapshot and
session the answer is the same, however often it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from scoring.columns import CART, INTEREST, PURCHASE, VIEW
from scoring.store.recent_record import RecentEvent

Pairs = Sequence[tuple[int, float]]
Scored = tuple[int, float, tuple[int, ...]]  # number, probability, reasons
SESSION_S = 24 * 3600  # an event this much older than the newest one belongs to another visit
MOST_SIGNALS = 12  # items of a session that count
_MOST_ADDED = 0.95  # of a probability


class Weights(NamedTuple):
    """``kind``: how much an event counts by its type; ``itself``: chance that the item itself is
    bought; ``beside``: share of what its lists say; ``together``: power of the odds beside it over
    the odds anyway; ``category``: how much more likely items of its category become;
    ``half_life_s``: of an event's weight."""

    kind: Mapping[str, float]
    itself: float
    beside: float
    together: float
    category: float
    half_life_s: float


WEIGHTS = Weights({VIEW: 1.0, INTEREST: 1.0, CART: 2.0}, 0.1, 0.02, 0.25, 0.5, 3 * 3600.0)


class Signal(NamedTuple):
    """An item of the session by its published number, and how much it counts."""

    number: int
    weight: float


def signals(
    recent: Iterable[RecentEvent],
    number_of: Callable[[str], int | None],
    since_s: float,
    weights: Weights = WEIGHTS,
) -> list[Signal]:
    """Items looked at or carted from ``since_s`` on, strongest first, each by its strongest event;
    at most MOST_SIGNALS. ``recent`` is newest first; what was bought or put back does not count."""
    found: dict[int, float] = {}
    done: set[str] = set()
    newest_s: float | None = None
    for event in recent:
        if event.at_s < since_s:
            break
        if event.event_type == PURCHASE or _taken_out(event):
            done.add(event.item_id)
        kind = weights.kind.get(event.event_type)
        if kind is None or event.item_id in done:
            continue
        newest_s = event.at_s if newest_s is None else newest_s
        age_s = newest_s - event.at_s
        if age_s > SESSION_S:
            break
        number = number_of(event.item_id)
        if number is None:
            continue
        weight = kind * 2.0 ** (-age_s / weights.half_life_s)
        if weight > found.get(number, 0.0):
            found[number] = weight
    strongest = sorted(found.items(), key=lambda each: (-each[1], each[0]))
    return [Signal(*each) for each in strongest[:MOST_SIGNALS]]


class Effect(NamedTuple):
    """What the session does, by item number: ``more`` is joined to the probability, which is first
    multiplied by ``times``."""

    more: Mapping[int, float]
    times: Mapping[int, float]


def effect(
    session: Iterable[Signal],
    beside_of: Callable[[int], tuple[Pairs, Pairs]],
    sold: Sequence[float],
    weights: Weights = WEIGHTS,
) -> Effect:
    """``beside_of``: what comes after an item, and what is bought together with it; ``sold``: share
    of lately sold baskets that hold each item, 0 where it is not known."""
    more: dict[int, float] = {}
    times: dict[int, float] = {}
    for number, weight in session:
        more[number] = more.get(number, 0.0) + weights.itself * weight
        near = min(weight, 1.0)  # that it was carted says no more of other items than a look
        beside = weights.beside * near
        related, together = beside_of(number)
        for other, score in related:
            more[other] = more.get(other, 0.0) + beside * score
        power = weights.together * near
        for other, score in together:
            more[other] = more.get(other, 0.0) + beside * score
            if score > sold[other] > 0.0:
                times[other] = max(times.get(other, 1.0), (score / sold[other]) ** power)
    return Effect({number: min(total, _MOST_ADDED) for number, total in more.items()}, times)


class InSight(NamedTuple):
    """Category index → the weight of the session's strongest item of it, at most 1."""

    category: Sequence[int]  # of each item, -1: none
    weight: Mapping[int, float]

    @classmethod
    def of(cls, session: Iterable[Signal], category: Sequence[int]) -> InSight:
        weight: dict[int, float] = {}
        for number, strength in session:
            index = category[number]
            if index >= 0:
                weight[index] = max(min(strength, 1.0), weight.get(index, 0.0))
        return cls(category, weight)


def fold(
    scored: Iterable[Scored], found: Effect, in_sight: InSight, weights: Weights = WEIGHTS
) -> list[Scored]:
    """(number, probability, reasons) with what the session does, best first; items that only the
    session knows have no reasons."""
    rest = dict(found.more)
    category, seen = in_sight
    moved: list[Scored] = []
    for number, probability, reasons in scored:
        raised = probability * found.times.get(number, 1.0)
        raised *= 1.0 + weights.category * seen.get(category[number], 0.0)
        extra = rest.pop(number, 0.0)
        moved.append((number, _joined(probability, raised, extra), reasons))
    moved += [(number, _joined(0.0, 0.0, extra), ()) for number, extra in rest.items()]
    moved.sort(key=lambda each: (-each[1], each[0]))
    return moved


def _joined(probability: float, raised: float, extra: float) -> float:
    if raised == probability and not extra:
        return probability
    raised = max(probability, min(raised, _MOST_ADDED))
    return float(f"{1 - (1 - raised) * (1 - extra):.3g}")


def _taken_out(event: RecentEvent) -> bool:
    return event.event_type == CART and event.quantity == 0
