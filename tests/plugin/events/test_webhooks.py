"""What host tools tell by webhook: whose it is, what is kept, and what is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from plugin.app import create_app
from plugin.auth import Keys
from plugin.events import webhooks
from rightsend.webhooks import translators
from scoring.store.recent import RecentEvents
from settings.workspace import ConnectionSettings
from tests.conftest import SECRET, WORKSPACE
from tests.connectors.braze.currents import over_http, record
from tests.plugin.conftest import error_code

AT = 1_512_345_000  # just before the workspace's now
TOKEN = "tok-0p3n5354m3=="
PATH = "/v1/events/braze"
BRAZE = ConnectionSettings(
    "braze",
    "braze",
    options={"currents_token": TOKEN, "custom_events": {}, "item_property": "item_id"},
)
OPEN = over_http("users.messages.email.Open", record(1, time=AT, campaign_id="c1"))
CLICK = over_http("users.messages.email.Click", record(2, time=AT, campaign_id="c1"))


@pytest.fixture
def settings(settings):
    shop = settings.workspaces[WORKSPACE]
    shop = replace(shop, connections=(*shop.connections, BRAZE))
    return replace(settings, workspaces={**settings.workspaces, WORKSPACE: shop})


@pytest.fixture
def client(settings, redis_url):
    app = create_app(settings, redis_url=redis_url, translators=translators())
    return app.test_client()


@pytest.fixture
def queued(redis_client):
    """What waits for the lake."""
    recent = RecentEvents(redis_client, WORKSPACE, SECRET)
    return lambda: [each.event for each in recent.drain("test")]


@pytest.fixture
def tell(client):
    """POST as Braze does, with its token."""

    def call(body: Any, token: str = TOKEN, **options: Any) -> Any:
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        headers = {"Authorization": f"Bearer {token}"}
        return client.post(PATH, data=data, headers=headers, **options)

    return call


def counted(client: Any, key: str) -> dict[str, float]:
    text = client.get("/metrics", headers={"X-Api-Key": key}).text
    families = text_string_to_metric_families(text)
    return {
        sample.labels["outcome"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == "rightsend_events_total"
    }


def test_events_of_a_tool_are_canonical_and_wait_for_the_lake(tell, queued):
    response = tell({"events": [OPEN, CLICK]})
    assert (response.status_code, response.get_json()) == (
        200, {"accepted": 2, "rejected": {}, "unknown": {}},
    )  # fmt: skip
    first, second = queued()
    assert (first["event_id"], first["event_type"], first["campaign_id"], first["channel"]) == (
        "event-1", "open", "c1", "email",
    )  # fmt: skip
    assert (second["identifier"], second["identifier_kind"]) == ("kim", "external_id")
    assert second["occurred_at"].startswith("2017-12-03T23:50:00")


@pytest.mark.parametrize(
    "body", [[OPEN, CLICK], b"\n".join(map(orjson.dumps, (OPEN, CLICK))), {"events": [OPEN, CLICK]}]
)
def test_every_shape_of_a_batch_is_taken(tell, queued, body):
    assert tell(body).get_json()["accepted"] == 2
    assert len(queued()) == 2


def test_one_of_our_keys_will_do_as_well(client, key, queued):
    assert client.post(PATH, json=[OPEN], headers={"X-Api-Key": key}).status_code == 200
    bearer = {"Authorization": f"Bearer {key}"}
    assert client.post(PATH, json=[CLICK], headers=bearer).status_code == 200
    assert len(queued()) == 2


def test_a_bad_event_and_an_unknown_word_cost_the_others_nothing(tell, client, key, queued):
    long = over_http("users.messages.email.Open", record(3, time=AT, campaign_id="c" * 2000))
    future = over_http("users.messages.email.Open", record(4, time=AT + 90_000_000))
    new = over_http("users.messages.telepathy.Send", record(5, time=AT))
    before = counted(client, key)
    answer = tell([OPEN, long, future, {"event_type": OPEN["event_type"]}, new]).get_json()
    assert (answer["accepted"], sum(answer["rejected"].values())) == (1, 3)
    assert answer["unknown"] == {"users.messages.telepathy.Send": 1}
    assert [event["event_id"] for event in queued()] == ["event-1"]
    after = counted(client, key)
    assert {name: after[name] - before.get(name, 0) for name in after} == {
        "accepted": 1, "rejected": 3, "unknown": 1,
    }  # fmt: skip


def test_an_event_of_a_tool_whose_clock_runs_ahead_counts_as_of_its_arrival(
    tell, client, key, queued
):
    wrong = over_http("users.messages.email.Open", record(6, time=AT + 9 * 3600))
    assert tell([OPEN, wrong]).get_json()["accepted"] == 2
    right, late = queued()
    assert right["occurred_at"].startswith("2017-12-03T23:50:00")
    assert late["occurred_at"].startswith("2017-12-04T00:0")
    text = client.get("/metrics", headers={"X-Api-Key": key}).text
    assert 'rightsend_events_ahead_total{source="braze"} 1.0' in text


def test_a_replayed_webhook_is_the_same_event(tell, queued):
    tell([OPEN])
    tell([OPEN])
    first, second = queued()
    assert first == second  # the lake keeps one of them, by its id


@pytest.mark.parametrize("body", [b"", {"events": []}])
def test_an_empty_request_asks_whether_the_token_is_right(tell, body):
    assert tell(body).status_code == 200
    assert tell(body, token="another").status_code == 401


@pytest.mark.parametrize("token", ["", "x", TOKEN + "x", TOKEN[:-1], "rs_nowhere"])
def test_bad_input_a_wrong_token_is_401_and_stores_nothing(tell, queued, token):
    response = tell([OPEN], token=token)
    assert (response.status_code, error_code(response)) == (401, "unauthorized")
    assert queued() == []


@pytest.mark.parametrize("name", ["sandbox", "nowhere", "braze "])
def test_bad_input_a_token_for_another_connection_tells_nothing(client, name):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    response = client.post(f"/v1/events/{name}", json=[OPEN], headers=headers)
    assert (response.status_code, error_code(response)) == (401, "unauthorized")


def test_bad_input_a_connection_without_a_secret_needs_a_key(settings, redis_url, key):
    shop = settings.workspaces[WORKSPACE]
    silent = replace(BRAZE, options={**BRAZE.options, "currents_token": None})
    without = replace(settings, workspaces={WORKSPACE: replace(shop, connections=(silent,))})
    client = create_app(without, redis_url=redis_url, translators=translators()).test_client()
    for token in ("", "None", "null"):
        headers = {"Authorization": f"Bearer {token}"}
        assert client.post(PATH, json=[OPEN], headers=headers).status_code == 401
    assert client.post(PATH, json=[OPEN], headers={"X-Api-Key": key}).status_code == 200


def test_bad_input_two_workspaces_with_one_secret(settings, redis_url):
    both = {name: replace(each, connections=(BRAZE,)) for name, each in settings.workspaces.items()}
    client = create_app(
        replace(settings, workspaces=both), redis_url=redis_url, translators=translators()
    ).test_client()
    response = client.post(PATH, json=[OPEN], headers={"Authorization": f"Bearer {TOKEN}"})
    assert (response.status_code, error_code(response)) == (409, "same_secret")


def test_bad_input_a_key_of_another_scope_or_for_no_such_connection(client, settings, key):
    content = Keys(settings.workspace_dir(WORKSPACE)).create(["content"])[1]
    response = client.post(PATH, json=[OPEN], headers={"X-Api-Key": content})
    assert (response.status_code, error_code(response)) == (403, "wrong_scope")
    response = client.post("/v1/events/sandbox", json=[OPEN], headers={"X-Api-Key": key})
    assert (response.status_code, error_code(response)) == (404, "not_found")


@pytest.mark.parametrize("body", [b"{", b"7", b'"x"', b"[1]", b"\xff\xfe", b"[" * 9999, b"<html>"])
def test_bad_input_a_body_that_is_none_is_400(tell, queued, body):
    response = tell(body)
    assert (response.status_code, error_code(response)) == (400, "bad_document")
    assert queued() == []


@pytest.mark.parametrize(
    "event",
    [
        OPEN | {"user": {"external_user_id": "a\x00b"}},
        OPEN | {"user": {"external_user_id": ["kim"], "device_id": {"a": 1}}},
        OPEN | {"user": "kim", "properties": [1]},
        OPEN | {"time": -1e18},
        OPEN | {"id": 7},
        OPEN | {"properties": {"url": "x" * 9000}},
    ],
)
def test_bad_input_a_hostile_event_is_counted_and_the_next_is_taken(tell, queued, event):
    answer = tell([event, CLICK]).get_json()
    assert (answer["accepted"], sum(answer["rejected"].values())) == (1, 1)
    assert [each["event_id"] for each in queued()] == ["event-2"]


def test_bad_input_too_much_at_once_is_413(tell, monkeypatch, queued):
    assert tell(b" " * (2 * 1024 * 1024 + 1)).status_code == 413
    monkeypatch.setattr(webhooks, "MAX_EVENTS", 1)
    response = tell([OPEN, CLICK])
    assert (response.status_code, error_code(response)) == (413, "too_large")
    assert queued() == []


def test_bad_input_a_compressed_body_is_415(client):
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Encoding": "gzip"}
    assert client.post(PATH, data=b"x", headers=headers).status_code == 415


def test_without_the_store_nothing_is_acknowledged(settings):
    app = create_app(settings, redis_url="redis://127.0.0.1:1/0", translators=translators())
    headers = {"Authorization": f"Bearer {TOKEN}"}
    response = app.test_client().post(PATH, json=[OPEN], headers=headers)
    assert (response.status_code, error_code(response)) == (503, "store_unavailable")
