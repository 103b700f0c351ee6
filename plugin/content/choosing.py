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
from plugin.content.diversity import Shares
from plugin.content.filters import sieve
from plugin.content.rules import NO_RULES, Rules
from plugin.content.taste import Taste

_POPULAR = 100  # best sellers that pass the filters, out of which an answer is filled


def chosen(asked: Asked, scored: Iterable[tuple[Any, ...]], gone: AbstractSet[int]) -> list[Entry]:
    """The first ``asked.limit`` of (number, score[, reasons[, extra]]), best first, that may be
    shown; ``gone``: numbers that may not. Boosts change scores and order."""
    rules: Rules | None = asked.arguments.get("rules")
    if rules is not None:
        return _by_rules(asked, scored, gone, rules)
    sellable = asked.reading.published.catalogue.sellable
    entries: list[Entry] = []
    for each in scored:
        if each[0] not in gone and sellable(each[0]):
            entries.append(Entry(*each))
            if len(entries) >= asked.limit:
                break
    return entries


def filled(asked: Asked, entries: list[Entry], gone: AbstractSet[int]) -> list[Entry]:
    """The same with the best others behind them; their scores never rise above the last one's."""
    missing = asked.limit - len(entries)
    if missing <= 0:
        return entries
    rules: Rules = asked.arguments.get("rules") or NO_RULES
    most = entries[-1].score if entries else float("inf")
    more = _others(asked, gone | {entry.number for entry in entries}, rules)
    if _capped(rules):
        shares = _shares(asked, rules, [entry.number for entry in entries])
        more = (each for each in more if shares.take(each[0]))
    return entries + [Entry(number, min(score, most)) for number, score in islice(more, missing)]


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
    asked: Asked, scored: Iterable[tuple[Any, ...]], gone: AbstractSet[int], rules: Rules
) -> list[Entry]:
    passes, published = may_show(asked), asked.reading.published
    entries = [Entry(*each) for each in scored if each[0] not in gone and passes(each[0])]
    lifted = lift(rules.boosts, published)
    if lifted is not None:
        entries = [
            entry._replace(score=_short(entry.score * lifted.factor(published.catalogue, entry[0])))
            for entry in entries
        ]
        entries.sort(key=lambda entry: -entry.score)  # stable: equal ones keep their order
    if not _capped(rules):
        return entries[: asked.limit]
    shares = _shares(asked, rules, ())
    return list(islice((entry for entry in entries if shares.take(entry.number)), asked.limit))


def _others(asked: Asked, without: AbstractSet[int], rules: Rules) -> Iterable[tuple[int, float]]:
    """Best sellers that may be shown; under filters and boosts in this customer's order, with what
    else stands on the shelves that the filters name."""
    published, passes = asked.reading.published, may_show(asked)
    best = (
        each for each in published.popular_entries if each[0] not in without and passes(each[0])
    )
    strained, lifted = sieve(rules.filters, published), lift(rules.boosts, published)
    if strained is None and lifted is None:
        return best
    numbers = [number for number, _ in islice(best, _POPULAR)]
    if strained is not None and len(numbers) < asked.limit:
        known = without | set(numbers)
        behind = islice(shelves.behind(published, strained), shelves.MOST)
        numbers += [number for number in behind if number not in known and passes(number)]
    taste = Taste.of(asked)
    factor = lifted.factor if lifted else lambda _catalogue, _number: 1.0
    guesses = [(n, _short(taste.guess(n) * factor(published.catalogue, n))) for n in numbers]
    return sorted(guesses, key=lambda each: (-each[1], each[0]))


def _capped(rules: Rules) -> bool:
    return rules.max_per_brand is not None or rules.max_per_category is not None


def _shares(asked: Asked, rules: Rules, held: Iterable[int]) -> Shares:
    catalogue = asked.reading.published.catalogue
    return Shares(catalogue, rules.max_per_brand, rules.max_per_category, held)


def _short(score: float) -> float:
    """Three digits say all there is, and keep answers short."""
    return float(f"{score:.3g}")
