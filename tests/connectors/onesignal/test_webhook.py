"""What OneSignal streams becomes canonical events."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.inbound import BadBody, Forbidden, Inbound
from connectors.onesignal.webhook import BODY, WEBHOOK

VALUES = {
    "event.id": "5a0f",
    "event.kind": "message.push.clicked",
    "event.timestamp": "1613063089",
    "event.external_id": "42",
    "message.id": "m1",
    "message.template_id": "",
}


def sent(**values: Any) -> bytes:
    """The body that a marketer entered, as OneSignal fills it."""
    filled = {**VALUES, **{name.replace("__", "."): value for name, value in values.items()}}
    return re.sub(r"\{\{ ([\w.]+) \}\}", lambda tag: filled[tag[1]], BODY).encode()


def read(body: bytes) -> Inbound:
    return WEBHOOK.read(body, {}, {})


def test_an_event_is_canonical_with_campaign_and_channel() -> None:
    assert read(sent()).events == [
        {
            "event_id": "5a0f",
            "occurred_at": datetime(2021, 2, 11, 17, 4, 49, tzinfo=UTC),
            "identifier": "42",
            "event_type": "click",
            "campaign_id": "m1",
            "channel": "push",
            "properties": {"message_id": "m1"},
        }
    ]


def test_the_template_is_the_campaign_where_there_is_one() -> None:
    assert read(sent(message__template_id="t1")).events[0]["campaign_id"] == "t1"


@pytest.mark.parametrize(
    ("kind", "event_type", "channel"),
    [("message.push.sent", "message_sent", "push"), ("message.push.received", "delivered", "push"),
     ("message.email.opened", "open", "email"), ("message.iam.impression", "open", "in_app"),
     ("message.email.hardbounced", "bounce", "email"), ("message.sms.failed", "bounce", "sms"),
     ("message.push.unsubscribed", "unsubscribe", "push")],
)  # fmt: skip
def test_each_kind_has_its_word_and_channel(kind: str, event_type: str, channel: str) -> None:
    event = read(sent(event__kind=kind)).events[0]
    assert (event["event_type"], event["channel"]) == (event_type, channel)


@pytest.mark.parametrize(
    "kind", ["message.live_activity.sent", "message.push.eaten", "message.push", "push", "a.b.c.d"]
)
def test_what_has_no_canonical_word_is_counted_by_its_own(kind: str) -> None:
    assert read(sent(event__kind=kind)).unknown == {kind: 1}


@pytest.mark.parametrize(
    "values", [{"event__external_id": ""}, {"event__timestamp": ""}, {"event__timestamp": "soon"}]
)
def test_bad_input_an_event_of_nobody_or_no_time_is_counted(values: dict[str, str]) -> None:
    told = read(sent(**values))
    assert (told.events, told.malformed) == ([], 1)


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"7"])
def test_bad_input_a_body_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(BadBody):
        read(body)


def test_bad_input_a_body_of_other_making_is_counted() -> None:
    assert read(json.dumps({"event": "sent"}).encode()).unknown == {"no event.kind": 1}


def test_the_streams_token_is_taken() -> None:
    WEBHOOK.verify(b"", {"authorization": "Bearer t"}, {"webhook_token": "t"})


@pytest.mark.parametrize(
    ("headers", "options"),
    [({"authorization": "Bearer x"}, {"webhook_token": "t"}), ({}, {"webhook_token": "t"}),
     ({"authorization": "Bearer "}, {}), ({"authorization": ""}, {"webhook_token": ""})],
)  # fmt: skip
def test_bad_input_another_token_is_refused(
    headers: dict[str, str], options: dict[str, str]
) -> None:
    with pytest.raises(Forbidden):
        WEBHOOK.verify(b"", headers, options)
