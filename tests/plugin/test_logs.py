"""Logs: structured, with the request's id, without persons, and not too many."""

from __future__ import annotations

import json
import time

import pytest

from plugin import logs
from plugin.app import create_app
from plugin.auth import Keys
from scoring.store.read import Reader
from tests.conftest import WORKSPACE


@pytest.fixture
def lines(capsys):
    """What was logged since the last call, of one event if one is named."""

    def read(event: str | None = None) -> list[dict]:
        found = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
        return [line for line in found if event in (None, line["event"])]

    return read


@pytest.fixture(autouse=True)
def fresh_samplers(monkeypatch):
    monkeypatch.setattr(logs, "_lines", logs.Sampler(20))
    monkeypatch.setattr(logs, "_troubles", logs.Sampler(1))
    yield
    logs.end()


def test_a_line_has_the_id_that_the_answer_has(get, lines):
    answer = get("/v1/runs", limit=0)
    (line,) = lines("request")
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert (line["route"], line["status"], line["level"]) == ("/v1/runs", 422, "info")


@pytest.mark.parametrize("path", ["/healthz", "/v1/content/for-you", "/nowhere"])
@pytest.mark.parametrize("given", ["abc-DEF_1.2", "0" * 64])
def test_the_callers_own_id_is_kept(client, key, path, given):
    answer = client.get(path, headers={"X-Api-Key": key, "X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == given


@pytest.mark.parametrize("path", ["/healthz", "/v1/content/for-you"])
@pytest.mark.parametrize("given", ["", "short", "a" * 65, 'a"b\\c----', "a b c d e f"])
def test_bad_input_an_id_that_could_not_be_logged_is_replaced(client, key, path, given):
    answer = client.get(path, headers={"X-Api-Key": key, "X-Request-Id": given})
    assert answer.headers["X-Request-Id"] != given
    assert len(answer.headers["X-Request-Id"]) == 32


def test_ids_are_all_different(client):
    ids = {client.get("/healthz").headers["X-Request-Id"] for _ in range(100)}
    assert len(ids) == 100


def test_a_fault_of_a_content_call_has_the_calls_id_and_its_trace(get, lines, monkeypatch):
    def fail(*_arguments):
        raise ZeroDivisionError

    monkeypatch.setattr(Reader, "read", fail)
    answer = get("/v1/content/for-you", customer="customer-001")
    assert answer.status_code == 200
    (line,) = lines("content")
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert "ZeroDivisionError" in line["exception"]
    assert "customer-001" not in json.dumps(line)


def test_a_slow_call_is_told_once_a_second(get, lines, monkeypatch):
    monkeypatch.setattr(logs, "SLOW_S", -1.0)
    for _ in range(50):
        get("/v1/content/for-you", customer="customer-001")
    found = lines("slow")
    assert 1 <= len(found) <= 3
    assert (found[0]["kind"], found[0]["level"]) == ("for-you", "warning")
    assert found[0]["ms"] >= 0


def test_a_store_that_is_away_is_told_with_its_reason(settings, workspace_dir, lines):
    app = create_app(settings, redis_url="redis://127.0.0.1:1/0")
    _, key = Keys(workspace_dir).create("content")
    for _ in range(5):
        answer = app.test_client().get("/v1/content/for-you", headers={"X-Api-Key": key})
        assert answer.get_json()["reason"] == "store_unavailable"
    found = lines("content without store")
    assert {line["reason"] for line in found} == {"connection", "open"}
    assert {line["workspace"] for line in found} == {WORKSPACE}
    assert len(found) <= 4


def test_a_flood_of_refused_calls_is_not_a_flood_of_lines(client, lines):
    for _ in range(200):
        client.get("/v1/runs")
    found = lines("request")
    assert 20 <= len(found) <= 100


def test_what_was_left_out_is_counted():
    now_s = [0.0]
    sampler = logs.Sampler(2, clock=lambda: now_s[0])
    assert [sampler.take("a") for _ in range(5)] == [0, 0, None, None, None]
    assert sampler.take("b") == 0
    now_s[0] = 1.5
    assert [sampler.take("a") for _ in range(3)] == [3, 0, None]


def test_lines_after_a_request_do_not_have_its_id(client, lines):
    client.get("/nowhere")
    lines()
    logs.end()
    logs.log.warning("something else")
    (line,) = lines()
    assert "request_id" not in line


def test_an_id_costs_a_content_call_next_to_nothing():
    environ = {"HTTP_X_REQUEST_ID": "abcdefgh"}
    began = time.perf_counter()
    for _ in range(1000):
        logs.begin(dict(environ))
    assert (time.perf_counter() - began) / 1000 < 100e-6  # two hundred times what it takes


def test_keys_that_nobody_could_read_yet_are_told_of_with_the_reason(
    client, key, lines, monkeypatch
):
    def denied(_self, **_named):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_text", denied)
    answers = [
        client.get("/v1/content/for-you", headers={"X-Api-Key": key}).status_code for _ in range(3)
    ]
    assert answers == [500] * 3
    (line,) = lines("keys file unreadable")
    assert "Permission denied" in line["why"]
    assert key not in str(line)
