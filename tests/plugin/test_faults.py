"""The store goes away in the middle of a campaign: every answer stays valid, and soon personal."""

from __future__ import annotations

import time

import pytest

from plugin.app import create_app
from plugin.auth import Keys
from scoring.store.client import connect
from scoring.store.publish import Publisher
from tests.conftest import SECRET, WORKSPACE
from tests.factories import CUTOFF

SLOWEST_S = 1.0  # what is promised; half a second of it is for a busy machine
BACK_WITHIN_S = 2.0


@pytest.fixture
def call(own_valkey, settings, snapshot, workspace_dir):
    """call(number) → (answer, seconds), for some customer, through the store of this test."""
    with connect(own_valkey.url) as client:
        Publisher(client, WORKSPACE, SECRET, workspace_dir).publish(
            snapshot, ttl_s=3600, now=CUTOFF
        )
    _, key = Keys(workspace_dir).create("content")
    web = create_app(settings, redis_url=own_valkey.url).test_client()

    def ask(number: int):
        started = time.monotonic()
        response = web.get(
            f"/v1/content/for-you?customer=customer-{number % 40:03d}", headers={"X-Api-Key": key}
        )
        return response, time.monotonic() - started

    return ask


@pytest.mark.slow
def test_the_store_stops_and_comes_back_in_the_middle_of_2000_calls(own_valkey, call):
    slowest, reasons = 0.0, set()
    for number in range(2000):
        if number == 700:
            own_valkey.stop()
        if number == 1400:
            own_valkey.start()
            own_valkey.wait_ready()
        response, seconds = call(number)
        document = response.get_json()
        assert response.status_code == 200
        assert document["ok"]
        assert len(document["items"]) == 10
        slowest = max(slowest, seconds)
        reasons.add(document["reason"])
    assert reasons == {None, "store_unavailable"}
    assert slowest < SLOWEST_S
    deadline = time.monotonic() + BACK_WITHIN_S
    while call(1)[0].get_json()["reason"] is not None:
        assert time.monotonic() < deadline, "not personal again in time"


def test_a_store_that_hangs_delays_an_answer_by_less_than_a_second(own_valkey, call):
    assert call(1)[0].get_json()["reason"] is None
    with connect(own_valkey.url) as client:
        client.execute_command("CLIENT", "PAUSE", "3000")
    answers = [call(number) for number in range(50)]
    assert {response.get_json()["reason"] for response, _ in answers} == {"store_unavailable"}
    assert max(seconds for _, seconds in answers) < SLOWEST_S


WRITING = (
    ("POST", "/v1/events", {"identifier": "a", "event_type": "view"}),
    ("GET", "/v1/segments", None),
    ("POST", "/v1/segments", {"name": "n", "target": {"brands": ["b"]}, "size": {"count": 1}}),
    ("POST", "/v1/segments/x/cancel", None),
    ("DELETE", "/v1/customers/a", None),
    ("GET", "/readyz", None),
)


def test_fault_a_store_that_hangs_holds_no_thread(own_valkey, settings, workspace_dir):
    """Requests that wait would leave no thread for content calls, which need no store."""
    _, key = Keys(workspace_dir).create(["content", "events", "segments", "admin"])
    web = create_app(settings, redis_url=own_valkey.url).test_client()
    with connect(own_valkey.url) as client:
        client.client_pause(3000, all=True)
    started = time.monotonic()
    for method, path, body in WRITING:
        answer = web.open(path, method=method, json=body, headers={"X-Api-Key": key})
        assert answer.status_code == 503, path
    assert time.monotonic() - started < SLOWEST_S
    answer = web.get("/v1/content/for-you", headers={"X-Api-Key": key})
    assert (answer.status_code, answer.get_json()["fallback"]) == (200, True)
