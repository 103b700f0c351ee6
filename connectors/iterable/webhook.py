"""What people did with messages, by system webhook: one event a request.

https://support.iterable.com/hc/en-us/articles/208013936-System-Webhooks
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.inbound import Inbound, documents, gathered, require_same, text
from settings import vocabulary as v

TOKEN = "webhook_token"  # noqa: S105 - the name of an option
CHANNELS = {
    "email": "email", "push": "push", "sms": "sms", "inApp": "in_app", "webPush": "web_push",
    "whatsApp": "whatsapp",
}  # fmt: skip
ACTIONS = {"Send": v.MESSAGE_SENT, "Open": v.OPEN, "Click": v.CLICK, "Bounce": v.BOUNCE}
EVENTS: dict[str, tuple[str, str]] = {
    **{
        channel + action: (event_type, canonical)
        for channel, canonical in CHANNELS.items()
        for action, event_type in ACTIONS.items()
    },
    "whatsAppSeen": (v.OPEN, "whatsapp"),
    "emailComplaint": (v.UNSUBSCRIBE, "email"),
    "emailUnSubscribe": (v.UNSUBSCRIBE, "email"),
    "hostedUnsubscribeClick": (v.UNSUBSCRIBE, "email"),
}
# Addresses, phone numbers and places are not.
KEPT = (
    "isBot", "messageId", "templateId", "workflowId", "experimentId", "url", "clickedUrl",
    "deeplink",
)  # fmt: skip


def verify(_body: bytes, headers: Mapping[str, str], options: Mapping[str, Any]) -> None:
    """Iterable sends its auth type before the token, which may be empty, Basic or OAuth2. Raises
    Forbidden."""
    require_same(headers.get("authorization", "").split(" ")[-1], options.get(TOKEN))


def read(body: bytes, _headers: Mapping[str, str], _options: Mapping[str, Any]) -> Inbound:
    """Canonical events. Raises BadBody."""
    return gathered(_read(document) for document in documents(body))


def _read(document: Mapping[str, Any]) -> dict[str, Any] | str | None:
    name = str(document.get("eventName"))
    if name not in EVENTS:
        return name
    data = document.get("dataFields")
    data = data if isinstance(data, dict) else {}
    user_id = text(document.get("userId")) or text(data.get("userId"))
    occurred_at = _moment(data.get("createdAt"))
    if user_id is None or occurred_at is None:
        return None
    event_type, channel = EVENTS[name]
    return {
        v.OCCURRED_AT: occurred_at,
        v.IDENTIFIER: user_id,
        v.EVENT_TYPE: event_type,
        v.CAMPAIGN_ID: text(data.get("campaignId")),
        v.CHANNEL: channel,
        v.PROPERTIES: {key: data[key] for key in KEPT if data.get(key) is not None},
    }


def _moment(created_at: object) -> datetime | None:
    """Iterable writes 2026-11-22 08:00:00 +00:00."""
    try:
        moment = datetime.fromisoformat(str(created_at).replace(" +", "+").replace(" -", "-"))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
