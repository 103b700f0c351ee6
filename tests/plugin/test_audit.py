"""Administrative acts over HTTP leave a record, and the record names no person."""

from __future__ import annotations

import pytest

from plugin.auth import SCOPES, Keys
from tests.plugin.conftest import error_code

PERSON = "mina.kim@example.com"


@pytest.fixture
def records(get):
    def newest(**query):
        return get("/v1/audit", **query).get_json()["records"]

    return newest


def test_looking_at_a_customer_is_noted_without_the_customer(get, records, published):
    assert get("/v1/customers/customer-001").status_code == 200
    assert get(f"/v1/customers/{PERSON}").status_code == 404
    unknown, known = records()
    assert (known["act"], known["outcome"]) == ("customer.shown", "done")
    assert (unknown["act"], unknown["outcome"]) == ("customer.shown", "unknown")
    assert "customer-001" not in str(known)
    assert PERSON not in str(unknown)


def test_an_erasure_is_noted_with_its_job_and_the_same_hash_as_a_look(
    client, key, get, records, published
):
    get("/v1/customers/customer-001")
    job = client.delete("/v1/customers/customer-001", headers={"X-Api-Key": key}).get_json()["job"]
    erased, shown = records()
    assert (erased["act"], erased["outcome"]) == ("customer.erased", "queued")
    assert erased["about"]["job"] == job
    assert erased["about"]["customer"] == shown["about"]["customer"]


def test_a_record_names_the_key_and_the_request(get, records, published, settings):
    answer = get("/v1/customers/customer-001")
    key_id = Keys(settings.workspace_dir("shop")).list()[0].key_id
    (record,) = records()
    assert record["who"] == f"key:{key_id}"
    assert record["about"]["request"] == answer.headers["X-Request-Id"]


def test_snapshots_and_segments_leave_records(post, records, app, published):
    post(f"/v1/snapshots/{published.meta.snapshot}/activate")
    wanted = {"name": "Tea", "target": {"items": ["item-001"]}, "size": {"count": 3}}
    segment = post("/v1/segments", wanted).get_json()["id"]
    post(f"/v1/segments/{segment}/cancel")
    acts = [(record["act"], record["about"].get("segment")) for record in records()]
    assert acts == [
        ("segment.cancelled", segment),
        ("segment.created", segment),
        ("snapshot.activated", None),
    ]
    assert "Tea" not in str(records())


def test_the_trail_is_told_page_by_page(get, records, published):
    for _ in range(5):
        get("/v1/customers/customer-001")
    assert [record["seq"] for record in records(limit=2)] == [5, 4]
    assert [record["seq"] for record in records(limit=2, before=4)] == [3, 2]


def test_another_workspace_has_a_trail_of_its_own(client, get, settings, published):
    get("/v1/customers/customer-001")
    other = Keys(settings.workspace_dir("other")).create(SCOPES)[1]
    answer = client.get("/v1/audit", headers={"X-Api-Key": other})
    assert answer.get_json() == {"records": []}


def test_bad_input_a_page_that_cannot_be(get):
    answer = get("/v1/audit", before=0)
    assert (answer.status_code, error_code(answer)) == (422, "invalid_parameters")
