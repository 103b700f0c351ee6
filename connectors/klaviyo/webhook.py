"""What people did with messages, by system webhook: up to 1,000 events a request.

https://developers.klaviyo.com/en/docs/working_with_system_webhooks
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.inbound import Inbound, documents, gathered, hmac_sha256, moment, require_same, text
from settings import vocabulary as v

SECRET = "webhook_secret"  # noqa: S105 - the name of an option
PREFIX = "event:klaviyo."
EVENTS: dict[str, tuple[str, str]] = {
    "received_email": (v.DELIVERED, "email"),
    "opened_email": (v.OPEN, "email"),
    "clicked_email": (v.CLICK, "email"),
    "bounced_email": (v.BOUNCE, "email"),
    "marked_email_as_spam": (v.UNSUBSCRIBE, "email"),
    "unsubscribed_from_email_marketing": (v.UNSUBSCRIBE, "email"),
    "sent_sms": (v.MESSAGE_SENT, "sms"),
    "clicked_sms": (v.CLICK, "sms"),
    "failed_to_deliver_sms": (v.BOUNCE, "sms"),
    "unsubscribed_from_sms_marketing": (v.UNSUBSCRIBE, "sms"),
    "bounced_push": (v.BOUNCE, "push"),
    "received_push": (v.DELIVERED, "push"),
    "opened_push": (v.OPEN, "push"),
}
KEPT = ("Campaign Name", "$message", "$flow", "$variation", "URL")


def verify(body: bytes, headers: Mapping[str, str], options: Mapping[str, Any]) -> None:
    """The signature is over the body and the time after it. A recorded request that comes again
    does nothing: its events have the ids that they had. Raises Forbidden."""
    signed = body + headers.get("klaviyo-timestamp", "").encode()
    given = headers.get("klaviyo-signature", "").lower()
    require_same(given, hmac_sha256(options.get(SECRET), signed))


def read(body: bytes, _headers: Mapping[str, str], _options: Mapping[str, Any]) -> Inbound:
    """Canonical events. Raises BadBody."""
    return gathered(_read(entry) for entry in documents(body, key="data"))


def _read(entry: Mapping[str, Any]) -> dict[str, Any] | str | None:
    topic = str(entry.get("topic"))
    if topic.removeprefix(PREFIX) not in EVENTS:
        return topic
    event_type, channel = EVENTS[topic.removeprefix(PREFIX)]
    payload = _object(entry.get("payload"))
    event = _object(payload.get("data"))
    attributes = _object(event.get("attributes"))
    properties = _object(attributes.get("event_properties"))
    event_id = text(entry.get("external_id")) or text(event.get("id"))
    occurred_at, who = moment(attributes.get("timestamp")), _who(payload, event)
    if event_id is None or occurred_at is None or who is None:
        return None
    return {
        v.EVENT_ID: event_id,
        v.OCCURRED_AT: occurred_at,
        **who,
        v.EVENT_TYPE: event_type,
        v.CAMPAIGN_ID: text(properties.get("$flow")) or text(properties.get("$message")),
        v.CHANNEL: channel,
        v.PROPERTIES: {key: properties[key] for key in KEPT if properties.get(key) is not None},
    }


def _who(payload: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, str] | None:
    """The external id where the profile comes along, else Klaviyo's own id as an alias."""
    included = payload.get("included")
    for resource in included if isinstance(included, list) else []:
        if isinstance(resource, dict) and resource.get("type") == "profile":
            external_id = text(_object(resource.get("attributes")).get("external_id"))
            if external_id is not None:
                return {v.IDENTIFIER: external_id}
    profile = _object(_object(_object(event.get("relationships")).get("profile")).get("data"))
    profile_id = text(profile.get("id"))
    return None if profile_id is None else {v.IDENTIFIER: profile_id, v.IDENTIFIER_KIND: "alias"}


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
