"""Starting a campaign, or a journey, for one user with data of their own.

A campaign is called by its number, with the channel before it unless that is e-mail: ``12``,
``push:12``, ``journey:7``. https://api.iterable.com/api/docs#email_target
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from connectors.errors import Lost, Retry, Stop
from connectors.http import Answer, Client
from connectors.iterable.answers import accepted

CAMPAIGN = re.compile(r"(?:([A-Za-z]{1,20}):)?([0-9]{1,18})", re.ASCII)
EMAIL, JOURNEY = "email", "journey"
CHANNELS = (EMAIL, "push", "sms", "inApp", "webPush", "whatsApp")


def send(client: Client, campaign_id: str, user_id: str, data: Mapping[str, Any]) -> None:
    """One message. Not idempotent. Raises Retry when it was surely not sent, Lost when nobody
    knows, Split when Iterable refuses this user, and Stop."""
    path, body = _call(campaign_id, user_id, data)
    try:
        answer = client.request("POST", path, body=orjson.dumps(body))
    except Retry as error:
        raise Lost(error.what) from None
    _require_told(answer)
    accepted(client, answer)


def _call(campaign_id: str, user_id: str, data: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """(path, body). Raises Stop for what is no campaign of Iterable's."""
    found = CAMPAIGN.fullmatch(campaign_id)
    channel, number = (found[1] or EMAIL, int(found[2])) if found else ("", 0)
    if channel == JOURNEY:
        body = {"workflowId": number, "userId": user_id, "dataFields": data}
        return "/api/workflows/triggerWorkflow", body
    if channel not in CHANNELS:
        raise Stop(
            f"{campaign_id!r} is no campaign of Iterable: expected a number, or one after"
            f" {JOURNEY}: or a channel ({', '.join(CHANNELS)})"
        )
    body = {"campaignId": number, "recipientUserId": user_id, "dataFields": data}
    return f"/api/{channel}/target", body


def _require_told(answer: Answer) -> None:
    """Raises Lost for an answer that does not say whether the message was sent."""
    untold = answer.status in (408, *range(500, 600))
    if untold or (200 <= answer.status < 300 and not isinstance(answer.body, dict)):
        raise Lost("Iterable did not say whether the message was sent", status=answer.status)
