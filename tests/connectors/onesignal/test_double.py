"""The double refuses what OneSignal refuses."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.connectors.doubles import KEY

HEADERS = {"Authorization": f"Key {KEY}"}
USER = "/apps/x/users/by/external_id/a"
RULE = [{"field": "tag", "relation": "=", "key": "k", "value": "1"}]
MESSAGE = {
    "app_id": "x", "template_id": "t", "include_aliases": {"external_id": ["a"]},
    "target_channel": "push", "idempotency_key": "be4a8044-bbd6-11e4-a581-000c2940e62c",
}  # fmt: skip


def call(app: Flask, method: str, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    answer = app.test_client().open(
        f"/tools/onesignal{path}", method=method, json=body, headers={**HEADERS, **headers}
    )
    return answer.status_code, answer.json


@pytest.mark.parametrize(
    "tags", [None, [], {"a": 1}, {"a": ["b"]}, {"a": None}, {f"t{n}": "1" for n in range(101)}]
)
def test_bad_input_tags_that_are_no_texts_or_too_many_are_refused(app: Flask, tags: Any) -> None:
    assert call(app, "PATCH", USER, {"properties": {"tags": tags}})[0] == 400


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [("PATCH", USER, {}, 400), ("GET", USER, None, 404), ("DELETE", USER, None, 404),
     ("PATCH", f"{USER}/identity", {"identity": {"alias": "b"}}, 404),
     ("PATCH", f"{USER}/identity", {"identity": {"alias": 1}}, 400),
     ("PATCH", "/apps/x/subscriptions/s/owner", {"identity": {}}, 400),
     ("PATCH", "/apps/x/segments/s", {"name": "S", "filters": RULE}, 404),
     ("POST", "/apps/x/segments", {"name": "S", "filters": []}, 400),
     ("POST", "/apps/x/segments", {"name": "S" * 129, "filters": RULE}, 400),
     ("POST", "/apps/x/segments", {"id": "7", "name": "S", "filters": RULE}, 400),
     ("POST", "/notifications", {**MESSAGE, "idempotency_key": "7"}, 400),
     ("POST", "/notifications", {**MESSAGE, "target_channel": "fax"}, 400),
     ("POST", "/notifications", {**MESSAGE, "include_aliases": {}}, 400)],
)  # fmt: skip
def test_bad_input_a_call_is_refused(
    app: Flask, method: str, path: str, body: Any, status: int
) -> None:
    assert call(app, method, path, body)[0] == status


def test_bad_input_another_scheme_than_key_is_refused(app: Flask) -> None:
    bearer = f"Bearer {KEY}"
    assert call(app, "GET", "/apps/x/segments", None, Authorization=bearer)[0] == 401


def test_the_same_key_again_is_the_same_message(app: Flask) -> None:
    first, second = (call(app, "POST", "/notifications", MESSAGE) for _ in range(2))
    assert first == second


def test_a_segment_gets_a_uuid_where_none_was_given(app: Flask) -> None:
    status, body = call(app, "POST", "/apps/x/segments", {"name": "S", "filters": RULE})
    assert (status, len(body["id"])) == (201, 36)
