"""What people did with messages: Customer.io's reporting webhooks.

One event a request, signed. Customer.io tries again for seven days, so an old signature is no
reason to refuse; an event that comes twice is known by its id.

https://docs.customer.io/integrations/api/webhooks/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.inbound import (
    Inbound,
    Webhook,
    documents,
    gathered,
    hmac_sha256,
    moment,
    require_same,
    text,
)
from settings import vocabulary as v

EVENT_TYPES = {
    "sent": v.MESSAGE_SENT,
    "delivered": v.DELIVERED,
    "opened": v.OPEN,
    "clicked": v.CLICK,
    "converted": v.CONVERSION,
    "unsubscribed": v.UNSUBSCRIBE,
    "spammed": v.UNSUBSCRIBE,
    "bounced": v.BOUNCE,
    "failed": v.BOUNCE,
    "undeliverable": v.BOUNCE,
}
KEPT = {
    "delivery_id": "delivery_id",
    "action_id": "action_id",
    "href": "url",
    "machine": "machine_click",
    "prefetched": "machine_open",
}
# Broadcasts are campaigns; newsletters and transactional messages have numbers of their own.
CAMPAIGNS = {
    "campaign_id": "",
    "broadcast_id": "",
    "newsletter_id": "newsletter-",
    "transactional_message_id": "transactional-",
}


def verify(body: bytes, headers: Mapping[str, str], options: Mapping[str, Any]) -> None:
    """The signature is of version, time and body. Raises Forbidden."""
    signed = b"v0:" + headers.get("x-cio-timestamp", "").encode() + b":" + body
    expected = hmac_sha256(options.get("webhook_signing_key"), signed)
    require_same(headers.get("x-cio-signature", ""), expected)


def read(body: bytes, headers: Mapping[str, str], options: Mapping[str, Any]) -> Inbound:
    """The events of a request. Raises BadBody."""
    return gathered(_event(document) for document in documents(body))


def _event(document: Mapping[str, Any]) -> dict[str, Any] | str | None:
    metric, channel = text(document.get("metric")), text(document.get("object_type"))
    event_type = EVENT_TYPES.get(metric or "")
    if event_type is None:
        return f"{channel} {metric}"
    found = document.get("data")
    data: Mapping[str, Any] = found if isinstance(found, dict) else {}
    customer_id, occurred_at = _customer_id(data), moment(document.get("timestamp"))
    if customer_id is None or occurred_at is None:
        return None
    return {
        v.EVENT_ID: text(document.get("event_id")),
        v.OCCURRED_AT: occurred_at,
        v.IDENTIFIER: customer_id,
        v.EVENT_TYPE: event_type,
        v.CAMPAIGN_ID: _campaign_id(data),
        v.CHANNEL: None if channel == "customer" else channel,
        v.PROPERTIES: {ours: data[its] for its, ours in KEPT.items() if data.get(its) is not None},
    }


def _customer_id(data: Mapping[str, Any]) -> str | None:
    """Beside ``identifiers``, customer_id is Customer.io's own; workspaces of old send it alone."""
    identifiers = data.get("identifiers")
    return text(identifiers.get("id") if isinstance(identifiers, dict) else data.get("customer_id"))


def _campaign_id(data: Mapping[str, Any]) -> str | None:
    for name, prefix in CAMPAIGNS.items():
        number = text(data.get(name))
        if number is not None:
            return prefix + number
    return None


WEBHOOK = Webhook(verify, read)
