"""What every kind needs: what was bought just now, and popular items where something lacks."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from plugin.content.asked import Asked, Entry
from scoring.columns import PURCHASE

_DAY_S = 86_400
NOTHING: frozenset[int] = frozenset()


def bought(asked: Asked) -> frozenset[int]:
    """Numbers of items that the customer bought within the workspace's exclude_bought_days."""
    recent = asked.reading.recent
    if not recent:
        return NOTHING
    since_s = asked.now.timestamp() - asked.settings.content.exclude_bought_days * _DAY_S
    number = asked.reading.published.catalogue.number
    found = (
        number(event.item_id)
        for event in recent
        if event.event_type == PURCHASE and event.at_s >= since_s
    )
    return frozenset(each for each in found if each is not None)


def filled(asked: Asked, entries: list[Entry], without: AbstractSet[int]) -> list[Entry]:
    """Popular items after the chosen ones; their scores never rise above the last chosen one."""
    missing = asked.limit - len(entries)
    there = without | {entry.number for entry in entries}
    most = entries[-1].score if entries else float("inf")
    sellable = asked.reading.published.catalogue.sellable
    more: list[Entry] = []
    for number, score in asked.reading.published.popular_entries:
        if len(more) >= missing:
            break
        if number not in there and sellable(number):
            more.append(Entry(number, min(score, most)))
    return entries + more
