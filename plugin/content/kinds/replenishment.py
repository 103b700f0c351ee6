"""What this customer is about to run out of, by the own rhythm or by how long the item lasts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from plugin.content.asked import FILTERED, NOTHING_DUE, Asked, Entry, Picked
from plugin.content.choosing import chosen
from plugin.content.defaults import AHEAD_DAYS
from plugin.content.known import DAY_S, NOTHING, day, extras, iso_day
from scoring.columns import PURCHASE
from scoring.store.extras import Due

GIVEN_UP = 2.0  # intervals since the last purchase: later the habit is given up
MOSTLY_OVER = 0.5  # of an interval


class Rhythm(NamedTuple):
    """An item due on ``due_day`` (days since 1970), ``interval_days`` after the last purchase;
    ``bought_s``: seconds since 1970, of the day's beginning where only the night knows of it."""

    number: int
    due_day: int
    interval_days: int
    bought_s: int

    def elapsed(self, today: int) -> float:
        """Intervals since the last purchase: 1 is due today."""
        return 1.0 + (today - self.due_day) / self.interval_days


def pick(asked: Asked) -> Picked:
    """Items due within ``within_days``, not overdue by more than their interval and not bought just
    now, the most overdue one (in intervals) first."""
    today, ahead = day(asked), asked.arguments.get("within_days", AHEAD_DAYS)
    due = [
        Entry(rhythm.number, round(rhythm.elapsed(today), 3), (), _told(rhythm))
        for rhythm in rhythms(asked)
        if rhythm.due_day <= today + ahead
        and rhythm.elapsed(today) <= GIVEN_UP
        and not _just_bought(asked, rhythm)
    ]
    due.sort(key=lambda entry: (-entry.score, entry.number))
    entries = chosen(asked, due, NOTHING)
    if entries:
        return Picked(entries)
    return Picked([], FILTERED if due and asked.filters else NOTHING_DUE)


def rhythms(asked: Asked) -> Iterator[Rhythm]:
    """The customer's own ones, and those of items bought just now that are bought again and
    again; a purchase since the night starts the interval anew. Raises RecordError."""
    catalogue = asked.reading.published.catalogue
    own = {due.number: due for due in extras(asked).due if due.interval_days > 0}
    last: dict[int, int] = {}  # number → seconds since 1970
    for event in reversed(asked.reading.recent):
        number = catalogue.number(event.item_id) if event.event_type == PURCHASE else None
        if number is not None:
            last[number] = event.at_s
    for number, bought_s in last.items():
        known = own.pop(number, None)
        interval = known.interval_days if known else catalogue.repeat_days[number]
        if interval:
            yield _later(Rhythm(number, bought_s // DAY_S + interval, interval, bought_s), known)
    for due in own.values():
        yield _of_the_night(due)


def _later(rhythm: Rhythm, known: Due | None) -> Rhythm:
    """The one of a purchase lately, unless the night knows a later purchase."""
    return _of_the_night(known) if known and known.due_day > rhythm.due_day else rhythm


def _of_the_night(due: Due) -> Rhythm:
    number, due_day, interval = due
    return Rhythm(number, due_day, interval, (due_day - interval) * DAY_S)


def _just_bought(asked: Asked, rhythm: Rhythm) -> bool:
    """Within ``exclude_bought_days``; what is bought more often than that, in the first half of its
    interval."""
    least = asked.settings.content.exclude_bought_days
    if asked.now.timestamp() - rhythm.bought_s >= least * DAY_S:
        return False
    return rhythm.interval_days >= least or rhythm.elapsed(day(asked)) < MOSTLY_OVER


def _told(rhythm: Rhythm) -> dict[str, object]:
    return {
        "due_on": iso_day(rhythm.due_day),
        "interval_days": rhythm.interval_days,
        "last_bought_on": iso_day(rhythm.due_day - rhythm.interval_days),
    }
