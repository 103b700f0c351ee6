"""What this customer is about to run out of, by the own rhythm or by how long the item lasts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from plugin.content.asked import FILTERED, NOTHING_DUE, Asked, Entry, Picked
from plugin.content.choosing import chosen
from plugin.content.defaults import AHEAD_DAYS
from plugin.content.known import DAY_S, NOTHING, day, extras
from scoring.columns import PURCHASE

GIVEN_UP = 2.0  # intervals since the last purchase: later the habit is given up
_EPOCH = date(1970, 1, 1)


class Rhythm(NamedTuple):
    """An item due on ``due_day`` (days since 1970), ``interval_days`` after the last purchase."""

    number: int
    due_day: int
    interval_days: int

    def elapsed(self, today: int) -> float:
        """Intervals since the last purchase: 1 is due today."""
        return 1.0 + (today - self.due_day) / self.interval_days


def pick(asked: Asked) -> Picked:
    """Items due within ``within_days`` and not overdue by more than their interval, the most
    overdue one (in intervals) first."""
    today, ahead = day(asked), asked.arguments.get("within_days", AHEAD_DAYS)
    due = [
        Entry(rhythm.number, round(rhythm.elapsed(today), 3), (), _told(rhythm))
        for rhythm in rhythms(asked)
        if rhythm.due_day <= today + ahead and rhythm.elapsed(today) <= GIVEN_UP
    ]
    due.sort(key=lambda entry: (-entry.score, entry.number))
    entries = chosen(asked, due, NOTHING)
    if entries:
        return Picked(entries)
    return Picked([], FILTERED if due and asked.arguments.get("rules") else NOTHING_DUE)


def rhythms(asked: Asked) -> Iterator[Rhythm]:
    """The customer's own ones, and those of items bought just now that are bought again and
    again; a purchase since the night starts the interval anew. Raises RecordError."""
    catalogue = asked.reading.published.catalogue
    own = {due.number: due for due in extras(asked).due if due.interval_days > 0}
    last: dict[int, int] = {}
    for event in reversed(asked.reading.recent):
        number = catalogue.number(event.item_id) if event.event_type == PURCHASE else None
        if number is not None:
            last[number] = event.at_s // DAY_S
    for number, bought_day in last.items():
        known = own.pop(number, None)
        interval = known.interval_days if known else catalogue.repeat_days[number]
        if interval:
            again = bought_day + interval
            yield Rhythm(number, max(again, known.due_day) if known else again, interval)
    for number, due_day, interval in own.values():
        yield Rhythm(number, due_day, interval)


def _told(rhythm: Rhythm) -> dict[str, object]:
    return {
        "due_on": _date(rhythm.due_day),
        "interval_days": rhythm.interval_days,
        "last_bought_on": _date(rhythm.due_day - rhythm.interval_days),
    }


def _date(days: int) -> str:
    return (_EPOCH + timedelta(days=days)).isoformat()
