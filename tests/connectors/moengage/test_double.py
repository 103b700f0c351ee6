"""The double refuses what MoEngage refuses, and cuts off what MoEngage cuts off."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from flask import Flask

from tests.connectors.doubles import KEY

BASIC = base64.b64encode(f"w:{KEY}".encode()).decode()
HEADERS = {"Authorization": f"Basic {BASIC}", "MOE-APPKEY": "w"}
USER = {"type": "customer", "customer_id": "a", "attributes": {"x": 1}}
COHORT = {"cohort_name": "C", "cohort_id": "c", "members": [{"uid": "a"}]}


def post(app: Flask, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    answer = app.test_client().post(
        f"/tools/moengage{path}", json=body, headers={**HEADERS, **headers}
    )
    return answer.status_code, answer.json


def held(app: Flask) -> Any:
    headers = {"Authorization": f"Bearer {KEY}"}
    return app.test_client().get("/sandbox/held?tool=moengage", headers=headers).json


def transition(*elements: Any) -> dict[str, Any]:
    return {"type": "transition", "elements": list(elements)}


@pytest.mark.parametrize(
    "element",
    [7, {}, {**USER, "customer_id": ""}, {**USER, "customer_id": 1}, {**USER, "type": "person"},
     {**USER, "attributes": []}, {"type": "event", "customer_id": "a"},
     {"type": "event", "customer_id": "a", "actions": [{"action": ""}]}],
)  # fmt: skip
def test_bad_input_one_bad_element_refuses_the_request(app: Flask, element: Any) -> None:
    status, body = post(app, "/v1/transition/w", transition(USER, element))
    assert (status, body["status"]) == (400, "fail")
    assert held(app) == {}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("/v1/transition/w", transition(), 400), ("/v1/transition/w", {"elements": [USER]}, 400),
     ("/v1/transition/w", transition({**USER, "attributes": {"x": "y" * 102_400}}), 413),
     ("/v1/integrations/cohortsync", {"action": "add_members", "partner": "p"}, 400),
     ("/v1/integrations/cohortsync", {"action": "add", "partner": "p", "parameters": COHORT}, 400),
     ("/v1/integrations/cohortsync",
      {"action": "add_members", "partner": "p", "parameters": {**COHORT, "members": ["a"]}}, 400),
     ("/v1/integrations/authentication", {"app_secret": "wrong", "region": "01"}, 401),
     ("/v1/customer/merge?app_id=w", {"merge_data": [{"merged_user": "a"}]}, 400),
     ("/v1/customer/delete?app_id=w", {"identity_type": "email", "identity_value": "a"}, 400),
     ("/v1/customer/delete?app_id=other", {}, 401)],
)  # fmt: skip
def test_bad_input_a_call_is_refused(app: Flask, path: str, body: Any, status: int) -> None:
    assert post(app, path, body)[0] == status


def test_who_is_not_there_to_be_deleted_is_told_by_type(app: Flask) -> None:
    user = {"identity_type": "customer_id", "identity_value": "nobody"}
    status, body = post(app, "/v1/customer/delete?app_id=w", user)
    assert (status, body["error"]["type"]) == (400, "Not Found")


@pytest.mark.parametrize("headers", [{"MOE-APPKEY": "other"}, {"Authorization": "Basic ?"}])
def test_bad_input_a_key_of_another_workspace_is_refused(
    app: Flask, headers: dict[str, str]
) -> None:
    assert post(app, "/v1/transition/w", transition(USER), **headers)[0] == 401


def test_long_texts_and_lists_are_cut_off_without_a_word(app: Flask) -> None:
    long = {**USER, "attributes": {"x": "y" * 600, "l": ["a"] * 60}}
    assert post(app, "/v1/transition/w", transition(long))[0] == 200
    assert {name: len(value) for name, value in held(app)["a"].items()} == {"x": 512, "l": 50}
