"""Starting a campaign for one user, with data of their own.

https://api.iterable.com/api/docs#email_target
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from connectors.errors import Lost, Reject, Retry, Split, Stop
from connectors.http import Answer, Client
from connectors.iterable.answers import accepted

# messageMedium of a campaign → the call that sends one message of it.
CALLS = {
    medium.lower(): f"/api/{medium}/target"
    for medium in ("email", "push", "sms", "inApp", "webPush", "whatsApp")
}


def call_of(client: Client, campaign_id: str) -> str:
    """The path by which a campaign is sent. Raises Retry or Stop."""
    if not (campaign_id.isascii() and campaign_id.isdigit()):
        raise Stop(f"Iterable numbers its campaigns; {campaign_id!r} is no number")
    answer = client.request("GET", f"/api/campaigns/{campaign_id}")
    if answer.status in (400, 404):
        raise Stop(f"Iterable has no campaign {campaign_id}", status=answer.status)
    medium = str(accepted(client, answer).get("messageMedium"))
    path = CALLS.get(medium.lower().replace("-", "").replace("_", ""))
    if path is None:
        raise Stop(f"a campaign by {client.reason(medium)} cannot be triggered for one user")
    return path


def send(
    client: Client, path: str, campaign_id: str, user_id: str, data: Mapping[str, Any]
) -> None:
    """One message. Not idempotent. Raises Retry when it was surely not sent, Lost when nobody
    knows, Reject when Iterable refuses this user, and Stop."""
    body = {"campaignId": int(campaign_id), "recipientUserId": user_id, "dataFields": data}
    try:
        answer = client.request("POST", path, body=orjson.dumps(body))
    except Retry as error:
        raise Lost(error.what) from None
    try:
        _require_told(answer)
        accepted(client, answer)
    except Split as error:
        raise Reject(error.what, status=error.status) from None


def _require_told(answer: Answer) -> None:
    """Raises Lost for an answer that does not say whether the message was sent."""
    untold = answer.status in (408, *range(500, 600))
    if untold or (200 <= answer.status < 300 and not isinstance(answer.body, dict)):
        raise Lost("Iterable did not say whether the message was sent", status=answer.status)
