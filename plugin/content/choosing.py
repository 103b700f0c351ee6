"""From scored candidates to the items of an answer, and what fills it when there are too few.

Whatever is shown can be sold now, was not bought just now, and passes the marketer's rules; what
fills an answer does so too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any

from plugin.content import shelves
from plugin.content.asked import Asked, Entry
from plugin.content.boosts import lift
from plugin.content.diversity import Caps
from plugin.content.filters import sieve
from plugin.content.rules import NO_RULES, Rules
from plugin.content.taste import Taste

_POPULAR = 100  # best sellers that pass the filters, out of which an answer is filled


def chosen(asked: Asked, scored: Iterable[tuple[Any, ...]], gone: AbstractSet[int]) -> list[Entry]:
    """The first ``asked.limit`` of (number, score[, reasons[, extra]]), best first, that may be
    shown; ``gone``: numbers that may not. Boosts change scores and order."""
    if asked.arguments.get("rules") is not None:
        return _by_rules(asked, scored, gone)
    sellable = asked.reading.published.catalogue.sellable
    entries: list[Entry] = []
    for each in scored:
        if each[0] not in gone and sellable(each[0]):
            entries.append(Entry(*each))
            if len(entries) >= asked.limit:
                break
    return entries


def filled(asked: Asked, entries: list[Entry], gone: AbstractSet[int]) -> list[Entry]:
    """The same with the best others behind them."""
    if len(entries) >= asked.limit:
        return entries
    return followed(asked, entries, _others(asked, gone | {entry.number for entry in entries}))


def followed(asked: Asked, entries: list[Entry], more: Iterable[tuple[Any, ...]]) -> list[Entry]:
    """The same with ``more`` (as ``chosen`` takes them, best first, all of them fit to be shown)
    behind them, as far as limit and caps go; scores never rise above the last one's."""
    missing = asked.limit - len(entries)
    if missing <= 0:
        return entries
    most = entries[-1].score if entries else float("inf")
    caps = caps_of(asked, (entry.number for entry in entries))
    if caps is not None:
        take = caps.take
        more = (each for each in more if take(each[0]))
    return entries + [
        Entry(each[0], min(each[1], most), *each[2:]) for each in islice(more, missing)
    ]


def lifted(asked: Asked, entries: list[Entry]) -> list[Entry]:
    """With the call's boosts in scores and order; equal ones keep their order."""
    rules: Rules = asked.arguments.get("rules") or NO_RULES
    published = asked.reading.published
    lifts = lift(rules.boosts, published)
    if lifts is None:
        return entries
    catalogue = published.catalogue
    raised = [
        entry._replace(score=rounded(entry.score * lifts.factor(catalogue, entry.number)))
        for entry in entries
    ]
    return sorted(raised, key=lambda entry: -entry.score)


def caps_of(asked: Asked, held: Iterable[int]) -> Caps | None:
    """The call's caps on brands and categories, with the items ``held`` counted; None without."""
    rules: Rules | None = asked.arguments.get("rules")
    if rules is None or not rules.capped:
        return None
    catalogue = asked.reading.published.catalogue
    return Caps(catalogue, rules.max_per_brand, rules.max_per_category, held)


def may_show(asked: Asked) -> Callable[[int], bool]:
    """Tells of an item whether it can be sold now and passes the filters."""
    published = asked.reading.published
    catalogue, sellable = published.catalogue, published.catalogue.sellable
    rules: Rules = asked.arguments.get("rules") or NO_RULES
    strained = sieve(rules.filters, published)
    if strained is None:
        return sellable
    return lambda number: sellable(number) and strained.passes(catalogue, number)


def _by_rules(
    asked: Asked, scored: Iterable[tuple[Any, ...]], gone: AbstractSet[int]
) -> list[Entry]:
    passes = may_show(asked)
    entries = [Entry(*each) for each in scored if each[0] not in gone and passes(each[0])]
    entries = lifted(asked, entries)
    caps = caps_of(asked, ())
    if caps is None:
        return entries[: asked.limit]
    return list(islice((entry for entry in entries if caps.take(entry.number)), asked.limit))


def _others(asked: Asked, without: AbstractSet[int]) -> Iterable[tuple[int, float]]:
    """Best sellers that may be shown; under filters and boosts in this customer's order, with what
    else stands on the shelves that the filters name."""
    published, passes = asked.reading.published, may_show(asked)
    rules: Rules = asked.arguments.get("rules") or NO_RULES
    best = (
        each for each in published.popular_entries if each[0] not in without and passes(each[0])
    )
    strained, lifts = sieve(rules.filters, published), lift(rules.boosts, published)
    if strained is None and lifts is None:
        return best
    numbers = [number for number, _ in islice(best, _POPULAR)]
    if strained is not None and len(numbers) < asked.limit:
        known = without | set(numbers)
        behind = islice(shelves.behind(published, strained), shelves.MOST)
        numbers += [number for number in behind if number not in known and passes(number)]
    taste = Taste.of(asked)
    factor = lifts.factor if lifts else lambda _catalogue, _number: 1.0
    guesses = [(n, rounded(taste.guess(n) * factor(published.catalogue, n))) for n in numbers]
    return sorted(guesses, key=lambda each: (-each[1], each[0]))


def rounded(score: float) -> float:
    """Three digits say all there is, and keep answers short."""
    return float(f"{score:.3g}")
