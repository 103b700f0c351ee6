"""What people did with messages: MoEngage Streams.

Up to 100 events a request, sent again as a whole when it was not accepted. Streams are set up by
MoEngage's support, with the header ``Authorization: Bearer TOKEN``.

https://www.moengage.com/docs/api/data/moengage-streams
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.inbound import Inbound, Webhook, documents, gathered, moment, text, token_in
from settings import vocabulary as v

# Code of an event → event type, channel.
EVENT_TYPES = {
    "MOE_EMAIL_SENT": (v.MESSAGE_SENT, "email"),
    "MOE_EMAIL_DELIVERED": (v.DELIVERED, "email"),
    "MOE_EMAIL_OPEN": (v.OPEN, "email"),
    "MOE_EMAIL_CLICK": (v.CLICK, "email"),
    "MOE_EMAIL_HARD_BOUNCE": (v.BOUNCE, "email"),
    "MOE_EMAIL_SOFT_BOUNCE": (v.BOUNCE, "email"),
    "MOE_EMAIL_UNSUBSCRIBE": (v.UNSUBSCRIBE, "email"),
    "MOE_EMAIL_SPAM": (v.UNSUBSCRIBE, "email"),
    "SMS_SENT": (v.MESSAGE_SENT, "sms"),
    "SMS_DELIVERED": (v.DELIVERED, "sms"),
    "NOTIFICATION_RECEIVED_MOE": (v.DELIVERED, "push"),
    "NOTIFICATION_RECEIVED_WEB_MOE": (v.DELIVERED, "push"),
    "NOTIFICATION_CLICKED_MOE": (v.CLICK, "push"),
    "NOTIFICATION_CLICKED_IOS_MOE": (v.CLICK, "push"),
    "NOTIFICATION_CLICKED_WEB_MOE": (v.CLICK, "push"),
    "MOE_IN_APP_SHOWN": (v.OPEN, "in_app"),
    "MOE_IN_APP_CLICKED": (v.CLICK, "in_app"),
    "MOE_CARD_SENT": (v.MESSAGE_SENT, "content_card"),
    "MOE_CARD_VIEWED": (v.OPEN, "content_card"),
    "MOE_CARD_CLICKED": (v.CLICK, "content_card"),
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
        v.EVENT_ID: text(document.get("event_uuid")),
        v.OCCURRED_AT: occurred_at,
        v.IDENTIFIER: customer_id,
        v.EVENT_TYPE: event_type,
        v.CAMPAIGN_ID: text(attributes.get("campaign_id")),
        v.CHANNEL: channel,
        v.PROPERTIES: {name: attributes[name] for name in KEPT if attributes.get(name) is not None},
    }


WEBHOOK = Webhook(token_in("Authorization", "webhook_token"), read)
