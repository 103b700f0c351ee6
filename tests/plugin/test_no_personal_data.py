"""Names that came in with requests are in no log line, metric, link or error of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

from plugin.auth import SCOPES, Keys
from tests.conftest import WORKSPACE
from tests.plugin.routes import ROUTES, filled

PERSON = "zz-mina-kim-0905"
MAIL = "zz.mina.kim@unmistakable.example"
NAMES = (PERSON, "zz.mina.kim", "zz%2Emina", "unmistakable")


def requests_of(path: str, method: str, operation: dict[str, Any]) -> list[dict[str, Any]]:
    """The names in every place that a request has, right ones and wrong ones."""
    place = filled(path, dict.fromkeys(("customer_id", "device_id", "campaign", "token"), MAIL))
    query = {"customer": PERSON, "limit": "x", "who": MAIL, PERSON: MAIL}
    event = {"identifier": PERSON, "event_type": "view", "item_id": "item-01", "mail": MAIL}
    bodies: list[dict[str, Any]] = [{"json": event}, {"json": {"events": [event, {MAIL: PERSON}]}}]
    bodies += [
        {"json": {PERSON: MAIL}},
        {"data": f'{{"{MAIL}"', "content_type": "application/json"},
    ]
    ways = [{}, {"query_string": {"customer": PERSON}}, {"query_string": query}]
    if method in ("post", "put"):
        ways += bodies
    headers = {"User-Agent": MAIL, "Referer": f"https://x.example/{MAIL}", "Cookie": f"a={PERSON}"}
    return [{"path": place, "method": method, "headers": headers, **way} for way in ways]


@pytest.fixture
def call(client, settings, published):
    key = Keys(settings.workspace_dir(WORKSPACE)).create(SCOPES)[1]

    def sent(asked: dict[str, Any]) -> Any:
        headers = {**asked.pop("headers"), "X-Api-Key": key}
        return client.open(**asked, headers=headers, buffered=True)

    return sent


def assert_nobody(text: str) -> None:
    assert [name for name in NAMES if name in text] == []


@pytest.mark.parametrize(("path", "method", "operation"), ROUTES)
def test_no_log_line_and_no_header_repeats_a_name(call, capfd, path, method, operation):
    for asked in requests_of(path, method, operation):
        answer = call(asked)
        assert_nobody(str(answer.headers))
        if answer.is_json:
            assert_nobody(answer.get_json().get("landing_url") or "")
    told = capfd.readouterr()
    assert_nobody(told.out + told.err)


@pytest.mark.parametrize(
    "fault", [RuntimeError(PERSON), KeyError(MAIL), redis.ResponseError(f"WRONGTYPE {PERSON}")]
)
@pytest.mark.parametrize("where", ["scoring.store.read.Reader.read", "plugin.trail.Trail.note"])
def test_no_fault_repeats_a_name(call, capfd, monkeypatch, where, fault):
    """Messages of exceptions may hold what was being worked on; the log says where and which."""

    def broken(*_: Any, **__: Any) -> Any:
        raise fault from ValueError(MAIL)

    monkeypatch.setattr(where, broken)
    for path in (f"/v1/customers/{PERSON}", f"/v1/content/for-you?customer={PERSON}"):
        answer = call({"path": path, "headers": {}})
        assert_nobody(answer.get_data(as_text=True))
    told = capfd.readouterr()
    assert_nobody(told.out + told.err)


def test_a_fault_s_line_says_where_and_what_kind(call, capfd, monkeypatch):
    monkeypatch.setattr("plugin.documents.runs", lambda _: {}[PERSON])
    assert call({"path": "/v1/runs", "headers": {}}).status_code == 500
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    (trace,) = (line["exception"] for line in lines if line["event"] == "exception")
    assert "builtins.KeyError" in trace
    assert "operations.py" in trace


def test_metrics_name_nobody(call):
    for path, method, operation in (route.values for route in ROUTES):
        for asked in requests_of(path, method, operation):
            call(asked)
    assert_nobody(call({"path": "/metrics", "headers": {}}).get_data(as_text=True))
