"""A device is its customer's until it is separated."""

from __future__ import annotations

import pytest

from scoring.store.recent import RecentEvents
from tests.conftest import SECRET, WORKSPACE

LINKED = {"identifier": "customer-001", "device_id": "tab/let 1", "event_type": "app_open"}


def test_a_separated_device_gets_what_everybody_gets(post, get, published, redis_client):
    post("/v1/events", LINKED)
    device = {"customer": "device_id:tab/let 1"}
    assert get("/v1/content/for-you", **device).get_json()["customer_known"]
    response = post("/v1/devices/tab%2Flet%201/unlink")
    assert (response.status_code, response.get_json()["accepted"]) == (202, 1)
    assert not get("/v1/content/for-you", **device).get_json()["customer_known"]
    queued = [each.event for each in RecentEvents(redis_client, WORKSPACE, SECRET).drain("t")]
    assert (queued[-1]["event_type"], queued[-1]["identifier"]) == ("unlink", "tab/let 1")
    post("/v1/events", LINKED)
    assert get("/v1/content/for-you", **device).get_json()["customer_known"]


def test_a_sign_out_is_an_event_like_others(post, get, published):
    post("/v1/events", LINKED)
    post("/v1/events", LINKED | {"event_type": "unlink"})
    answer = get("/v1/content/for-you", customer="device_id:tab/let 1").get_json()
    assert not answer["customer_known"]


@pytest.mark.parametrize("device", ["x" * 989, "%00", "%20"])
def test_bad_input_a_device_id_that_cannot_be_is_422(post, device):
    assert post(f"/v1/devices/{device}/unlink").status_code == 422


@pytest.mark.parametrize(
    ("document", "missing"),
    [
        ({"identifier": "customer-001", "event_type": "unlink"}, "device_id"),
        ({"identifier": "customer-001", "event_type": "link"}, "device_id"),
        ({"device_id": "d1", "event_type": "link"}, "identifier"),
    ],
)
def test_bad_input_a_link_of_nothing_is_422(post, document, missing):
    response = post("/v1/events", document)
    assert response.status_code == 422
    assert missing in response.get_json()["error"]["details"]
