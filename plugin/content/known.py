"""What is known of a call's customer: what was bought just now, the night's extras, the day."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import date, datetime, timedelta

from plugin.content.asked import Asked
from plugin.content.remembered import Remembered
from scoring.columns import PURCHASE
from scoring.store.extras import (
    NO_EXTRAS,
    NO_PROFILE,
    Extras,
    ExtrasNames,
    Profile,
    unpack_profile,
)
from scoring.store.published import PublishedSnapshot

DAY_S = 86_400
NOTHING: frozenset[int] = frozenset()
_EPOCH = date(1970, 1, 1)

_names: Remembered[ExtrasNames] = Remembered(8)
_cutoffs: Remembered[float] = Remembered(8)


def bought(asked: Asked) -> AbstractSet[int]:
    """Numbers of the items that the customer has bought and does not need again yet: for as many
    days after the purchase as the item usually lasts, for ``exclude_bought_days`` at least. What
    was bought before the night, by files as well, the record tells. Raises RecordError."""
    record, recent = asked.reading.record, asked.reading.recent
    before = NOTHING if record is None else record.bought(day(asked))
    if not recent:
        return before
    catalogue = asked.reading.published.catalogue
    least = asked.settings.content.exclude_bought_days
    now_s = asked.now.timestamp()
    found = set()
    for event in recent:
        if event.event_type == PURCHASE:
            number = catalogue.number(event.item_id)
            if number is not None:
                days = max(least, catalogue.repeat_days[number])
                if event.at_s >= now_s - days * DAY_S:
                    found.add(number)
    return before | found if found else before


def extras(asked: Asked) -> Extras:
    """What the night knows of the customer beside scores. Raises RecordError for rubbish."""
    record = asked.reading.record
    if record is None or not record.extras_raw:
        return NO_EXTRAS
    return record.extras(_names_of(asked.reading.published))


def profile(asked: Asked) -> Profile:
    """Time zone and consents only. Raises RecordError for rubbish."""
    record = asked.reading.record
    if record is None or not record.extras_raw:
        return NO_PROFILE
    return unpack_profile(record.extras_raw, _names_of(asked.reading.published))


def day(asked: Asked) -> int:
    """Today, in days since 1970 (UTC)."""
    return int(asked.now.timestamp()) // DAY_S


def iso_day(days: int) -> str:
    """ISO 8601 of days since 1970, which are days of UTC."""
    return (_EPOCH + timedelta(days=days)).isoformat()


def cutoff_s(published: PublishedSnapshot) -> float:
    """Until when the night knows what happened, in seconds since 1970; 0 for items on disk."""

    def read() -> float:
        found = published.meta.get("cutoff")
        return datetime.fromisoformat(found).timestamp() if found else 0.0

    return _cutoffs.of(published, read)


def _names_of(published: PublishedSnapshot) -> ExtrasNames:
    return _names.of(
        published, lambda: ExtrasNames(tuple(published.timezones), tuple(published.channels))
    )
