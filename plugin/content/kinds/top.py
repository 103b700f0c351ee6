"""The customer's brands and categories, best first, each with the best item for the customer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from plugin.content import shelves
from plugin.content.asked import FILTERED, NO_SCORES, UNKNOWN_CUSTOMER, Asked, Entry, Picked
from plugin.content.boosts import Lift, lift
from plugin.content.choosing import caps_of, lifted, may_show, rounded
from plugin.content.known import bought
from plugin.content.remembered import Remembered
from plugin.content.rules import NO_RULES
from plugin.content.taste import Taste
from scoring.store.published import PublishedSnapshot

_popular: Remembered[list[tuple[int, float]]] = Remembered(8)


class Level(NamedTuple):
    """What is listed: the answer's ``member``, the ``names`` by index, the index of each item
    (``of_item``), the most popular items of an index, and by what boosts multiply its score."""

    member: str
    names: Sequence[str]
    of_item: Sequence[int]
    best: Callable[[PublishedSnapshot, int], Sequence[int]]
    boosted: Callable[[Lift, int], float]


def brands(asked: Asked) -> Picked:
    """The customer's brands."""
    published, record = asked.reading.published, asked.reading.record
    level = Level(
        "brands", published.brands, published.catalogue.brand, shelves.best_of_brand, Lift.of_brand
    )
    return _top(asked, level, record.brands() if record else _of_best_sellers(published, level))


def categories(asked: Asked) -> Picked:
    """The customer's categories."""
    published, record = asked.reading.published, asked.reading.record
    level = Level(
        "categories", published.categories, published.catalogue.category,
        shelves.best_of_category, Lift.of_category,
    )  # fmt: skip
    return _top(asked, level, record.categories() if record else _of_best_sellers(published, level))


def _top(asked: Asked, level: Level, ranked: Iterable[tuple[int, float]]) -> Picked:
    """A brand or category without an item to show is left out. Boosts of a brand or category move
    it in the list; which item stands for it is moved by all of them."""
    taste, fits = Taste.of(asked), _fits(asked)
    published = asked.reading.published
    lifts = lift((asked.arguments.get("rules") or NO_RULES).boosts, published)
    own: dict[int, list[int]] = {}
    for number in taste.own:  # best first
        own.setdefault(level.of_item[number], []).append(number)
    if lifts is not None:
        raised = ((index, rounded(s * level.boosted(lifts, index))) for index, s in ranked)
        ranked = sorted(raised, key=lambda each: -each[1])
    entries: list[Entry] = []
    told: list[dict[str, Any]] = []
    for index, score in ranked:
        if len(entries) == asked.limit:
            break
        candidates = [*own.get(index, ()), *level.best(published, index)]
        if lifts is not None:
            candidates = [entry.number for entry in lifted(asked, taste.ordered(candidates))]
        best = next(filter(fits, candidates), None)
        if best is None:
            continue
        item = published.catalogue.item(best)
        entries.append(Entry(best, score, taste.entry(best).reasons))
        told.append({
            "name": level.names[index], "score": score, "item": item.id,
            "image_url": item.image_url, "url": item.url,
        })  # fmt: skip
    return Picked(entries, _reason(asked, told), {level.member: told})


def _fits(asked: Asked) -> Callable[[int], bool]:
    """Tells of an item whether it may be shown beside those for which it said so before."""
    passes, gone, caps = may_show(asked), bought(asked), caps_of(asked, ())
    if caps is None:
        return lambda number: number not in gone and passes(number)
    return lambda number: number not in gone and passes(number) and caps.take(number)


def _reason(asked: Asked, told: Sequence[Any]) -> str | None:
    if asked.reading.record is None:
        return UNKNOWN_CUSTOMER
    if told:
        return None
    return FILTERED if asked.filters else NO_SCORES


def _of_best_sellers(published: PublishedSnapshot, level: Level) -> list[tuple[int, float]]:
    """What best sellers belong to, by the share of customers who bought the best of each."""

    def make() -> list[tuple[int, float]]:
        shares: dict[int, float] = {}
        for number, share in published.popular_entries:
            index = level.of_item[number]
            if index >= 0:
                shares[index] = max(shares.get(index, 0.0), share)
        return sorted(shares.items(), key=lambda each: (-each[1], each[0]))

    return _popular.of(published, make, level.member)
