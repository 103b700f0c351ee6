from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from connectors.inbound import BadBody, Forbidden, Inbound
from connectors.klaviyo import CONNECTOR
from settings.vocabulary import EVENT_TYPES

WEBHOOK = CONNECTOR.webhook
SECRET = "a secret of sixteen"
OPTIONS = {"webhook_secret": SECRET}
PROFILE = {"type": "profile", "id": "01H", "attributes": {"external_id": "c1", "email": "k@e.com"}}


def entry(topic: str = "event:klaviyo.opened_email", **payload: Any) -> dict[str, Any]:
    event = {
        "type": "event",
        "id": "e1",
        "attributes": {
            "timestamp": 1_763_800_000,
            "event_properties": {"$message": "M1", "Campaign Name": "Spring", "Subject": "Hi"},
        },
        "relationships": {"profile": {"data": {"type": "profile", "id": "01H"}}},
    }
    return {"external_id": "e1", "topic": topic, "payload": {"data": event, **payload}}


def read(*entries: Any) -> Inbound:
    inbound: Inbound = WEBHOOK.read(orjson.dumps({"data": entries, "meta": {}}), {}, OPTIONS)
    return inbound


def test_an_open_is_an_open_with_campaign_and_channel() -> None:
    assert read(entry(included=[PROFILE])).events == [
        {
            "event_id": "e1",
            "occurred_at": datetime.fromtimestamp(1_763_800_000, UTC),
            "identifier": "c1",
            "event_type": "open",
            "campaign_id": "M1",
            "channel": "email",
            "properties": {"Campaign Name": "Spring", "$message": "M1"},
        }
    ]


def test_without_the_external_id_klaviyos_own_id_is_an_alias() -> None:
    (event,) = read(entry()).events
    assert (event["identifier"], event["identifier_kind"]) == ("01H", "alias")


def test_a_message_of_a_flow_belongs_to_the_flow() -> None:
    told = entry()
    told["payload"]["data"]["attributes"]["event_properties"]["$flow"] = "F1"
    assert read(told).events[0]["campaign_id"] == "F1"


@pytest.mark.parametrize(
    ("topic", "event_type", "channel"),
    [("received_email", "delivered", "email"), ("clicked_email", "click", "email"),
     ("unsubscribed_from_sms_marketing", "unsubscribe", "sms"),
     ("sent_sms", "message_sent", "sms"), ("bounced_push", "bounce", "push"),
     ("opened_push", "open", "push")],
)  # fmt: skip
def test_klaviyos_words_are_ours(topic: str, event_type: str, channel: str) -> None:
    (event,) = read(entry(f"event:klaviyo.{topic}")).events
    assert (event["event_type"], event["channel"]) == (event_type, channel)
    assert event["event_type"] in EVENT_TYPES


def test_other_topics_are_counted() -> None:
    told = read(entry(), entry("event:api.viewed_product"), entry("event:klaviyo.received_sms"))
    assert len(told.events) == 1
    assert told.unknown == {"event:api.viewed_product": 1, "event:klaviyo.received_sms": 1}


@pytest.mark.parametrize(
    "payload",
    [{"data": None}, {"data": []}, {"data": {"id": "e", "attributes": {"timestamp": "soon"}}},
     {"data": {"attributes": {"timestamp": 1}, "relationships": {"profile": {"data": []}}}}],
)  # fmt: skip
def test_bad_input_an_event_without_who_or_when_is_counted(payload: dict[str, Any]) -> None:
    told = read(entry(**payload))
    assert (told.events, told.malformed) == ([], 1)


@pytest.mark.parametrize("body", [b"<html>", b"7", b'{"data":[7]}'])
def test_bad_input_a_body_that_is_no_document_is_refused(body: bytes) -> None:
    with pytest.raises(BadBody):
        WEBHOOK.read(body, {}, OPTIONS)


def signed(body: bytes, timestamp: str) -> dict[str, str]:
    signature = hmac.new(SECRET.encode(), body + timestamp.encode(), hashlib.sha256).hexdigest()
    return {"klaviyo-signature": signature, "klaviyo-timestamp": timestamp}


def test_the_signature_is_over_body_and_time() -> None:
    WEBHOOK.verify(b"{}", signed(b"{}", "1763800000"), OPTIONS)


@pytest.mark.parametrize(
    ("body", "headers", "options"),
    [(b"{}", {}, OPTIONS), (b"{ }", signed(b"{}", "1"), OPTIONS),
     (b"{}", {**signed(b"{}", "1"), "klaviyo-timestamp": "2"}, OPTIONS),
     (b"{}", signed(b"{}", "1"), {}), (b"{}", {"klaviyo-signature": "é"}, OPTIONS)],
)  # fmt: skip
def test_bad_input_without_the_signature_nothing_is_believed(
    body: bytes, headers: dict[str, str], options: dict[str, str]
) -> None:
    with pytest.raises(Forbidden):
        WEBHOOK.verify(body, headers, options)
