"""The examples in config/connections load, and make what the vendors document."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.generic.connector import Generic, open_http
from connectors.generic.options import RequestsSchema
from connectors.http import Answer
from connectors.registry import SCHEMAS
from connectors.tool import Recipient
from settings.load import load
from settings.workspace import ConnectionSettings
from tests.connectors.described import EXAMPLES

FILES = sorted(EXAMPLES.glob("*.yaml"))
WORKSPACE = """workspace: shop
sources: [{name: c, type: completejourney, table: items, relation: products,
           columns: {item_id: product_id}}]
connections:
"""
CHANGE = {"score": 0.5, "items": ["a", "b"], "gone": None}
KIM = Recipient("c1", {"phone": "01012345678", "name": "Kim", "item": "Tea", "title": "t",
                       "text": "(광고) Tea", "night_consent": True, "secret": "kept"})  # fmt: skip


def connections(file: Path, folder: Path) -> dict[str, ConnectionSettings]:
    text = file.read_text()
    workspace = folder / "shop.yaml"
    workspace.write_text(WORKSPACE + textwrap.indent(text, "  "))
    environ = dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), "secret")
    settings = load(workspace, connection_schemas=SCHEMAS, environ=environ)
    return {each.name: each for each in settings.workspaces["shop"].connections}


class Recorder:
    """An Api that says yes to everything."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []

    def request(self, method: str, path: str, body: bytes | None) -> Answer:
        self.asked.append((method, path, None if body is None else orjson.loads(body)))
        body_of = {"status": "success", "ok": True, "header": {"isSuccessful": True}}
        return Answer(201 if "interaction" in path else 202 if "async" in path else 200, body_of)


def recorded(example: str, name: str, folder: Path) -> tuple[Generic, Recorder]:
    connection = connections(EXAMPLES / f"{example}.yaml", folder)[name]
    recorder: Any = Recorder()
    return Generic(recorder, RequestsSchema().load(connection.options["requests"])), recorder


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_example_loads_and_opens(file: Path, tmp_path: Path) -> None:
    for connection in connections(file, tmp_path).values():
        tool = open_http(connection)
        assert "secret" not in repr(tool)
        tool.close()


@pytest.mark.parametrize(
    ("example", "asked"),
    [
        ("clevertap", ("POST", "/1/upload", {"d": [
            {"type": "profile", "identity": "c/1",
             "profileData": {"score": 0.5, "items": ["a", "b"], "gone": {"$delete": 1}}}]})),
        ("airship", ("POST", "/api/named_users/c%2F1/attributes", {"attributes": [
            {"action": "set", "key": "score", "value": 0.5},
            {"action": "set", "key": "items", "value": "a,b"},
            {"action": "remove", "key": "gone"}]})),
        ("marketing-cloud", ("PUT", "/data/v1/async/dataextensions/key:rightsend_scores/rows", {
            "items": [{"ContactKey": "c/1", "score": 0.5, "items": "a,b", "gone": None}]})),
    ],
)  # fmt: skip
def test_attributes_are_written_as_documented(
    example: str, asked: tuple[str, str, Any], tmp_path: Path
) -> None:
    generic, recorder = recorded(example, example, tmp_path)
    target = generic.attributes()
    target.write("", [target.encode("c/1", CHANGE).body])
    assert recorder.asked == [asked]


@pytest.mark.parametrize(
    ("example", "came", "left"),
    [
        ("clevertap", {"rightsend_segments": {"$add": ["s1"]}},
         {"rightsend_segments": {"$remove": ["s1"]}}),
        ("airship", {"add": {"rightsend": ["s1"]}}, {"remove": {"rightsend": ["s1"]}}),
        ("marketing-cloud", {"SegmentId": "s1", "Member": True},
         {"SegmentId": "s1", "Member": False}),
    ],
)  # fmt: skip
def test_members_come_and_leave_as_documented(
    example: str, came: dict[str, Any], left: dict[str, Any], tmp_path: Path
) -> None:
    generic, recorder = recorded(example, example, tmp_path)
    target = generic.segment("s1")
    for member in (True, None):
        encoded = target.encode("c1", {"member": member})
        target.write(encoded.lane, [encoded.body])
    for (_, _, body), wanted in zip(recorder.asked, (came, left), strict=True):
        assert "c1" in str(body)
        place = (body.get("d") or body.get("items") or [body])[0]
        place = place.get("profileData", place)
        assert {key: place[key] for key in wanted} == wanted


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("alimtalk", ("POST", "/alimtalk/v2.3/appkeys/YOUR_APPKEY/messages", {
            "senderKey": "YOUR_SENDER_KEY", "templateCode": "sale", "recipientList": [
                {"recipientNo": "01012345678",
                 "templateParameter": {"name": "Kim", "item": "Tea"}}]})),
        ("ad-text", ("POST", "/sms/v3.0/appKeys/YOUR_SMS_APPKEY/sender/ad-mms", {
            "title": "t", "body": "(광고) Tea", "sendNo": "YOUR_NUMBER", "statsId": "sale",
            "recipientList": [{"recipientNo": "01012345678"}]})),
    ],
)  # fmt: skip
def test_korean_messages_carry_what_their_template_names_and_nothing_else(
    name: str, asked: tuple[str, str, Any], tmp_path: Path
) -> None:
    generic, recorder = recorded("kakao", name, tmp_path)
    generic.trigger("sale", [KIM])
    assert recorder.asked == [asked]


def test_korean_advertisement_keeps_to_the_hours_of_the_law(tmp_path: Path) -> None:
    hours = {
        name: RequestsSchema().load(each.options["requests"]).trigger.quiet_hours
        for name, each in connections(EXAMPLES / "kakao.yaml", tmp_path).items()
    }
    assert hours["alimtalk"] is None  # no advertisement
    assert hours["brand-message"].consent is None  # Kakao itself sends none by night
    assert (f"{hours['ad-text'].start:%H:%M}", f"{hours['ad-text'].end:%H:%M}") == (
        "21:00",
        "08:00",
    )
    assert hours["ad-text"].consent == "night_consent"
