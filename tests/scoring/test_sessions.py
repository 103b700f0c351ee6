"""When customers were there: once an hour, in their own time zone, never at a made-up midnight."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from scoring import canonical
from scoring.identity import resolve
from scoring.lake import Lake
from scoring.sessions import sessions
from settings.workspace import ColumnMapping, SourceSettings
from tests.scoring.shop import EVENT_COLUMNS, event_table, events_source, workspace

NOW = datetime(2026, 3, 10, tzinfo=UTC)
SINCE = NOW - timedelta(days=20)
TODAY = (NOW - datetime(1970, 1, 1, tzinfo=UTC)).days

Session = tuple[str, int, int, int]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def event(at: str, event_type: str = "view", who: str = "kim", **more: Any) -> dict[str, Any]:
    """``at``: "03-09 10:15", of 2026, UTC."""
    moment = datetime.fromisoformat(f"2026-{at.replace(' ', 'T')}").replace(tzinfo=UTC)
    told = {"event_id": f"{at}-{event_type}-{who}-{more}", "occurred_at": moment}
    return {**told, "event_type": event_type, "identifier": who, **more}


def found(
    lake: Lake,
    *events: dict[str, Any],
    zone: str = "UTC",
    source: SourceSettings | None = None,
) -> list[Session]:
    """(customer, days ago, hour, weight), sorted."""
    lake.append_events(event_table(*events), batch="events")
    people = resolve(lake.events(before=NOW), lake.customers())
    settings = workspace(Path(), *filter(None, [source]), timezone=zone)
    rows = sessions(lake.events(before=NOW, since=SINCE), people, settings, (SINCE, NOW))
    names = people.customers["customer_id"].to_pylist()
    return sorted(
        (names[row["customer"]], TODAY - row["day"], row["hour"], row["weight"])
        for row in rows.to_pyarrow().to_pylist()
    )


def live_in(lake: Lake, **zones: str) -> None:
    rows = [{"customer_id": who, "timezone": zone} for who, zone in zones.items()]
    schema = canonical.schema(canonical.CUSTOMERS)
    table = pa.Table.from_pylist(rows, schema=schema)
    lake.upsert(canonical.CUSTOMERS, table, batch="people")


def hours(rows: list[Session]) -> list[int]:
    return [hour for _, _, hour, _ in rows]


def test_an_hour_of_a_day_counts_once_and_the_next_day_again(lake: Lake) -> None:
    views = event("03-09 10:01"), event("03-09 10:59"), event("03-09 11:00"), event("03-08 10:30")
    assert found(lake, *views) == [("kim", 1, 10, 1), ("kim", 1, 11, 1), ("kim", 2, 10, 1)]


def test_an_answer_to_a_message_weighs_most_in_its_hour(lake: Lake) -> None:
    rows = found(lake, event("03-09 10:01"), event("03-09 10:02", "open"), event("03-09 09:02"))
    assert rows == [("kim", 1, 9, 1), ("kim", 1, 10, 2)]


@pytest.mark.parametrize("kind", ["message_sent", "delivered", "automated_open", "return"])
def test_what_the_customer_did_not_do_is_no_session(lake: Lake, kind: str) -> None:
    assert hours(found(lake, event("03-09 10:01", kind), event("03-09 12:01", "app_open"))) == [12]


@pytest.mark.parametrize(
    ("properties", "counts"),
    [
        ('{"machine_open": "true"}', False),
        ('{"machine_open":true}', False),
        ('{"is_suspected_bot_click": "TRUE"}', False),
        ('{"machine_open": "false"}', True),
        ('{"name": "machine_open"}', True),
        ("no JSON at all", True),
        (None, True),
    ],
)
def test_what_a_mail_program_opened_is_no_session(
    lake: Lake, properties: str | None, counts: bool
) -> None:
    opened = event("03-09 10:01", "open", properties=properties)
    assert hours(found(lake, opened)) == ([10] if counts else [])


def test_hours_and_days_are_the_customer_s_own_else_the_workspace_s(lake: Lake) -> None:
    live_in(lake, ada="America/New_York", kim="Asia/Kolkata", lee="Nowhere/Land")
    events = [event("03-06 20:15", who=who) for who in ("ada", "kim", "lee", "mia")]
    assert found(lake, *events, zone="Asia/Seoul") == [
        ("ada", 4, 15, 1),
        ("kim", 3, 1, 1),
        ("lee", 3, 5, 1),
        ("mia", 3, 5, 1),
    ]


def test_summer_time_counts_from_the_day_it_begins(lake: Lake) -> None:
    """In New York on 8 March 2026."""
    rows = found(lake, event("03-07 20:15"), event("03-08 20:15"), zone="America/New_York")
    assert rows == [("kim", 2, 16, 1), ("kim", 3, 15, 1)]


def test_a_device_s_hours_are_its_customer_s(lake: Lake) -> None:
    known = event("03-09 10:01", device_id="phone")
    alone = event("03-09 12:01", who="phone", identifier_kind="device_id")
    assert found(lake, known, alone) == [("kim", 1, 10, 1), ("kim", 1, 12, 1)]


SEOUL_DATES = [event(f"03-{day:02d} 15:00", "purchase") for day in range(2, 9)]


def test_purchases_with_a_date_alone_tell_no_hour(lake: Lake) -> None:
    rows = found(lake, *SEOUL_DATES, event("03-04 11:07"), zone="Asia/Seoul")
    assert hours(rows) == [20]


def test_dates_that_were_read_as_utc_tell_no_hour_either(lake: Lake) -> None:
    dates = [event(f"03-{day:02d} 00:00", "purchase") for day in range(2, 9)]
    assert found(lake, *dates, zone="Asia/Seoul") == []


def test_dates_in_the_zone_of_their_source_tell_no_hour_either(lake: Lake) -> None:
    at = ColumnMapping(column="when", timezone="Asia/Seoul")
    source = events_source(columns={**EVENT_COLUMNS, "occurred_at": at})
    assert len(found(lake, *SEOUL_DATES)) == 7
    assert found(lake, *SEOUL_DATES, source=source) == []


def test_beside_dates_purchases_with_a_time_count(lake: Lake) -> None:
    timed = event("03-05 15:00:01", "purchase"), event("03-06 05:45", "purchase")
    assert hours(found(lake, *SEOUL_DATES, *timed, zone="Asia/Seoul")) == [0, 14]


def test_times_rounded_to_hours_keep_their_midnights(lake: Lake) -> None:
    rounded = [event(f"03-05 {hour:02d}:00", "purchase") for hour in range(24)]
    assert sorted(hours(found(lake, *rounded))) == list(range(24))


def test_one_event_type_s_dates_say_nothing_of_another_s_midnights(lake: Lake) -> None:
    views = [event(f"03-05 {hour:02d}:00") for hour in (0, 6, 12)]
    dates = [event(f"03-{day:02d} 00:00", "purchase") for day in range(2, 9)]
    assert hours(found(lake, *views, *dates)) == [0, 6, 12]


def test_without_events_there_are_no_sessions(lake: Lake) -> None:
    assert found(lake, event("01-01 10:00")) == []
