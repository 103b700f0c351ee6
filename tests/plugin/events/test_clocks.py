"""Times without a zone, and clocks that run ahead: Korean local time that says it is UTC."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from plugin.content.session import WEIGHTS
from plugin.events.clocks import TOLERATED
from scoring.store import live
from scoring.store.keys import Keys
from scoring.store.recent import RecentEvents
from tests.conftest import SECRET, WORKSPACE
from tests.factories import CUTOFF

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "events.md").read_text()
KOREA = timedelta(hours=9)
EVENT = {"identifier": "customer-001", "event_type": "cart", "item_id": "item-03"}


@pytest.fixture
def settings(settings):
    """The shop is a Korean one."""
    shop = replace(settings.workspaces[WORKSPACE], timezone="Asia/Seoul")
    return replace(settings, workspaces={**settings.workspaces, WORKSPACE: shop})


@pytest.fixture
def queued(redis_client):
    """When what waits for the lake happened."""
    recent = RecentEvents(redis_client, WORKSPACE, SECRET)

    def times() -> list[datetime]:
        return [datetime.fromisoformat(each.event["occurred_at"]) for each in recent.drain("test")]

    return times


def stated(ago: timedelta, suffix: str = "Z") -> str:
    return (CUTOFF - ago).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") + suffix


def ahead(get, source: str) -> float:
    text = get("/metrics").get_data(as_text=True)
    found = re.search(rf'^rightsend_events_ahead_total{{source="{source}"}} (\S+)', text, re.M)
    return float(found[1]) if found else 0.0


def lines(text: str) -> list[dict]:
    return [line for line in map(json.loads, text.splitlines()) if line["event"] == "events ahead"]


def test_local_time_without_a_zone_is_read_in_the_workspaces(post, queued):
    local = stated(timedelta(hours=1) - KOREA, suffix="")
    assert post("/v1/events", EVENT | {"occurred_at": local}).status_code == 202
    assert queued() == [CUTOFF - timedelta(hours=1)]


def test_local_time_that_says_it_is_utc_counts_as_of_its_arrival_and_is_told(
    post, get, queued, capsys
):
    wrong = {"occurred_at": stated(-KOREA), "event_id": "e1"}
    assert post("/v1/events", EVENT | wrong).get_json() == {"accepted": 1, "rejected": []}
    (at,) = queued()
    assert timedelta(0) <= at - CUTOFF < timedelta(minutes=1)
    assert ahead(get, "api") == 1
    (line,) = lines(capsys.readouterr().err)
    assert (line["level"], line["source"], line["events"]) == ("warning", "api", 1)
    assert line["minutes"] in (539, 540)


def test_clocks_may_differ_by_minutes(post, get, queued, capsys):
    soon = TOLERATED - timedelta(minutes=1)
    post("/v1/events", EVENT | {"occurred_at": stated(-soon)})
    assert queued() == [CUTOFF + soon]
    assert ahead(get, "api") == 0
    assert not lines(capsys.readouterr().err)


def test_of_a_batch_only_what_is_ahead_is_put_right(post, get, queued):
    times = [stated(timedelta(hours=1)), stated(-KOREA), stated(-timedelta(hours=2))]
    post("/v1/events", {"events": [EVENT | {"occurred_at": time} for time in times]})
    right, *wrong = queued()
    assert right == CUTOFF - timedelta(hours=1)
    assert all(timedelta(0) <= at - CUTOFF < timedelta(minutes=1) for at in wrong)
    assert ahead(get, "api") == 2


def test_what_is_sent_again_is_the_same_event_for_the_lake(post, redis_client):
    for _ in range(2):
        post("/v1/events", EVENT | {"occurred_at": stated(-KOREA)})
    recent = RecentEvents(redis_client, WORKSPACE, SECRET)
    assert len({each.event["event_id"] for each in recent.drain("test")}) == 1


def test_what_happens_after_an_event_from_the_future_is_newer(post, get, published):
    post("/v1/events", EVENT | {"occurred_at": stated(-KOREA), "quantity": 1})
    cart = get("/v1/content/cart", customer="customer-001").get_json()["items"]
    assert [item["id"] for item in cart] == ["item-03"]
    post("/v1/events", EVENT | {"quantity": 0})
    assert get("/v1/content/cart", customer="customer-001").get_json()["items"] == []


def test_an_items_time_without_a_zone_is_read_in_the_workspaces(post, redis_client):
    local = stated(timedelta(hours=1) - KOREA, suffix="")
    for stock, at in ((0, local), (7, stated(timedelta(hours=2)))):  # the second one is older
        items = [{"item_id": "item-03", "stock": stock, "at": at}]
        assert post("/v1/items", {"items": items}).status_code == 202
    item = live.changes(redis_client, Keys(WORKSPACE), 0).items["item-03"]
    assert (item.stock, item.at_s) == (0, (CUTOFF - timedelta(hours=1)).timestamp())


def test_the_manual_and_the_api_say_so():
    minutes = int(TOLERATED.total_seconds() / 60)
    api = json.loads((DOCS / "openapi.json").read_bytes())["components"]["schemas"]
    said = api["Event"]["properties"]["occurred_at"]["description"]
    for text in (PAGE, said):
        assert f"more than {minutes} minutes ahead" in text
        assert "`timezone`" in text
        assert "+09:00" in text
    assert "`timezone`" in api["LiveItem"]["properties"]["at"]["description"]


def test_the_manual_names_the_types_that_move_the_ranking():
    (row,) = re.findall(r"^\| ([^|]+) \| move the ranking", PAGE, re.MULTILINE)
    assert set(row.split(", ")) == set(WEIGHTS.kind)
