from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import marshmallow
import pytest

from connectors.generic.options import HttpOptions, RequestsSchema
from connectors.registry import SCHEMAS
from settings.load import SettingsError, load

TOOL: dict[str, Any] = {
    "base_url": "https://api.tool.example",
    "auth": {"type": "bearer", "token": "secret"},
    "requests": {
        "attributes": {
            "path": "/users",
            "body": {"users": "$records"},
            "record": {"id": "$customer_id", "values": "$attributes"},
            "limits": {"items": 100},
        }
    },
}


def with_(path: str, value: Any) -> dict[str, Any]:
    """The tool above with another value at a dotted path."""
    tool = deepcopy(TOOL)
    *parents, last = path.split(".")
    place = tool
    for name in parents:
        place = place.setdefault(name, {})
    place[last] = value
    return tool


def messages(tool: dict[str, Any]) -> dict[str, Any]:
    with pytest.raises(marshmallow.ValidationError) as refused:
        HttpOptions().load(tool)
    return refused.value.messages_dict


def at(tree: Any, path: str) -> str:
    for name in path.split("."):
        tree = tree[name]
    return str(tree)


def test_little_is_needed() -> None:
    request = RequestsSchema().load(TOOL["requests"]).attributes
    assert (request.method, request.limits.items, request.limits.body_bytes) == (
        "POST", 100, 1_000_000,
    )  # fmt: skip


@pytest.mark.parametrize(
    "url",
    ["https://api.tool.example", "https://api.tool.example:8443/v2", "http://127.0.0.1:8000"],
)
def test_https_anywhere_and_http_on_this_machine(url: str) -> None:
    assert HttpOptions().load(with_("base_url", url))["base_url"] == url


@pytest.mark.parametrize(
    "url",
    ["http://api.tool.example", "https://key@api.tool.example", "https://api.tool.example?a=1",
     "https://api.tool.example#a", "api.tool.example", "file:///etc/passwd", "https://a\\b", "https://[",
     "http://127.0.0.1.tool.example"],
)  # fmt: skip
def test_bad_input_another_address_is_refused(url: str) -> None:
    assert "base_url" in messages(with_("base_url", url))


R = "requests.attributes"


@pytest.mark.parametrize(
    ("path", "value", "key", "what"),
    [
        (f"{R}.recrod", {}, f"{R}.recrod", "did you mean record"),
        (f"{R}.record.id", "$custmer_id", f"{R}.record", "$custmer_id"),
        (f"{R}.record", {"id": "$customer_id"}, f"{R}.record", "$attributes must stand in it"),
        (f"{R}.body", {"users": []}, f"{R}.body", "$records must stand in it"),
        (f"{R}.body", {"users": "$records", "one": "$customer_id"}, f"{R}.body", "no placeholder"),
        (f"{R}.path", "/users/$customer_id", f"{R}.path", "no placeholder here"),
        (f"{R}.path", "users", f"{R}.path", "begins with /"),
        (f"{R}.path", "/a b", f"{R}.path", "no space"),
        (f"{R}.set", {"v": "$attributes"}, f"{R}.set", "no placeholder here"),
        (f"{R}.remove", "$value", f"{R}.remove", "no placeholder here"),
        (f"{R}.limits.items", 0, f"{R}.limits.items", "from 1"),
        (f"{R}.success.field", "/ok", f"{R}.success.values", "need each other"),
        (f"{R}.success.field", "ok", f"{R}.success.field", "JSON pointer"),
        (f"{R}.errors", [{"id": "/id"}], f"{R}.errors", "entries"),
        (f"{R}.method", "TRACE", f"{R}.method", "one of"),
        ("auth", {"type": "basic", "user": "u"}, "auth.password", "is needed for basic"),
        ("auth", {"type": "bearer", "token": "t", "user": "u"}, "auth.user", "does not belong"),
        ("auth", {"type": "headers", "headers": {"Host": "x"}}, "auth.headers.Host", "no header"),
        ("auth", {"type": "magic"}, "auth.type", "one of"),
        ("auth.token", "a\nb", "auth.token", "printable"),
        ("headers", {"Content-Length": "0"}, "headers.Content-Length", "no header"),
        ("rate_headers", {"Speed": "X-Speed"}, "rate_headers.Speed", "one of"),
    ],
)  # fmt: skip
def test_bad_input_the_key_that_is_wrong_is_named(
    path: str, value: Any, key: str, what: str
) -> None:
    assert what.lower() in at(messages(with_(path, value)), key).lower()


def test_a_customer_may_stand_in_the_path_of_a_request_with_one_record() -> None:
    tool = with_(f"{R}.limits.items", 1)
    tool["requests"]["attributes"]["path"] = "/users/$customer_id"
    tool["requests"]["attributes"]["body"] = "$record"
    assert RequestsSchema().load(tool["requests"]).attributes.path == "/users/$customer_id"


@pytest.mark.parametrize("hours", [{"start": "24:00"}, {"start": "9"}, {"timezone": "Asia/Seul"}])
def test_bad_input_quiet_hours_that_are_none(hours: dict[str, str]) -> None:
    quiet = {"start": "21:00", "end": "08:00", "timezone": "Asia/Seoul", **hours}
    trigger = {
        "path": "/send", "body": "$records", "record": "$properties", "limits": {"items": 10},
        "quiet_hours": quiet,
    }  # fmt: skip
    wrong = messages(with_("requests.trigger", trigger))
    assert next(iter(hours)) in wrong["requests"]["trigger"]["quiet_hours"]


def test_bad_input_a_workspace_file_says_the_line_and_shows_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(
        """workspace: shop
sources: [{name: c, type: completejourney, table: items, relation: products,
           columns: {item_id: product_id}}]
connections:
  - name: tool
    type: http
    base_url: https://api.tool.example
    auth: {type: bearer, token: "very\\nsecret"}
    requests:
      attributes:
        path: /users
        body: $records
        record: {id: $custmer_id, values: $attributes}
        limits: {items: 10}
"""
    )
    with pytest.raises(SettingsError) as refused:
        load(file, connection_schemas=SCHEMAS, environ={})
    text = str(refused.value)
    assert "shop.yaml:13: connections[0].requests.attributes.record: found" in text
    assert "$custmer_id" in text
    assert "shop.yaml:8: connections[0].auth.token" in text
    assert "secret" not in text.replace("very", "")
