"""Events come in, count at once, and wait for the lake."""

from __future__ import annotations

import pytest

from plugin.events.schema import MAX_BATCH
from scoring.store.recent import RecentEvents
from tests.conftest import SECRET, WORKSPACE
from tests.plugin.conftest import error_code

EVENT = {"identifier": "customer-001", "event_type": "purchase", "item_id": "item-03"}


@pytest.fixture
def queued(redis_client):
    """What waits for the lake."""
    recent = RecentEvents(redis_client, WORKSPACE, SECRET)
    return lambda: [each.event for each in recent.drain("test")]


def test_one_event_is_stored_with_all_columns(post, queued):
    response = post("/v1/events", EVENT)
    assert (response.status_code, response.get_json()) == (202, {"accepted": 1, "rejected": []})
    (event,) = queued()
    assert event["occurred_at"].startswith("2017-12-04T00:0")  # the workspace's clock
    assert (event["identifier_kind"], event["item_id"]) == ("external_id", "item-03")
    assert event["event_id"]


def test_bought_now_is_not_recommended_in_the_next_answer(post, get, published):
    answer = get("/v1/content/for-you", customer="customer-001").get_json()
    best = answer["items"][0]["id"]
    post("/v1/events", EVENT | {"item_id": best})
    after = get("/v1/content/for-you", customer="customer-001").get_json()
    assert best not in [item["id"] for item in after["items"]]


def test_60_views_later_it_is_still_bought_and_the_cart_still_there(post, get, published):
    def shown(kind, **how):
        answer = get(f"/v1/content/{kind}", customer="customer-001", limit=20, **how).get_json()
        return [item["id"] for item in answer["items"]]

    def happened(kind, item, second):
        at = f"2017-12-04T00:{second // 60:02d}:{second % 60:02d}Z"
        return EVENT | {"event_type": kind, "item_id": item, "occurred_at": at, "event_id": at}

    bought, carted, *rest = shown("for-you")
    post("/v1/events", {"events": [happened("purchase", bought, 0), happened("cart", carted, 1)]})
    views = [happened("view", [bought, *rest][n % 5], 2 + n) for n in range(60)]
    assert post("/v1/events", {"events": views}).get_json()["accepted"] == 60
    assert shown("cart") == [carted]
    assert bought not in shown("for-you")
    assert bought not in shown("related", item=rest[0])
    assert shown("rank", items=f"{bought},{rest[0]}") == [rest[0]]


def test_a_device_that_becomes_known_takes_its_purchases_along(post, get, published):
    best = get("/v1/content/for-you", customer="customer-001").get_json()["items"][0]["id"]
    post("/v1/events", {"identifier": "customer-001", "device_id": "d1", "event_type": "app_open"})
    post("/v1/events", {"device_id": "d1", "event_type": "purchase", "item_id": best})
    after = get("/v1/content/for-you", customer="customer-001").get_json()
    assert best not in [item["id"] for item in after["items"]]


def test_bad_events_do_not_cost_the_good_ones(post, queued):
    batch = {"events": [EVENT, {"identifier": "x"}, 7, EVENT | {"item_id": "item-04"}]}
    response = post("/v1/events", batch)
    document = response.get_json()
    assert (response.status_code, document["accepted"]) == (202, 2)
    assert [(each["index"], each["code"]) for each in document["rejected"]] == [
        (1, "invalid_event"),
        (2, "not_an_object"),
    ]
    assert [event["item_id"] for event in queued()] == ["item-03", "item-04"]


def test_a_batch_of_500_is_taken(post, queued):
    batch = {"events": [EVENT | {"event_id": str(number)} for number in range(MAX_BATCH)]}
    assert post("/v1/events", batch).get_json()["accepted"] == MAX_BATCH


def test_without_the_store_nothing_is_acknowledged(app, key, settings):
    from plugin.app import create_app

    client = create_app(settings, redis_url="redis://127.0.0.1:1/0").test_client()
    response = client.post("/v1/events", json=EVENT, headers={"X-Api-Key": key})
    assert (response.status_code, error_code(response)) == (503, "store_unavailable")
    assert int(response.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({}, "invalid_event"),
        ({"events": []}, "invalid_batch"),
        ({"events": {}}, "invalid_batch"),
        ({"events": [EVENT], "more": 1}, "invalid_batch"),
        ({"events": [EVENT] * (MAX_BATCH + 1)}, "invalid_batch"),
        ([EVENT], "not_an_object"),
        (7, "not_an_object"),
        (EVENT | {"occurred_at": "2099-01-01T00:00:00Z"}, "in_the_future"),
    ],
)
def test_bad_input_body_that_is_no_event_is_422(post, queued, document, code):
    response = post("/v1/events", document)
    assert (response.status_code, error_code(response)) == (422, code)
    assert queued() == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b'{"quantity": NaN}', b'{"a": "\\ud800"}', b"[" * 5000]
)
def test_bad_input_broken_json_is_400(client, key, body):
    response = client.post(
        "/v1/events", data=body, content_type="application/json", headers={"X-Api-Key": key}
    )
    assert (response.status_code, error_code(response)) == (400, "invalid_json")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
def test_bad_input_body_of_another_type_is_415(client, key, kind):
    response = client.post("/v1/events", data=b"{}", content_type=kind, headers={"X-Api-Key": key})
    assert (response.status_code, error_code(response)) == (415, "unsupported_media_type")


def test_bad_input_compressed_body_is_415(client, key):
    response = client.post(
        "/v1/events", json=EVENT, headers={"X-Api-Key": key, "Content-Encoding": "gzip"}
    )
    assert response.status_code == 415


def test_bad_input_body_over_two_megabytes_is_413(client, key):
    response = client.post(
        "/v1/events",
        data=b" " * (2 * 1024 * 1024 + 1),
        content_type="application/json",
        headers={"X-Api-Key": key},
    )
    assert (response.status_code, error_code(response)) == (413, "too_large")
