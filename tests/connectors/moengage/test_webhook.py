"""What MoEngage streams becomes canonical events."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.inbound import BadBody, Forbidden, Inbound
from connectors.moengage.webhook import WEBHOOK

EVENT = {
    "event_name": "Email Clicked",
    "event_code": "MOE_EMAIL_CLICK",
    "event_uuid": "5a0f",
    "event_time": 1_613_063_089,
    "uid": "42",
    "event_attributes": {
        "campaign_id": "c1",
        "campaign_name": "Socks",
        "campaign_channel": "EMAIL",
    },
    "user_attributes": {"moe_email": "a@example.com"},
}


def read(*events: dict[str, Any]) -> Inbound:
    body = {"app_name": "shop", "source": "MOENGAGE", "moe_request_id": "r", "events": list(events)}
    return WEBHOOK.read(json.dumps(body).encode(), {}, {})


def test_an_event_is_canonical_with_campaign_and_channel_and_without_address() -> None:
    assert read(EVENT).events == [
        {
            "event_id": "5a0f",
            "occurred_at": datetime(2021, 2, 11, 17, 4, 49, tzinfo=UTC),
            "identifier": "42",
            "event_type": "click",
            "campaign_id": "c1",
            "channel": "email",
            "properties": {"campaign_name": "Socks"},
        }
    ]


@pytest.mark.parametrize(
    ("code", "event_type", "channel"),
    [("MOE_EMAIL_SENT", "message_sent", "email"), ("SMS_DELIVERED", "delivered", "sms"),
     ("NOTIFICATION_CLICKED_IOS_MOE", "click", "push"), ("MOE_IN_APP_SHOWN", "open", "in_app"),
     ("MOE_EMAIL_UNSUBSCRIBE", "unsubscribe", "email"),
     ("MOE_CARD_SENT", "message_sent", "content_card")],
)  # fmt: skip
def test_each_code_has_its_word_and_channel(code: str, event_type: str, channel: str) -> None:
    event = read({**EVENT, "event_code": code}).events[0]
    assert (event["event_type"], event["channel"]) == (event_type, channel)


def test_what_has_no_canonical_word_is_counted_by_its_own() -> None:
    told = read({**EVENT, "event_code": "MOE_EMAIL_DROP"}, {"event_name": "Added"}, {}, EVENT)
    assert told.unknown == {"MOE_EMAIL_DROP": 1, "Added": 1, "no event_code": 1}
    assert len(told.events) == 1


@pytest.mark.parametrize("attributes", [None, [], {}, {"campaign_id": {}}])
def test_an_event_without_campaign_is_kept(attributes: Any) -> None:
    assert read({**EVENT, "event_attributes": attributes}).events[0]["campaign_id"] is None


@pytest.mark.parametrize("change", [{"uid": None}, {"uid": ""}, {"event_time": "soon"}])
def test_bad_input_an_event_of_nobody_or_no_time_is_counted(change: dict[str, Any]) -> None:
    told = read({**EVENT, **change}, EVENT)
    assert (len(told.events), told.malformed) == (1, 1)


@pytest.mark.parametrize("body", [b"<html>", b'{"events":[1]}', b"7"])
def test_bad_input_a_body_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(BadBody):
        WEBHOOK.read(body, {}, {})


def test_the_streams_token_is_taken() -> None:
    WEBHOOK.verify(b"", {"authorization": "Bearer t"}, {"webhook_token": "t"})


@pytest.mark.parametrize(
    ("headers", "options"),
    [({"authorization": "Bearer x"}, {"webhook_token": "t"}), ({}, {"webhook_token": "t"}),
     ({"authorization": "Bearer "}, {})],
)  # fmt: skip
def test_bad_input_another_token_is_refused(
    headers: dict[str, str], options: dict[str, str]
) -> None:
    with pytest.raises(Forbidden):
        WEBHOOK.verify(b"", headers, options)
