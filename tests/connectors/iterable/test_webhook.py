from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from connectors.inbound import BadBody, Forbidden, Inbound
from connectors.iterable import CONNECTOR
from settings.vocabulary import EVENT_TYPES

WEBHOOK = CONNECTOR.webhook
OPTIONS = {"webhook_token": "t0ken"}
OPENED = {
    "email": "kim@example.com",
    "userId": "c1",
    "eventName": "emailOpen",
    "dataFields": {
        "campaignId": 5654, "campaignName": "Spring", "templateId": 15120, "messageId": "m-1",
        "createdAt": "2026-11-22 08:00:00 +00:00", "ip": "192.0.2.1",
    },
}  # fmt: skip


def read(*documents: dict[str, Any]) -> Inbound:
    body = orjson.dumps(documents[0] if len(documents) == 1 else list(documents))
    inbound: Inbound = WEBHOOK.read(body, {}, OPTIONS)
    return inbound


def test_an_open_is_an_open_with_campaign_and_channel() -> None:
    assert read(OPENED).events == [
        {
            "occurred_at": datetime(2026, 11, 22, 8, tzinfo=UTC),
            "identifier": "c1",
            "event_type": "open",
            "campaign_id": "5654",
            "channel": "email",
            "properties": {"messageId": "m-1", "templateId": 15120},
        }
    ]


@pytest.mark.parametrize(
    ("name", "event_type", "channel"),
    [("emailSend", "message_sent", "email"), ("emailClick", "click", "email"),
     ("emailUnSubscribe", "unsubscribe", "email"), ("smsBounce", "bounce", "sms"),
     ("emailComplaint", "unsubscribe", "email"), ("pushSend", "message_sent", "push"),
     ("pushOpen", "open", "push"), ("inAppClick", "click", "in_app"),
     ("smsSend", "message_sent", "sms"), ("webPushClick", "click", "web_push"),
     ("whatsAppSeen", "open", "whatsapp")],
)  # fmt: skip
def test_iterables_words_are_ours(name: str, event_type: str, channel: str) -> None:
    (event,) = read({**OPENED, "eventName": name}).events
    assert (event["event_type"], event["channel"]) == (event_type, channel)
    assert event["event_type"] in EVENT_TYPES


def test_neither_address_nor_ip_is_kept() -> None:
    told = repr(read(OPENED).events)
    assert "kim@example.com" not in told
    assert "192.0.2.1" not in told


def test_other_words_are_counted() -> None:
    custom = {**OPENED, "eventName": "customEvent"}
    assert read(custom, OPENED, custom).unknown == {"customEvent": 2}


@pytest.mark.parametrize(
    "change",
    [{"userId": None}, {"userId": {}}, {"dataFields": None}, {"dataFields": []},
     {"dataFields": {"createdAt": "soon"}}, {"dataFields": {"createdAt": "2026-11-22 08:00:00"}}],
)  # fmt: skip
def test_bad_input_an_event_without_who_or_when_is_counted(change: dict[str, Any]) -> None:
    inbound = read({**OPENED, **change})
    assert (inbound.events, inbound.malformed) == ([], 1)


@pytest.mark.parametrize("body", [b"", b"<html>", b"7", b"[7]"])
def test_bad_input_a_body_that_is_no_document_is_refused(body: bytes) -> None:
    if body == b"":
        assert WEBHOOK.read(body, {}, OPTIONS).events == []
    else:
        with pytest.raises(BadBody):
            WEBHOOK.read(body, {}, OPTIONS)


@pytest.mark.parametrize("header", ["t0ken", "Basic t0ken", "OAuth2 t0ken"])
def test_the_token_is_accepted_with_any_auth_type(header: str) -> None:
    WEBHOOK.verify(b"", {"authorization": header}, OPTIONS)


@pytest.mark.parametrize(
    ("headers", "options"),
    [({}, OPTIONS), ({"authorization": "Basic wrong"}, OPTIONS), ({"authorization": ""}, {}),
     ({"authorization": "Basic t0ken"}, {}), ({"authorization": "t0ken x"}, OPTIONS)],
)  # fmt: skip
def test_bad_input_without_the_token_nothing_is_believed(
    headers: dict[str, str], options: dict[str, str]
) -> None:
    with pytest.raises(Forbidden):
        WEBHOOK.verify(b"", headers, options)
