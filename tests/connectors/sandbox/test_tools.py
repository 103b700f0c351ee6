"""What each double gets from its base: gate, faults, rate, state, the admin API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Response, jsonify, make_response
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from connectors.sandbox.app import CLOSE, create_app
from connectors.sandbox.dials import AFTER, BEFORE, STATUSES
from connectors.sandbox.gate import RateHeaders
from connectors.sandbox.tools import TOOLS
from connectors.sandbox.tools.base import RefusedCallError, Route, ToolDouble
from connectors.tool import Window
from tests.connectors.doubles import KEY, FakeTime

TOLD = "the sandbox was told to refuse this item"
BEARER = {"Authorization": f"Bearer {KEY}"}


class Example(ToolDouble):
    name = "example"
    windows = (Window(3, 1.0), Window(5, 60.0, clock=True))
    rate_headers = RateHeaders("Limit", "Left", "Reset", "Retry-After", with_429=False)
    other_message = b'{"ok":false}'

    def routes(self) -> Sequence[Route]:
        return [("POST", "/users", self.write), ("POST", "/half", self.half)]

    def write(self) -> Response:
        errors = []
        for index, user in enumerate(self.json_body(10_000)["users"]):
            problem = self.problem(index, user["id"])
            if problem is None:
                self.shelf("profiles").merge(user.pop("id"), user)
            else:
                errors.append({"index": index if self.tells_index else None, "why": problem})
        return jsonify(ok=True, errors=errors)

    def half(self) -> Response:
        self.shelf("profiles").put("half", {"a": 1})
        raise RefusedCallError(422, "no")

    def refused(self, status: int, text: str) -> Response:
        return make_response(jsonify(code=status, why=text), status)

    def held(self) -> dict[str, dict[str, Any]]:
        return self.shelf("profiles").all()


@pytest.fixture
def web(tmp_path: Path, time: FakeTime, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    monkeypatch.setitem(TOOLS, "example", Example)
    app = create_app(tmp_path / "s", api_keys=[KEY], clock=time)
    yield app.test_client()
    app.extensions[CLOSE]()


def write(web: FlaskClient, *users: dict[str, Any], **headers: str) -> TestResponse:
    return web.post(
        "/tools/example/users", json={"users": list(users)}, headers={**BEARER, **headers}
    )


def admin(web: FlaskClient, method: str, path: str, body: Any = None) -> Any:
    answer = web.open(f"/sandbox/{path}?tool=example", method=method, json=body, headers=BEARER)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_what_was_written_can_be_compared(web: FlaskClient) -> None:
    write(web, {"id": "a", "x": 1, "y": 2}, {"id": "b", "x": 3})
    write(web, {"id": "a", "x": None})
    assert admin(web, "GET", "held") == {"a": {"y": 2}, "b": {"x": 3}}
    assert admin(web, "GET", "counts")["writes"] == 3


def test_the_dials_of_one_tool_leave_the_others_alone(web: FlaskClient) -> None:
    admin(web, "POST", "faults", [{"kind": "forbidden"}])
    assert web.get("/segments/list", headers=BEARER).status_code == 200
    answer = write(web, {"id": "a"})
    assert (answer.status_code, answer.json["code"]) == (403, 403)


def test_a_fault_may_be_for_one_path_below_the_tool(web: FlaskClient) -> None:
    admin(web, "POST", "faults", [{"kind": "gone", "path": "/half"}])
    assert write(web, {"id": "a"}).status_code == 200
    assert web.post("/tools/example/half", json={}, headers=BEARER).status_code == 410


def test_bad_input_a_wrong_key_a_wrong_type_and_a_large_body_are_refused_in_its_shape(
    web: FlaskClient,
) -> None:
    admin(web, "PATCH", "dials", {"rate_limit": 100})
    assert write(web, {"id": "a"}, Authorization="Bearer no").status_code == 401
    text = web.post("/tools/example/users", data="{}", headers=BEARER)
    large = write(web, {"id": "a", "x": "x" * 10_000})
    assert [text.status_code, large.status_code] == [415, 413]
    assert "10000 bytes" in large.json["why"]
    assert admin(web, "GET", "held") == {}


def test_a_refused_call_leaves_no_trace(web: FlaskClient) -> None:
    assert web.post("/tools/example/half", json={}, headers=BEARER).status_code == 422
    assert admin(web, "GET", "held") == {}


@pytest.mark.parametrize(
    ("kind", "errors"),
    [("item_errors", [{"index": 1, "why": TOLD}]),
     ("item_errors_unlocated", [{"index": None, "why": TOLD}])],
)  # fmt: skip
def test_items_are_refused_with_and_without_their_index(
    web: FlaskClient, kind: str, errors: list[Any]
) -> None:
    admin(web, "POST", "faults", [{"kind": kind, "items": [1]}])
    assert write(web, {"id": "a"}, {"id": "b"}).json["errors"] == errors
    assert list(admin(web, "GET", "held")) == ["a"]


def test_the_tightest_of_several_windows_decides_and_429_has_its_own_headers(
    web: FlaskClient, time: FakeTime
) -> None:
    time.now_s = 1_800_000_030.0  # half a minute before the clock's minute ends
    answers = [write(web, {"id": "a"}) for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert [a.headers.get("Left") for a in answers] == ["2", "1", "0", None]
    assert answers[3].headers["Retry-After"] == "1"
    time.now_s += 1
    answers = [write(web, {"id": "a"}) for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    assert answers[1].headers["Reset"] == "1800000060"
    time.now_s = 1_800_000_060.0
    assert write(web, {"id": "a"}).status_code == 200


def test_a_dial_replaces_the_windows(web: FlaskClient) -> None:
    admin(web, "PATCH", "dials", {"rate_limit": 1, "rate_window_s": 7, "reset_as_seconds": True})
    assert write(web, {"id": "a"}).headers["Reset"] == "7"
    assert write(web, {"id": "a"}).status_code == 429


def test_a_clock_that_is_off_shows_in_date_and_reset(web: FlaskClient, time: FakeTime) -> None:
    admin(web, "PATCH", "dials", {"clock_skew_s": -3600})
    answer = write(web, {"id": "a"})
    assert answer.date is not None
    assert answer.date.timestamp() == time.now_s - 3600
    assert int(answer.headers["Reset"]) == time.now_s - 3600 + 1


@pytest.mark.parametrize("kind", sorted(BEFORE - {"timeout_before"}))
def test_a_fault_before_keeps_the_call_from_doing_anything(web: FlaskClient, kind: str) -> None:
    admin(web, "POST", "faults", [{"kind": kind, "headers": {"Retry-After": "7"}}])
    answer = write(web, {"id": "a"})
    told = {"html_error": 502, "html_before": 200, "redirect": 302}
    assert answer.status_code == {**STATUSES, **told}[kind]
    assert answer.headers["Retry-After"] == "7"
    assert admin(web, "GET", "held") == {}
    assert write(web, {"id": "a"}).json == {"ok": True, "errors": []}


@pytest.mark.parametrize("kind", sorted(AFTER - {"timeout_after", "drip", "reset"}))
def test_a_fault_after_spoils_the_answer_to_a_call_that_was_carried_out(
    web: FlaskClient, kind: str
) -> None:
    admin(web, "POST", "faults", [{"kind": kind}])
    answer = write(web, {"id": "a", "x": 1})
    assert answer.status_code == (500 if kind == "server_error_after" else 200)
    assert kind == "server_error_after" or answer.get_data() != b'{"errors":[],"ok":true}\n'
    assert admin(web, "GET", "held") == {"a": {"x": 1}}


def test_a_hostile_text_holds_the_callers_key_and_control_characters(web: FlaskClient) -> None:
    admin(web, "POST", "faults", [{"kind": "hostile_text"}])
    answer = write(web, {"id": "a"})
    assert answer.status_code == 400
    assert KEY in answer.json["why"]
    assert "\x1b" in answer.json["why"]


def test_chaos_lets_a_share_fail_and_the_same_seed_the_same_calls(web: FlaskClient) -> None:
    def statuses() -> list[int]:
        dials = {"chaos": 0.3, "chaos_kinds": ["locked", "gone"], "chaos_seed": 5}
        admin(web, "PATCH", "dials", {**dials, "rate_limit": 1_000})
        return [write(web, {"id": "a"}).status_code for _ in range(200)]

    first = statuses()
    assert 40 <= 200 - first.count(200) <= 80
    assert set(first) == {200, 423, 410}
    assert statuses() == first
    admin(web, "DELETE", "faults")
    assert {write(web, {"id": "a"}).status_code for _ in range(50)} == {200}


def test_calls_of_several_threads_do_not_mix(web: FlaskClient) -> None:
    admin(web, "PATCH", "dials", {"rate_limit": 1_000})

    def count_up(number: int) -> int:
        client = web.application.test_client()
        return write(client, {"id": "a", f"x{number}": number}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(count_up, range(40))) == {200}
    assert len(admin(web, "GET", "held")["a"]) == 40


def test_bad_input_a_double_that_is_none_is_named(web: FlaskClient) -> None:
    answer = web.get("/sandbox/held?tool=carrier-pigeon", headers=BEARER)
    assert answer.status_code == 400
    assert "carrier-pigeon; there are braze, " in answer.json["message"]


@pytest.mark.parametrize("kinds", [[], ["earthquake"]])
def test_bad_input_chaos_of_no_known_kind_is_refused(web: FlaskClient, kinds: list[str]) -> None:
    answer = web.patch("/sandbox/dials?tool=example", json={"chaos_kinds": kinds}, headers=BEARER)
    assert answer.status_code == 400
