"""What becomes of one incoming event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from plugin.events.schema import EXAMPLE, BadEventError, read
from scoring import columns as c

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
VIEW = {"identifier": "17", "event_type": "view", "item_id": "a"}


def nested(depth: int) -> dict:
    document: dict = {}
    for _ in range(depth):
        document = {"a": document}
    return document


def test_the_documented_example_is_taken_as_it_is():
    row = read(EXAMPLE, NOW)
    assert tuple(row) == c.EVENT_COLUMNS
    assert row[c.OCCURRED_AT] == datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
    assert (row[c.EVENT_ID], row[c.QUANTITY]) == ("order-1009-1", 2.0)


def test_without_a_time_it_is_now_and_the_identifier_is_the_shops():
    row = read(VIEW, NOW)
    assert (row[c.OCCURRED_AT], row[c.IDENTIFIER_KIND]) == (NOW, "external_id")


def test_without_an_id_the_same_content_is_the_same_event():
    assert read(VIEW, NOW)[c.EVENT_ID] == read(dict(reversed(VIEW.items())), NOW)[c.EVENT_ID]
    assert read(VIEW, NOW)[c.EVENT_ID] != read(VIEW | {"item_id": "b"}, NOW)[c.EVENT_ID]


def test_an_anonymous_device_is_an_identifier():
    row = read({"device_id": "d1", "event_type": "view"}, NOW)
    assert (row[c.IDENTIFIER], row[c.IDENTIFIER_KIND]) == ("d1", "device_id")


@pytest.mark.parametrize(
    ("text", "hour"),
    [("2026-03-02T09:00:00", 9), ("2026-03-02T09:00:00+09:00", 0), ("2026-03-02T09:00:00.5Z", 9)],
)
def test_times_become_utc(text, hour):
    row = read(VIEW | {"occurred_at": text}, NOW)
    assert row[c.OCCURRED_AT].hour == hour
    assert row[c.OCCURRED_AT].utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-03-02T18:00:00", 9),  # plain
        ("2026-03-02 18:00", 9),  # which the schema reads
        ("2026-03-02T18:00:00Z", 18),
        ("2026-03-02T18:00:00+00:00", 18),
    ],
)
def test_a_time_without_a_zone_is_the_shops_own(text, hour):
    row = read(VIEW | {"occurred_at": text}, NOW, ZoneInfo("Asia/Seoul"))
    assert row[c.OCCURRED_AT] == datetime(2026, 3, 2, hour, tzinfo=UTC)
    assert row[c.OCCURRED_AT].tzinfo is UTC


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00", "9999-12-31T23:59:59"])
@pytest.mark.parametrize("zone", ["Asia/Seoul", "America/New_York", "UTC"])
def test_bad_input_time_without_a_zone_at_the_end_of_all_days_is_refused(text, zone):
    with pytest.raises(BadEventError, match="occurred_at"):
        read(VIEW | {"occurred_at": text}, NOW, ZoneInfo(zone))


def test_what_to_do_about_a_time_too_far_ahead_is_said():
    with pytest.raises(BadEventError, match=r"offset, such as \+09:00"):
        read(VIEW | {"occurred_at": "2026-03-04T00:00:00Z"}, NOW)


def test_properties_become_text_in_one_order():
    first = read(VIEW | {"properties": {"b": 1, "a": "é"}}, NOW)
    assert first[c.PROPERTIES] == '{"a":"é","b":1}'


def test_a_return_may_be_negative():
    assert read(VIEW | {"event_type": "return", "quantity": -1}, NOW)[c.QUANTITY] == -1.0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"identifier": ""}, "identifier"),
        ({"identifier": None}, "identifier"),
        ({"identifier": 17}, "identifier"),
        ({"identifier": "\x00"}, "identifier"),
        ({"identifier": "é" * 495}, "identifier"),
        ({"identifier_kind": "passport"}, "identifier_kind"),
        ({"event_type": "bought"}, "event_type"),
        ({"event_type": None}, "event_type"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": "2026-13-01T00:00:00Z"}, "occurred_at"),
        ({"occurred_at": "1969-12-31T23:59:59Z"}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
        ({"quantity": -1}, "quantity"),
        ({"quantity": "many"}, "quantity"),
        ({"quantity": float("nan")}, "quantity"),
        ({"unit_price": -0.5}, "unit_price"),
        ({"unit_price": float("inf")}, "unit_price"),
        ({"properties": "x"}, "properties"),
        ({"properties": {"a": "x" * 9000}}, "properties"),
        ({"properties": nested(300)}, "properties"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_input_event_is_refused_by_field(change, field):
    with pytest.raises(BadEventError) as caught:
        read(VIEW | change, NOW)
    assert caught.value.code == "invalid_event"
    assert list(caught.value.details) == [field]
    assert str(caught.value).startswith(f"{field}: ")


def test_bad_input_event_of_the_day_after_tomorrow_is_refused():
    with pytest.raises(BadEventError) as caught:
        read(VIEW | {"occurred_at": "2026-03-03T12:00:01Z"}, NOW)
    assert caught.value.code == "in_the_future"


@pytest.mark.parametrize("document", [None, [], "view", 7, [VIEW]])
def test_bad_input_event_that_is_no_object_is_refused(document):
    with pytest.raises(BadEventError) as caught:
        read(document, NOW)
    assert caught.value.code == "not_an_object"
