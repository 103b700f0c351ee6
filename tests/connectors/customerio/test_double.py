"""The double refuses what Customer.io refuses."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.connectors.doubles import KEY

TRACK = {"Authorization": "Basic c2l0ZTprZXktb2YtdGhlLWRvdWJsZQ=="}  # site:KEY
APP = {"Authorization": f"Bearer {KEY}"}
PERSON = {"type": "person", "identifiers": {"id": "a"}, "action": "identify", "attributes": {}}


def post(app: Flask, path: str, body: Any, headers: dict[str, str] = TRACK) -> tuple[int, Any]:
    answer = app.test_client().post(f"/tools/customerio{path}", json=body, headers=headers)
    return answer.status_code, answer.json


def test_a_good_change_is_done_beside_a_bad_one(app: Flask) -> None:
    status, body = post(app, "/api/v2/batch", {"batch": [{**PERSON, "type": "object"}, PERSON]})
    assert (status, [error["batch_index"] for error in body["errors"]]) == (207, [0])


@pytest.mark.parametrize(
    ("change", "field"),
    [({"type": None}, "type"), ({"action": "x"}, "action"), ({"identifiers": {}}, "identifiers"),
     ({"identifiers": {"id": "a", "email": "b"}}, "identifiers"),
     ({"identifiers": {"id": "a" * 151}}, "identifiers"), ({"attributes": 1}, "attributes"),
     ({"attributes": {f"a{n}": n for n in range(302)}}, "attributes"),
     ({"attributes": {"n" * 151: 1}}, "n" * 151), ({"attributes": {"x": "y" * 1_000}}, "x"),
     ({"attributes": {f"a{n}": "y" * 900 for n in range(40)}}, "batch"),
     ({"action": "merge"}, "primary")],
)  # fmt: skip
def test_bad_input_a_change_is_refused_by_its_field(
    app: Flask, change: dict[str, Any], field: str
) -> None:
    status, body = post(app, "/api/v2/batch", {"batch": [{**PERSON, **change}]})
    assert (status, body["errors"][0]["field"]) == (207, field)


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [("/api/v2/batch", {"batch": []}, TRACK, 400), ("/api/v2/batch", {"batch": 1}, TRACK, 400),
     ("/api/v2/batch", {"batch": ["x" * 500_000]}, TRACK, 413),
     ("/api/v2/batch", {"batch": [PERSON]}, APP, 401),
     ("/api/v2/batch", {"batch": [PERSON]}, {"Authorization": "Basic ?"}, 401),
     ("/api/v1/segments/1/add_customers", {"ids": ["a"]}, TRACK, 404),
     ("/api/v1/segments/1/add_customers", {"ids": []}, TRACK, 400),
     ("/api/v1/segments/1/add_customers", {"ids": ["a"] * 1_001}, TRACK, 400),
     ("/v1/segments", {"segment": {}}, APP, 400), ("/v1/segments", {"segment": {}}, TRACK, 401),
     ("/v1/campaigns/1/triggers", {}, APP, 422),
     ("/v1/campaigns/1/triggers", {"per_user_data": [{"id": "a"}]}, APP, 422)],
)  # fmt: skip
def test_bad_input_a_call_is_refused_as_a_whole(
    app: Flask, path: str, body: Any, headers: dict[str, str], status: int
) -> None:
    assert post(app, path, body, headers)[0] == status


def test_bad_input_members_that_are_no_texts_are_refused(app: Flask) -> None:
    post(app, "/v1/segments", {"segment": {"name": "S"}}, APP)
    assert post(app, "/api/v1/segments/1/add_customers", {"ids": [1]})[0] == 400
