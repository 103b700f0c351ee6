"""The sandbox answers as Braze does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from connectors.sandbox.client import Sandbox
from tests.connectors.doubles import KEY

Post = Callable[..., TestResponse]


@pytest.fixture
def web(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def post(web: FlaskClient) -> Post:
    def send(path: str, body: Any, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {KEY}"}
        return web.post(path, json=body, headers=headers, **options)

    return send


def attributes(*items: Any) -> dict[str, Any]:
    return {"attributes": list(items)}


def test_track_writes_and_null_removes(post: Post, web: FlaskClient) -> None:
    item = {"external_id": "c1", "first_name": "Ann", "a": 1, "b": [1, 2]}
    answer = post("/users/track", attributes(item))
    assert answer.status_code == 201
    assert answer.json == {"message": "success", "attributes_processed": 1}
    post("/users/track", attributes({"external_id": "c1", "a": None, "b": {"add": [3]}}))
    found = post("/users/export/ids", {"external_ids": ["c1", "c2"]}).json
    assert found is not None
    assert found["users"][0]["custom_attributes"] == {"b": [1, 2, 3]}
    assert found["users"][0]["first_name"] == "Ann"
    assert found["invalid_user_ids"] == ["c2"]


def test_update_existing_only_makes_no_profile(post: Post) -> None:
    item = {"external_id": "c1", "_update_existing_only": True, "a": 1}
    assert post("/users/track", attributes(item)).status_code == 201
    assert post("/users/export/ids", {"external_ids": ["c1"]}).json["users"] == []


@pytest.mark.parametrize(
    "item",
    ["text", 7, {}, {"a": 1}, {"external_id": ""}, {"external_id": 5}, {"external_id": "c" * 988},
     {"external_id": "c", "braze_id": "b"}, {"user_alias": {"alias_name": "a"}},
     {"external_id": "c", "a": [[1]]}, {"external_id": "c", "a": list(range(501))}],
)  # fmt: skip
def test_bad_input_a_malformed_item_does_not_cost_the_other(post: Post, item: Any) -> None:
    answer = post("/users/track", attributes({"external_id": "good", "a": 1}, item))
    assert answer.status_code == 201
    assert answer.json is not None
    assert answer.json["attributes_processed"] == 1
    assert answer.json["errors"][0]["index"] == 1
    assert post("/users/export/ids", {"external_ids": ["good"]}).json["users"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("/users/track", {"attributes": [{"external_id": "c"}] * 76}, 400),
     ("/users/track", {"attributes": {}}, 400), ("/users/track", {}, 400),
     ("/users/track", [], 400), ("/users/track", attributes({"no": "id"}), 400),
     ("/users/track", attributes({"external_id": "c", "a": "x" * 100_001}), 413),
     ("/users/track", attributes({"external_id": "c", "a": "x" * 4_000_000}), 413),
     ("/users/export/ids", {}, 400), ("/users/export/ids", {"external_ids": ["c"] * 51}, 400),
     ("/users/delete", {"external_ids": []}, 400),
     ("/campaigns/trigger/send", {"campaign_id": "none", "broadcast": True}, 400),
     ("/campaigns/trigger/send", {"campaign_id": "none"}, 400),
     ("/campaigns/trigger/send", {"campaign_id": "c", "recipients": [{}]}, 400)],
)  # fmt: skip
def test_bad_input_limits_and_shapes_are_enforced(
    post: Post, path: str, body: Any, status: int
) -> None:
    answer = post(path, body)
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["message"] != "success"


def test_bad_input_other_content_than_json_is_415_and_broken_json_400(web: FlaskClient) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    assert web.post("/users/track", data="a=b", headers=headers).status_code == 415
    json = {"content_type": "application/json", "headers": headers}
    assert web.post("/users/track", data="{", **json).status_code == 400


@pytest.mark.parametrize("header", [None, "", "Bearer wrong", f"Basic {KEY}", "Bearer"])
@pytest.mark.parametrize("path", ["/users/track", "/sandbox/campaigns/c/send"])
def test_bad_input_without_a_key_nothing_is_done(
    web: FlaskClient, header: str | None, path: str
) -> None:
    headers = {} if header is None else {"Authorization": header}
    assert web.post(path, json={}, headers=headers).status_code == 401


def test_rate_headers_count_down_and_429_follows(post: Post, app: Flask, time: Any) -> None:
    client = app.test_client()
    bearer = {"Authorization": f"Bearer {KEY}"}
    client.patch("/sandbox/dials", json={"rate_limit": 2}, headers=bearer)
    answers = [client.get("/segments/list", headers=bearer) for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    assert [a.headers["X-RateLimit-Remaining"] for a in answers] == ["1", "0", "0"]
    assert int(answers[2].headers["X-RateLimit-Reset"]) == int(time.now_s) + 3
    time.now_s += 3
    assert client.get("/segments/list", headers=bearer).status_code == 200


def test_delete_erases_profile_cohorts_and_messages(post: Post, web: FlaskClient) -> None:
    bearer = {"Authorization": f"Bearer {KEY}"}
    post("/users/track", attributes({"external_id": "c1", "a": 1}))
    web.put("/sandbox/campaigns/c", json={"template": "x"}, headers=bearer)
    post(
        "/campaigns/trigger/send", {"campaign_id": "c", "recipients": [{"external_user_id": "c1"}]}
    )
    assert post("/users/delete", {"external_ids": ["c1", "c2"]}).json == {
        "message": "success", "deleted": 1,
    }  # fmt: skip
    assert web.get("/sandbox/campaigns/c/messages", headers=bearer).data == b""
    assert web.get("/sandbox/profile?external_id=c1", headers=bearer).status_code == 404


def test_a_trigger_sends_once_with_its_properties(post: Post, web: FlaskClient) -> None:
    bearer = {"Authorization": f"Bearer {KEY}"}
    post("/users/track", attributes({"external_id": "c1", "a": 1}))
    template = "{{api_trigger_properties.${code}}}{{api_trigger_properties.${shop}}}"
    web.put("/sandbox/campaigns/c", json={"template": template}, headers=bearer)
    body = {
        "campaign_id": "c", "trigger_properties": {"shop": "Z"},
        "recipients": [{"external_user_id": "c1", "trigger_properties": {"code": "A"}},
                       {"external_user_id": "unknown"}],
    }  # fmt: skip
    for _ in range(2):
        answer = post("/campaigns/trigger/send", body)
        assert (answer.status_code, answer.json["message"]) == (201, "success")
    found = web.get("/sandbox/campaigns/c/messages", headers=bearer).text.splitlines()
    assert len(found) == 2
    assert '"body":"AZ"' in found[0]
    assert "no profile" in found[1]


@pytest.mark.parametrize(
    ("change", "status"),
    [({"partner_api_key": "wrong"}, 401), ({"client_secret": None}, 401), ({"cohort_id": ""}, 400),
     ({"cohort_id": "unknown"}, 400), ({"cohort_changes": []}, 400), ({"cohort_changes": 7}, 400),
     ({"cohort_changes": [{"user_ids": ["c"] * 1_001}]}, 400)],
)  # fmt: skip
def test_bad_input_a_cohort_change_that_cannot_be_is_refused(
    web: FlaskClient, change: dict[str, Any], status: int
) -> None:
    keys = {"partner_api_key": KEY, "client_secret": KEY, "cohort_id": "k"}
    created = {**keys, "name": "K", "created_at": "2026-01-01"}
    assert web.post("/partners/p/cohorts", json=created).status_code == 200
    body = {**keys, "cohort_changes": [{"user_ids": ["c"]}], **change}
    assert web.post("/partners/p/cohorts/users", json=body).status_code == status


@pytest.mark.parametrize(
    ("path", "body"),
    [("faults", [{"kind": "earthquake"}]), ("faults", {}), ("faults", [{"kind": "reset", "x": 1}]),
     ("faults", [7])],
)  # fmt: skip
def test_bad_input_a_fault_that_is_none_is_refused(post: Post, path: str, body: Any) -> None:
    assert post(f"/sandbox/{path}", body).status_code == 400


@pytest.mark.parametrize("dials", [{"volume": 11}, {"rate_limit": "many"}, {"_faults": []}])
def test_bad_input_a_dial_that_is_none_is_refused(app: Flask, dials: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = app.test_client().patch("/sandbox/dials", json=dials, headers=headers)
    assert answer.status_code == 400


def test_no_key_is_in_the_log_of_calls(sandbox: Sandbox, url: str) -> None:
    keys = {"partner_api_key": KEY, "client_secret": KEY, "cohort_id": "k"}
    requests.post(f"{url}/partners/p/cohorts?key={KEY}", json=keys, timeout=5).close()
    calls = sandbox.calls()
    assert calls[0]["target"] == "/partners/p/cohorts"
    assert KEY not in str(calls)
