"""What is known about a customer, and its erasure."""

from __future__ import annotations

import pytest
from rq import Queue
from rq.serializers import JSONSerializer

from scoring.store.erasure import PendingErasures
from scoring.store.read import Reader
from tests.conftest import WORKSPACE
from tests.factories import make_snapshot, tables
from tests.plugin.conftest import error_code

EVENT = {"identifier": "customer-001", "event_type": "purchase", "item_id": "item-03"}


def test_scores_and_recent_events_are_shown(get, post, published):
    post("/v1/events", EVENT)
    document = get("/v1/customers/customer-001").get_json()
    assert (document["customer_id"], document["snapshot"]) == ("customer-001", "20171204T000000")
    assert len(document["items"]) == 10
    assert document["items"][0]["reasons"][1] == "Due again: usually every 14 days"
    assert len(document["brands"]) == 5
    assert 0 < document["purchase_probability"] < 1
    assert [event["item_id"] for event in document["recent_events"]] == ["item-03"]
    assert document["left_out"] == ["item-03"]


def test_a_customer_may_be_named_by_a_device(get, publish, workspace_dir):
    content = tables(identifiers=[("device_id", "4f2a", "customer-001")])
    publish(make_snapshot(workspace_dir, content=content))
    by_device = get("/v1/customers/device_id:4f2a").get_json()
    assert by_device["items"] == get("/v1/customers/customer-001").get_json()["items"]


@pytest.mark.parametrize("name", ["a/b", "a//b/", "ü ñ", "%2e%2e", "a?b#c", "💐", "a\nb"])
def test_an_id_may_be_any_text(get, post, published, name):
    from urllib.parse import quote

    post("/v1/events", EVENT | {"identifier": name})
    response = get(f"/v1/customers/{quote(name, safe='')}")
    assert (response.status_code, response.get_json()["customer_id"]) == (200, name)


def test_an_erased_customer_is_unknown_at_once(client, get, post, key, redis_client, published):
    post("/v1/events", EVENT)
    response = client.delete("/v1/customers/customer-001", headers={"X-Api-Key": key})
    assert (response.status_code, response.get_json()["state"]) == (202, "queued")
    assert get("/v1/customers/customer-001").status_code == 404
    answer = get("/v1/content/for-you", customer="customer-001").get_json()
    assert answer["reason"] == "unknown_customer"
    (job,) = Queue("interactive", connection=redis_client, serializer=JSONSerializer).jobs
    assert job.func_name == "rightsend.jobs.carry_out_erasure"
    workspace, reference = job.args
    assert "customer-001" not in reference
    pending = PendingErasures(redis_client, workspace)
    assert (workspace, pending.customer(reference)) == (WORKSPACE, "customer-001")
    assert "customer-001" not in job.description


def test_bad_input_unknown_customer_is_404(get, published):
    response = get("/v1/customers/nobody")
    assert (response.status_code, error_code(response)) == (404, "unknown_customer")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_bad_input_customer_of_989_bytes_is_422(client, key, method):
    response = client.open(f"/v1/customers/{'x' * 989}", method=method, headers={"X-Api-Key": key})
    assert (response.status_code, error_code(response)) == (422, "invalid_parameters")


def test_without_a_snapshot_the_store_is_said_to_be_away(get):
    response = get("/v1/customers/customer-001")
    assert (response.status_code, error_code(response)) == (503, "no_snapshot")


def test_rubbish_in_the_store_is_503_and_no_fault(get, published, monkeypatch):
    from scoring.store.errors import StoreUnavailable

    def damaged(*_args: object) -> None:
        raise StoreUnavailable("rubbish")

    monkeypatch.setattr(Reader, "read", damaged)
    response = get("/v1/customers/customer-001")
    assert (response.status_code, error_code(response)) == (503, "store_unavailable")
