"""What Customer.io reports becomes canonical events."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.customerio.webhook import WEBHOOK
from connectors.inbound import BadBody, Forbidden, Inbound

KEY = "signing-key"
EVENT = {
    "event_id": "01E4C4CT6YDC7Y5M7FE1GWWPQJ",
    "object_type": "email",
    "metric": "clicked",
    "timestamp": 1_613_063_089,
    "data": {
        "customer_id": "0200000001",
        "identifiers": {"id": "42", "email": "a@example.com", "cio_id": "d9"},
        "broadcast_id": 9,
        "delivery_id": "RPIL",
        "href": "https://shop.example.com/socks",
        "recipient": "a@example.com",
        "subject": "Socks",
    },
}


def read(*events: dict[str, Any]) -> Inbound:
    return WEBHOOK.read(b"\n".join(json.dumps(each).encode() for each in events), {}, {})


def with_data(**data: Any) -> dict[str, Any]:
    return {**EVENT, "data": {**EVENT["data"], **data}}  # type: ignore[dict-item]


def test_an_event_is_canonical_with_campaign_and_channel_and_without_address() -> None:
    assert read(EVENT).events == [
        {
            "event_id": "01E4C4CT6YDC7Y5M7FE1GWWPQJ",
            "occurred_at": datetime(2021, 2, 11, 17, 4, 49, tzinfo=UTC),
            "identifier": "42",
            "event_type": "click",
            "campaign_id": "9",
            "channel": "email",
            "properties": {"delivery_id": "RPIL", "url": "https://shop.example.com/socks"},
        }
    ]


@pytest.mark.parametrize(
    ("metric", "event_type"),
    [("sent", "message_sent"), ("delivered", "delivered"), ("opened", "open"),
     ("converted", "conversion"), ("unsubscribed", "unsubscribe"), ("bounced", "bounce")],
)  # fmt: skip
def test_each_metric_has_its_word(metric: str, event_type: str) -> None:
    assert read({**EVENT, "metric": metric}).events[0]["event_type"] == event_type


def test_what_has_no_canonical_word_is_counted_by_its_own() -> None:
    told = read({**EVENT, "metric": "drafted"}, {"metric": "drafted", "object_type": "push"}, {})
    assert told.unknown == {"email drafted": 1, "push drafted": 1, "None None": 1}


@pytest.mark.parametrize(
    ("data", "campaign_id"),
    [({"campaign_id": 3}, "3"), ({"broadcast_id": None, "newsletter_id": 3}, "newsletter-3"),
     ({"broadcast_id": None, "transactional_message_id": 3}, "transactional-3"),
     ({"broadcast_id": None}, None)],
)  # fmt: skip
def test_campaigns_newsletters_and_transactional_messages_are_told_apart(
    data: dict[str, Any], campaign_id: str | None
) -> None:
    assert read(with_data(**data)).events[0]["campaign_id"] == campaign_id


def test_an_unsubscription_of_the_person_has_no_channel() -> None:
    told = read({**EVENT, "object_type": "customer", "metric": "unsubscribed"})
    assert told.events[0]["channel"] is None


def test_a_workspace_of_old_sends_our_id_alone() -> None:
    assert read(with_data(identifiers=None)).events[0]["identifier"] == "0200000001"


@pytest.mark.parametrize(
    "event", [with_data(identifiers={"email": "a"}), {**EVENT, "timestamp": None},
              {**EVENT, "timestamp": "soon"}, {**EVENT, "data": None}]
)  # fmt: skip
def test_bad_input_an_event_of_nobody_or_no_time_is_counted(event: dict[str, Any]) -> None:
    told = read(event)
    assert (told.events, told.malformed) == ([], 1)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"null"])
def test_bad_input_a_body_that_is_none_is_refused(body: bytes) -> None:
    if body:
        with pytest.raises(BadBody):
            WEBHOOK.read(body, {}, {})
    else:
        assert WEBHOOK.read(body, {}, {}).events == []


def signed(body: bytes, timestamp: str = "1613063089", key: str = KEY) -> dict[str, str]:
    text = b"v0:" + timestamp.encode() + b":" + body
    signature = hmac.new(key.encode(), text, hashlib.sha256).hexdigest()
    return {"x-cio-timestamp": timestamp, "x-cio-signature": signature}


def test_a_signed_request_is_taken() -> None:
    WEBHOOK.verify(b"{}", signed(b"{}"), {"webhook_signing_key": KEY})


@pytest.mark.parametrize(
    ("headers", "options"),
    [(signed(b"{}", key="other"), {"webhook_signing_key": KEY}),
     (signed(b"{ }"), {"webhook_signing_key": KEY}), ({}, {"webhook_signing_key": KEY}),
     ({**signed(b"{}"), "x-cio-timestamp": "1613063090"}, {"webhook_signing_key": KEY}),
     (signed(b"{}"), {}), (signed(b"{}", key=""), {"webhook_signing_key": ""})],
)  # fmt: skip
def test_bad_input_a_request_that_is_not_customerios_is_refused(
    headers: dict[str, str], options: dict[str, str]
) -> None:
    with pytest.raises(Forbidden):
        WEBHOOK.verify(b"{}", headers, options)
