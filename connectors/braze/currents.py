"""Braze Currents: what people did with messages, as canonical events.

The words are those of the event glossary; files and HTTP hold the same fields, the latter in the
sub-objects ``user`` and ``properties``, so that an event is the same whichever way it came.
https://www.braze.com/docs/user_guide/data/distribution/braze_currents/event_glossary
https://www.braze.com/docs/currents_connector
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from marshmallow import fields, validate

from connectors import inbound
from connectors.inbound import (
    EventFile,
    EventFiles,
    Inbound,
    Webhook,
    documents,
    gathered,
    token_in,
)
from connectors.options import ConnectorOptions
from settings import vocabulary as v

TOKEN_OPTION = "currents_token"  # noqa: S105 - the option's name
CUSTOM_EVENT = "users.behaviors.CustomEvent"
PURCHASE = "users.behaviors.Purchase"
SESSION_START = "users.behaviors.app.SessionStart"
PRICE_DIGITS = 4  # files hold a float of 32 bits: 3.14 comes as 3.140000104904175
CHANNELS = {
    "email": "email",
    "pushnotification": "push",
    "inappmessage": "in_app",
    "contentcard": "content_card",
    "banner": "banner",
    "sms": "sms",
    "rcs": "rcs",
    "whatsapp": "whatsapp",
    "line": "line",
    "webhook": "webhook",
}
_OF_MESSAGES = {
    "Send": v.MESSAGE_SENT,
    "Delivery": v.DELIVERED,
    "Open": v.OPEN,
    "Read": v.OPEN,
    "Impression": v.OPEN,
    "Click": v.CLICK,
    "ShortLinkClick": v.CLICK,
    "Bounce": v.BOUNCE,
    "SoftBounce": v.BOUNCE,
    "DeliveryFailure": v.BOUNCE,
    "Failure": v.BOUNCE,
    "Rejection": v.BOUNCE,
    "Unsubscribe": v.UNSUBSCRIBE,
    "MarkAsSpam": v.UNSUBSCRIBE,
}
_OF_CAMPAIGNS = {
    "users.campaigns.Conversion": v.CONVERSION,
    "users.canvas.Conversion": v.CONVERSION,
    "users.canvas.experimentstep.Conversion": v.CONVERSION,
    "users.campaigns.EnrollInControl": v.CONTROL,
}
# What they mean stands in a field.
_BY_FIELD: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "users.canvas.Entry": ("in_control_group", {"true": v.CONTROL}),
    "users.canvas.experimentstep.SplitEntry": ("in_control_group", {"true": v.CONTROL}),
    "users.behaviors.subscription.GlobalStateChange": (
        "subscription_status", {"Unsubscribed": v.UNSUBSCRIBE, "unsubscribed": v.UNSUBSCRIBE},
    ),
    "users.behaviors.subscriptiongroup.StateChange": (
        "subscription_status", {"Unsubscribed": v.UNSUBSCRIBE, "unsubscribed": v.UNSUBSCRIBE},
    ),
}  # fmt: skip
# Kept in ``properties``, sorted. Addresses and phone numbers are not.
KEPT = (
    "canvas_step_id", "canvas_variation_id", "conversion_behavior", "currency",
    "experiment_step_id", "is_suspected_bot_click", "machine_open", "message_variation_id", "name",
    "send_id", "subscription_group_id", "timezone", "url",
)  # fmt: skip
READ = (
    "id", "time", "external_user_id", "user_id", "device_id", "campaign_id", "canvas_id",
    "product_id", "price", "platform", "channel", "properties", "in_control_group",
    "subscription_status", *KEPT,
)  # fmt: skip

ANONYMOUS = "braze:"  # before Braze's own id of a profile that has neither external id nor device


@dataclass(frozen=True)
class Meaning:
    """How records of one type become events: of type ``word``, or, when that is None, of the type
    that ``words`` has for the value of ``field`` (true is "true"; none: no event)."""

    word: str | None = None
    field: str = ""
    words: Mapping[str, str] = dataclasses.field(default_factory=dict)
    channel: str | None = None
    channel_field: bool = False  # the record names its channel
    by_platform: bool = False  # the channel is web or app
    item: str | None = None  # field with the item, or with a JSON object that has
    item_property: str | None = None


class CurrentsOptions(ConnectorOptions):
    """What a shop's own events mean; the same for files and HTTP."""

    custom_events = fields.Dict(
        keys=fields.String(),
        values=fields.String(validate=validate.OneOf(v.EVENT_TYPES)),
        load_default=dict,
        metadata={
            "description": "Name of a custom event in Currents to the event type that it is",
            "example": {"product_viewed": "view"},
        },
    )
    item_property = fields.String(
        load_default="item_id",
        metadata={"description": "Property of a custom event that holds the item's id"},
    )


class FilesOptions(CurrentsOptions):
    """A source of Currents files."""

    path = fields.String(
        required=True,
        validate=validate.Length(min=1),
        metadata={
            "description": "Folder, glob or file, relative to this YAML file; or object storage "
            "as fsspec names it, which then has to be installed. Folders below count",
            "example": "s3://bucket/dataexport.prod-03.S3.integration.0123/",
        },
    )


def meaning(event_type: str, options: Mapping[str, Any]) -> Meaning | None:
    """What records of this type mean; None when there is no canonical word for it."""
    if event_type == CUSTOM_EVENT:
        return Meaning(
            field="name",
            words=options["custom_events"],
            by_platform=True,
            item="properties",
            item_property=options["item_property"],
        )
    if event_type == PURCHASE:
        return Meaning(v.PURCHASE, by_platform=True, item="product_id")
    if event_type == SESSION_START:
        return Meaning(v.APP_OPEN, by_platform=True)
    if event_type in _BY_FIELD:
        field, words = _BY_FIELD[event_type]
        return Meaning(field=field, words=words, channel_field=True)
    if event_type in _OF_CAMPAIGNS:
        return Meaning(_OF_CAMPAIGNS[event_type])
    start, _, what = event_type.rpartition(".")
    channel = CHANNELS.get(start.removeprefix("users.messages."))
    word = _OF_MESSAGES.get(what)
    return Meaning(word, channel=channel) if word and channel else None


def read(body: bytes, _headers: Mapping[str, str], options: Mapping[str, Any]) -> Inbound:
    """A request of a Custom HTTP Currents. An empty one only asks whether the token is right."""
    return gathered(_events(documents(body), options))


def open_files(options: Mapping[str, Any], base: Path) -> list[EventFile]:
    """The Avro files of a source. Raises Unreadable."""
    # numpy and Arrow are for the processes that import, not for the web's
    from connectors.braze import currents_files

    return currents_files.open_files(options, base)


WEBHOOK = Webhook(verify=token_in("Authorization", TOKEN_OPTION), read=read)
EVENT_FILES = EventFiles("braze_currents", FilesOptions, open_files)


def _events(
    found: list[dict[str, Any]], options: Mapping[str, Any]
) -> Iterator[dict[str, Any] | str | None]:
    for document in found:
        kind = document.get("event_type")
        if not isinstance(kind, str):
            yield None
            continue
        record = _flat(document)
        means = meaning(kind, options)
        word = means and (means.word or means.words.get(_written(record.get(means.field))))
        yield _event(record, means, word) if means and word else kind


def _flat(document: Mapping[str, Any]) -> dict[str, Any]:
    """The record as a file would hold it: without sub-objects, and without what is no value."""
    flat: dict[str, Any] = {}
    for part in (document, document.get("user"), document.get("properties")):
        if isinstance(part, dict):
            flat |= {
                name: each for name, each in part.items() if isinstance(each, str | int | float)
            }
            if isinstance(part.get("custom_properties"), dict):
                flat["properties"] = part["custom_properties"]
    return flat


def _event(record: Mapping[str, Any], means: Meaning, word: str) -> dict[str, Any] | None:
    """A canonical event; None without what makes it one: id and time."""
    time = inbound.moment(record.get("time"))
    if not record.get("id") or time is None:
        return None
    device = record.get("device_id") or None
    who, kind = record.get("external_user_id"), v.EXTERNAL_ID
    if not who:
        who, kind = device, v.DEVICE_ID
    if not who and record.get("user_id"):
        who, kind = f"{ANONYMOUS}{record['user_id']}", v.ALIAS
    channel = means.channel
    if means.channel_field:
        channel = record.get("channel") or None
    elif means.by_platform:
        channel = surface(record.get("platform"))
    price = record.get("price") if means.item == "product_id" else None
    return {
        v.EVENT_ID: record["id"],
        v.OCCURRED_AT: time,
        v.IDENTIFIER: who,
        v.IDENTIFIER_KIND: kind,
        v.EVENT_TYPE: word,
        v.ITEM_ID: _item(record, means),
        v.UNIT_PRICE: round(price, PRICE_DIGITS) if isinstance(price, int | float) else None,
        v.CAMPAIGN_ID: record.get("campaign_id") or record.get("canvas_id") or None,
        v.CHANNEL: channel,
        v.DEVICE_ID: device,
        v.PROPERTIES: {
            name: _written(record[name]) for name in KEPT if record.get(name) is not None
        },
    }


def surface(platform: object) -> str:
    """The channel of what people did in the shop itself."""
    return "web" if platform == "web" else "app"


def item_of(properties: object, name: str) -> str | None:
    """The item that a custom event's own properties (an object, or its JSON) name."""
    if isinstance(properties, str):
        try:
            properties = orjson.loads(properties)
        except orjson.JSONDecodeError:
            return None
    return inbound.text(properties.get(name)) if isinstance(properties, dict) else None


def _item(record: Mapping[str, Any], means: Meaning) -> str | None:
    if means.item is None:
        return None
    found = record.get(means.item)
    return item_of(found, means.item_property) if means.item_property else inbound.text(found)


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
