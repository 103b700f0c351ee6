"""What customers watched and were sent: the newest of what counts, until they buy it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from scoring import canonical
from scoring import columns as c
from scoring.behaviour import Behaviour
from scoring.features import item_table
from scoring.identity import resolve
from scoring.lake import Lake
from tests.scoring.shop import event_table

NOW = datetime(2026, 3, 10, tzinfo=UTC)
TODAY = (NOW - datetime(1970, 1, 1, tzinfo=UTC)).days
ITEMS = ("mug", "pot", "tea")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(tmp_path / "lake")
    rows = [{"item_id": item, "name": item} for item in ITEMS]
    schema = canonical.schema(canonical.ITEMS)
    made.upsert(canonical.ITEMS, pa.Table.from_pylist(rows, schema=schema), batch="items")
    return made


def event(days_ago: float, event_type: str, item: str | None = "tea", **more: Any) -> dict:
    at = NOW - timedelta(days=days_ago)
    number = f"{event_type}-{item}-{days_ago}-{more}"
    told = {"event_id": number, "occurred_at": at, "event_type": event_type, "item_id": item}
    return {**told, **more}


def behaviour(lake: Lake, *events: dict) -> Behaviour:
    lake.append_events(event_table(*events), batch="events")
    people = resolve(lake.events(before=NOW), lake.customers())
    return Behaviour.of(lake, people, item_table(lake, NOW), NOW)


def watched(lake: Lake, *events: dict) -> list[tuple[str, str, int]]:
    """(item, event type, days ago) of the only customer."""
    return [
        (ITEMS[row["item"]], c.EVENT_TYPES[row["event"]], TODAY - row["day"])
        for row in behaviour(lake, *events).watched.to_pylist()
    ]


def test_the_newest_stands_first_and_once(lake: Lake) -> None:
    seen = watched(lake, event(3, "view", "mug"), event(5, "view"), event(1, "view"))
    assert seen == [("tea", "view", 1), ("mug", "view", 3)]


def test_a_cart_says_more_than_a_later_view(lake: Lake) -> None:
    assert watched(lake, event(5, "cart"), event(1, "view")) == [("tea", "cart", 5)]


def test_what_was_taken_out_of_the_cart_was_only_looked_at(lake: Lake) -> None:
    events = event(5, "cart"), event(4, "cart", quantity=0), event(6, "view")
    assert watched(lake, *events) == [("tea", "view", 6)]


def test_what_was_only_taken_out_of_the_cart_is_not_watched(lake: Lake) -> None:
    assert watched(lake, event(5, "cart"), event(4, "cart", quantity=0)) == []


def test_what_was_bought_since_is_gone_and_what_was_looked_at_since_is_not(lake: Lake) -> None:
    bought = event(3, "purchase"), event(3, "purchase", "mug")
    seen = event(5, "cart"), event(4, "view"), event(5, "cart", "mug"), event(1, "view", "mug")
    assert watched(lake, *bought, *seen) == [("mug", "view", 1)]


def test_older_than_sixty_days_is_forgotten(lake: Lake) -> None:
    assert watched(lake, event(61, "view"), event(59, "view", "mug")) == [("mug", "view", 59)]


def test_a_price_is_told_as_it_was_then(lake: Lake) -> None:
    events = (
        event(2, "view", unit_price=9.5),
        event(4, "view", unit_price=12),
        event(1, "view", "mug"),
    )
    prices = behaviour(lake, *events).watched["price"].to_pylist()
    assert np.isnan(prices[0])
    assert prices[1] == 9.5


def test_a_customer_watches_ten_items_at_most(lake: Lake) -> None:
    schema = canonical.schema(canonical.ITEMS)
    more = [f"item-{number:02d}" for number in range(20)]
    rows = pa.Table.from_pylist([{"item_id": item} for item in more], schema=schema)
    lake.upsert(canonical.ITEMS, rows, batch="more")
    events = [event(n + 1, "view", item) for n, item in enumerate(more)]
    found = behaviour(lake, *events).watched
    assert (TODAY - found["day"].to_numpy().astype(int)).tolist() == list(range(1, 11))


def test_messages_of_two_weeks_newest_first_by_customer(lake: Lake) -> None:
    sent = behaviour(
        lake,
        event(15, "message_sent", None, channel="email"),
        event(13, "message_sent", None, channel="email"),
        event(2, "message_sent", None),
        event(2, "message_sent", None, channel="sms", identifier="lee"),
        event(1, "open", None, channel="email"),
    ).sent.to_pylist()
    told = [(row["customer"], row["channel"], TODAY - row["day"]) for row in sent]
    assert told == [(0, "unknown", 2), (0, "email", 13), (1, "sms", 2)]


def test_a_device_that_belongs_to_a_customer_watches_for_them(lake: Lake) -> None:
    seen = watched(
        lake,
        event(9, "view", "mug", device_id="phone"),
        event(1, "view", identifier="phone", identifier_kind="device_id"),
    )
    assert seen == [("tea", "view", 1), ("mug", "view", 9)]


def test_without_events_there_is_nothing_to_tell(lake: Lake) -> None:
    found = behaviour(lake, event(90, "purchase"))
    assert (len(found.watched), len(found.sent)) == (0, 0)


def test_it_is_read_back_as_it_was_saved(lake: Lake, tmp_path: Path) -> None:
    found = behaviour(
        lake, event(1, "view", unit_price=3), event(1, "message_sent", None, channel="sms")
    )
    found.save(tmp_path)
    assert Behaviour.load(tmp_path) == found
