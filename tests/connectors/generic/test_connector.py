"""A described tool over real HTTP: signing in, triggers, erasure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask, Response, jsonify, request

from connectors.errors import Lost, Retry, Split, Stop
from connectors.generic.connector import Generic, open_http
from connectors.generic.options import HttpOptions, RequestsSchema
from connectors.sandbox.client import Sandbox
from connectors.tool import Recipient
from settings.workspace import ConnectionSettings
from tests.connectors.doubles import DOUBLES, KEY
from tests.connectors.servers import serving

NOON = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)  # 12:00 in Seoul
NIGHT = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)  # 23:00 in Seoul


@dataclass
class Tool:
    """An app that takes tokens it gave out and says what it was asked."""

    life_s: Any = 1200
    tokens: int = 0
    valid: set[str] = field(default_factory=set)
    status: int = 200
    seen: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)

    def app(self) -> Flask:
        app = Flask("tool")
        app.add_url_rule("/v2/token", "token", self.token, methods=["POST"])
        app.add_url_rule("/send", "send", self.send, methods=["POST"])
        return app

    def token(self) -> Response:
        body = request.get_json()
        if body.get("client_secret") != KEY:
            return Response("{}", 401, mimetype="application/json")
        self.tokens += 1
        self.valid = {f"token-{self.tokens}"}
        where = "https://elsewhere.example"
        return jsonify(
            access_token=f"token-{self.tokens}", expires_in=self.life_s, rest_instance_url=where
        )

    def send(self) -> Response:
        self.seen.append(("/send", dict(request.headers), request.get_json()))
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.valid and token not in self.valid:
            return Response("{}", 401, mimetype="application/json")
        answer = jsonify(ok=True)
        answer.status_code = self.status
        answer.headers["Calls-Left"] = "3"
        answer.headers["Calls-Reset"] = "9"
        return answer


@pytest.fixture
def tool() -> Tool:
    return Tool()


@pytest.fixture
def at(tool: Tool) -> Iterator[str]:
    with serving(tool.app()) as url:
        yield url


def opened(url: str, auth: dict[str, Any], **trigger: Any) -> Generic:
    send = {
        "path": "/send", "body": "$records", "limits": {"items": 10},
        "record": {"to": "$properties.phone", "text": "$properties.text"},
    }  # fmt: skip
    options = {
        "base_url": url,
        "auth": auth,
        "headers": {"X-Version": "3"},
        "secrets": ["key-in-a-body"],
        "rate_headers": {"X-RateLimit-Remaining": "Calls-Left", "X-RateLimit-Reset": "Calls-Reset"},
        "requests": {"trigger": {**send, **trigger}, "check": {"path": "/send", "body": {}}},
    }
    connection = ConnectionSettings("tool", "http", (), HttpOptions().load(options))
    return replace(open_http(connection), now=lambda: NOON)


def oauth(url: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "oauth2", "token_url": f"{url}/v2/token", "client_id": "us",
        "client_secret": KEY, **more,
    }  # fmt: skip


BEARER = {"type": "bearer", "token": KEY}
KIM = Recipient("c1", {"phone": "010", "text": "(광고) Rightsend: -10 %", "night": True})
LEE = Recipient("c2", {"phone": "011", "text": "(광고) Rightsend: -20 %"})
QUIET = {"start": "21:00", "end": "08:00", "timezone": "Asia/Seoul", "consent": "night"}


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [(BEARER, "Authorization", f"Bearer {KEY}"),
     ({"type": "basic", "user": "us", "password": "pw"}, "Authorization", "Basic dXM6cHc="),
     ({"type": "headers", "headers": {"X-Key": KEY}}, "X-Key", KEY)],
)  # fmt: skip
def test_each_call_is_signed(
    tool: Tool, at: str, auth: dict[str, Any], header: str, value: str
) -> None:
    opened(at, auth).check()
    headers = tool.seen[0][1]
    assert (headers[header], headers["X-Version"]) == (value, "3")


def test_a_token_is_fetched_once_and_renewed_before_it_ends(tool: Tool, at: str) -> None:
    now = [0.0]
    generic = opened(at, oauth(at, parameters={"account_id": "7"}))
    generic.api.now = lambda: now[0]
    generic.check()
    generic.check()
    assert tool.tokens == 1
    now[0] = 1200 - 59
    generic.check()
    assert tool.tokens == 2
    assert tool.seen[-1][1]["Authorization"] == "Bearer token-2"


@pytest.mark.parametrize("life_s", [None, "soon", True, -5])
def test_bad_input_a_life_that_is_none_makes_a_short_one(tool: Tool, at: str, life_s: Any) -> None:
    tool.life_s = life_s
    generic = opened(at, oauth(at))
    generic.check()
    generic.check()
    assert tool.tokens == 1


def test_a_token_that_was_revoked_is_fetched_anew(tool: Tool, at: str) -> None:
    generic = opened(at, oauth(at))
    generic.check()
    tool.valid = {"another"}
    generic.check()
    assert tool.tokens == 2


def test_a_refused_secret_stops_and_is_not_shown(tool: Tool, at: str) -> None:
    generic = opened(at, oauth(at, client_secret="very-secret"))
    with pytest.raises(Stop, match="401") as stopped:
        generic.check()
    assert "very-secret" not in repr(generic) + str(stopped.value)


def test_no_secret_is_shown(tool: Tool, at: str) -> None:
    generic = opened(at, oauth(at))
    generic.check()
    shown = repr(generic) + generic.api.reason(f"you sent token-1, {KEY}, key-in-a-body")
    assert KEY not in shown
    assert "key-in-a-body" not in shown
    assert "token-1" not in shown


def test_a_trigger_fills_the_record_of_each_recipient(tool: Tool, at: str) -> None:
    opened(at, BEARER).trigger("sale", [KIM, LEE])
    assert tool.seen[0][2] == [
        {"to": "010", "text": "(광고) Rightsend: -10 %"},
        {"to": "011", "text": "(광고) Rightsend: -20 %"},
    ]


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, Lost), (503, Lost), (408, Lost), (429, Retry), (400, Split), (403, Stop)],
)
def test_a_trigger_is_not_repeated_when_nobody_knows(
    tool: Tool, at: str, status: int, error: type[Exception]
) -> None:
    tool.status = status
    with pytest.raises(error):
        opened(at, BEARER).trigger("sale", [KIM])


def test_a_trigger_that_did_not_leave_may_be_sent_later() -> None:
    with pytest.raises(Retry):
        opened("http://127.0.0.1:9", BEARER).trigger("sale", [KIM])


def test_by_night_only_who_agreed_to_it_gets_an_advertisement(tool: Tool, at: str) -> None:
    by_night = replace(opened(at, BEARER, quiet_hours=QUIET), now=lambda: NIGHT)
    by_night.trigger("sale", [KIM])
    with pytest.raises(Stop, match="1 recipients have not agreed to messages from 21:00 to 08:00"):
        by_night.trigger("sale", [KIM, LEE])
    assert len(tool.seen) == 1
    opened(at, BEARER, quiet_hours=QUIET).trigger("sale", [KIM, LEE])
    assert len(tool.seen) == 2


def test_quiet_hours_without_consent_are_for_everybody(tool: Tool, at: str) -> None:
    hours = {"start": "11:00", "end": "13:00", "timezone": "Asia/Seoul"}
    with pytest.raises(Stop, match="2 recipients"):
        opened(at, BEARER, quiet_hours=hours).trigger("sale", [KIM, LEE])
    assert tool.seen == []


def test_bad_input_an_advertisement_that_does_not_say_so_is_not_sent(tool: Tool, at: str) -> None:
    bare = Recipient("c3", {"phone": "012", "text": "광고 -10 %"})
    with pytest.raises(Stop, match=r"must begin with \(광고\), which it does not for 1 recipients"):
        opened(at, BEARER, ad_text="text").trigger("sale", [KIM, bare])
    assert tool.seen == []


def test_rate_headers_by_the_tools_own_names(tool: Tool, at: str) -> None:
    rate = opened(at, BEARER).api.request("POST", "/send", b"{}").rate
    assert (rate.remaining, rate.reset_s) == (3, 9.0)


def test_what_is_not_described_stops() -> None:
    generic = opened("http://127.0.0.1:9", BEARER)
    for ask in (generic.attributes, lambda: generic.segment("s"), lambda: generic.erase(["c"]),
                lambda: generic.merge([("c", "d")])):  # fmt: skip
        with pytest.raises(Stop, match=r"requests\.\w+ is not set"):
            ask()


@pytest.mark.parametrize(("name", "tool_name"), [("http", "clevertap"), ("http:braze", "braze")])
def test_people_are_erased(
    url: str, monkeypatch: pytest.MonkeyPatch, name: str, tool_name: str
) -> None:
    generic = open_http(DOUBLES[name](url, monkeypatch))
    target = generic.attributes()
    people = [f"c{n:03}" for n in range(60)]
    target.write("", [target.encode(person, {"a": 1}).body for person in people])
    generic.erase([*people[1:], "nobody"])
    client = Sandbox(url, KEY, tool_name)
    assert list(client.held()) == ["c000"]
    client.close()


def test_people_are_merged_and_who_has_no_id_is_left_out(tool: Tool, at: str) -> None:
    merge = {
        "path": "/send", "body": "$records", "limits": {"items": 10},
        "record": {"from": "$gone_id", "to": "$customer_id"},
    }  # fmt: skip
    generic = opened(at, BEARER)
    generic = replace(generic, requests=RequestsSchema().load({"merge": merge}))
    generic.merge([("c1", "c2"), ("device_id:1", "c3"), ("c4", "device_id:2")])
    assert tool.seen[0][2] == [{"from": "c1", "to": "c2"}]


def test_clevertap_starts_a_campaign_for_each_with_their_own_properties(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_http(DOUBLES["http"](url, monkeypatch)).trigger("sale", [KIM, LEE])
    client = Sandbox(url, KEY, "clevertap")
    assert client.triggered("sale") == [
        {"customer_id": "c1", "properties": KIM.properties},
        {"customer_id": "c2", "properties": LEE.properties},
    ]
    client.close()
