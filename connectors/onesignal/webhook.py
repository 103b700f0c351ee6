"""What people did with messages: OneSignal's event streams.

The body of a stream is of its owner's making; ours is BODY, entered in the stream's settings with
the header ``Authorization: Bearer TOKEN``.

https://documentation.onesignal.com/docs/en/event-streams
https://documentation.onesignal.com/docs/en/event-streams-data
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.inbound import Inbound, Webhook, documents, gathered, moment, text, token_in
from settings import vocabulary as v

FIELDS = (
    "event.id", "event.kind", "event.timestamp", "event.external_id", "message.id",
    "message.template_id",
)  # fmt: skip
BODY = "{" + ", ".join(f'"{name}": "{{{{ {name} }}}}"' for name in FIELDS) + "}"
CHANNELS = {"push": "push", "email": "email", "sms": "sms", "iam": "in_app"}
EVENT_TYPES = {
    "sent": v.MESSAGE_SENT,
    "delivered": v.DELIVERED,
    "received": v.DELIVERED,
    "opened": v.OPEN,
    "impression": v.OPEN,
    "displayed": v.OPEN,
    "clicked": v.CLICK,
    "unsubscribed": v.UNSUBSCRIBE,
    "reported_as_spam": v.UNSUBSCRIBE,
    "bounced": v.BOUNCE,
    "hardbounced": v.BOUNCE,
    "failed": v.BOUNCE,
    "undelivered": v.BOUNCE,
}


def read(body: bytes, headers: Mapping[str, str], options: Mapping[str, Any]) -> Inbound:
    """The events of a request. Raises BadBody."""
    return gathered(_event(document) for document in documents(body))


def _event(document: Mapping[str, Any]) -> dict[str, Any] | str | None:
    """Kinds are called message.CHANNEL.ACTION."""
    kind = text(document.get("event.kind")) or ""
    _, _, rest = kind.partition(".")
    channel, _, action = rest.partition(".")
    if channel not in CHANNELS or action not in EVENT_TYPES:
        return kind or "no event.kind"
    customer_id = text(document.get("event.external_id"))
    occurred_at = moment(document.get("event.timestamp"))
    if customer_id is None or occurred_at is None:
        return None
    message_id = text(document.get("message.id"))
    return {
        v.EVENT_ID: text(document.get("event.id")),
        v.OCCURRED_AT: occurred_at,
        v.IDENTIFIER: customer_id,
        v.EVENT_TYPE: EVENT_TYPES[action],
        # A triggered template is the campaign; a message without one is its own.
        v.CAMPAIGN_ID: text(document.get("message.template_id")) or message_id,
        v.CHANNEL: CHANNELS[channel],
        v.PROPERTIES: {"message_id": message_id} if message_id else {},
    }


WEBHOOK = Webhook(token_in("Authorization", "webhook_token"), read)
