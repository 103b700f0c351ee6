"""What people did with messages: MoEngage Streams.

Up to 100 events a request, sent again as a whole when it was not accepted. Streams are set up by
MoEngage's support, with the header ``Authorization: Bearer TOKEN``.

https://www.moengage.com/docs/api/data/moengage-streams
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.inbound import Inbound, Webhook, documents, gathered, moment, text, token_in
from scoring.columns import (
    CAMPAIGN_ID,
    CHANNEL,
    EVENT_ID,
    EVENT_TYPE,
    IDENTIFIER,
    MESSAGE_SENT,
    OCCURRED_AT,
    PROPERTIES,
)

# Code of an event → event type, channel.
EVENT_TYPES = {
    "MOE_EMAIL_SENT": (MESSAGE_SENT, "email"),
    "MOE_EMAIL_DELIVERED": ("delivered", "email"),
    "MOE_EMAIL_OPEN": ("open", "email"),
    "MOE_EMAIL_CLICK": ("click", "email"),
    "MOE_EMAIL_HARD_BOUNCE": ("bounce", "email"),
    "MOE_EMAIL_SOFT_BOUNCE": ("bounce", "email"),
    "MOE_EMAIL_UNSUBSCRIBE": ("unsubscribe", "email"),
    "MOE_EMAIL_SPAM": ("unsubscribe", "email"),
    "SMS_SENT": (MESSAGE_SENT, "sms"),
    "SMS_DELIVERED": ("delivered", "sms"),
    "NOTIFICATION_RECEIVED_MOE": ("delivered", "push"),
    "NOTIFICATION_RECEIVED_WEB_MOE": ("delivered", "push"),
    "NOTIFICATION_CLICKED_MOE": ("click", "push"),
    "NOTIFICATION_CLICKED_IOS_MOE": ("click", "push"),
    "NOTIFICATION_CLICKED_WEB_MOE": ("click", "push"),
    "MOE_IN_APP_SHOWN": ("open", "in_app"),
    "MOE_IN_APP_CLICKED": ("click", "in_app"),
    "MOE_CARD_SENT": (MESSAGE_SENT, "content_card"),
    "MOE_CARD_VIEWED": ("open", "content_card"),
    "MOE_CARD_CLICKED": ("click", "content_card"),
}
KEPT = ("campaign_name", "campaign_type")


def read(body: bytes, headers: Mapping[str, str], options: Mapping[str, Any]) -> Inbound:
    """The events of a request. Raises BadBody."""
    return gathered(_event(document) for document in documents(body))


def _event(document: Mapping[str, Any]) -> dict[str, Any] | str | None:
    code = text(document.get("event_code")) or text(document.get("event_name")) or "no event_code"
    if code not in EVENT_TYPES:
        return code
    event_type, channel = EVENT_TYPES[code]
    customer_id, occurred_at = text(document.get("uid")), moment(document.get("event_time"))
    if customer_id is None or occurred_at is None:
        return None
    found = document.get("event_attributes")
    attributes: Mapping[str, Any] = found if isinstance(found, dict) else {}
    return {
        EVENT_ID: text(document.get("event_uuid")),
        OCCURRED_AT: occurred_at,
        IDENTIFIER: customer_id,
        EVENT_TYPE: event_type,
        CAMPAIGN_ID: text(attributes.get("campaign_id")),
        CHANNEL: channel,
        PROPERTIES: {name: attributes[name] for name in KEPT if attributes.get(name) is not None},
    }


WEBHOOK = Webhook(token_in("Authorization", "webhook_token"), read)
