"""What a real-time event looks like, and how one is read.

The fields are the canonical columns of settings.vocabulary; ``properties`` is an object here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import marshmallow as ma
import orjson
from marshmallow import fields, validate

from plugin import ids
from plugin.events.quick import quick
from scoring import columns as c

MAX_BATCH = 500
_MAX_PROPERTIES_BYTES = 8192
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_FUTURE = timedelta(days=1)
EXAMPLE = {
    "event_id": "order-1009-1",
    "occurred_at": "2026-03-02T09:15:00Z",
    "identifier": "customer-17",
    "event_type": "purchase",
    "item_id": "1082185",
    "quantity": 2,
    "unit_price": 1.99,
}


def _short(value: str) -> None:
    if not value.strip():
        raise ma.ValidationError("Must not be empty.")
    if "\x00" in value:
        raise ma.ValidationError("Must not hold the character NUL.")
    ids.short(value)


def id_field(description: str, **options: Any) -> fields.String:
    return fields.String(
        validate=_short,
        metadata={"description": description, "minLength": 1, "maxLength": ids.MAX_ID_BYTES},
        **options,
    )


def time_field(description: str) -> fields.DateTime:
    """A moment; without a zone it stays so: moment() knows the workspace's."""
    zone = "ISO 8601 with its zone: `+09:00`, or `Z` for UTC, which Korean local time is not; "
    return fields.DateTime(
        format="iso",
        allow_none=True,
        metadata={
            "description": f"{zone}without one it is the workspace's `timezone`. {description}"
        },
    )


class EventSchema(ma.Schema):
    """One thing that a customer did."""

    event_id = id_field(
        "Makes a repeated delivery harmless; default: a hash of the content", allow_none=True
    )
    occurred_at = time_field(
        "Default: now. A moment more than 10 minutes ahead counts as now, one more than a day "
        "ahead is refused"
    )
    identifier = id_field("Who; may be left out when device_id is given")
    identifier_kind = fields.String(
        validate=validate.OneOf(c.IDENTIFIER_KINDS),
        metadata={"description": "Default external_id"},
    )
    event_type = fields.String(required=True, validate=validate.OneOf(c.EVENT_TYPES))
    item_id = id_field("Which item", allow_none=True)
    quantity = fields.Float(
        allow_nan=False,
        allow_none=True,
        validate=validate.Range(min=-1e9, max=1e9),
        metadata={
            "description": "Default 1; 0 takes the item out of the cart (event type cart); "
            "negative only for event type return"
        },
    )
    unit_price = fields.Float(
        allow_nan=False,
        allow_none=True,
        validate=validate.Range(min=0, max=1e12),
        metadata={"description": "In the workspace's currency"},
    )
    campaign_id = id_field("Which campaign", allow_none=True)
    channel = id_field("Which channel", allow_none=True)
    device_id = id_field("On which device", allow_none=True)
    properties = fields.Dict(
        keys=fields.String(), allow_none=True, metadata={"description": "Anything else"}
    )

    @ma.validates_schema
    def _consistent(self, data: Mapping[str, Any], **_: Any) -> None:
        if not data.get("identifier") and not data.get("device_id"):
            raise ma.ValidationError("Missing data for required field.", "identifier")
        self._links(data)
        if (data.get("quantity") or 0) < 0 and data.get("event_type") != c.RETURN:
            raise ma.ValidationError("May be negative for event type return only.", "quantity")
        try:
            size = len(orjson.dumps(data.get("properties") or {}))
        except orjson.JSONEncodeError:
            raise ma.ValidationError("Must not be nested so deeply.", "properties") from None
        if size > _MAX_PROPERTIES_BYTES:
            raise ma.ValidationError(
                f"Must be at most {_MAX_PROPERTIES_BYTES} bytes of JSON.", "properties"
            )

    def _links(self, data: Mapping[str, Any]) -> None:
        kind = data.get("identifier_kind")
        event_type, device = data.get("event_type"), data.get("device_id")
        if event_type == c.UNLINK and not device and kind != c.DEVICE_ID:
            raise ma.ValidationError("Missing data for required field.", "device_id")
        if event_type == c.LINK and not (device and data.get("identifier")):
            name = "identifier" if device else "device_id"
            raise ma.ValidationError("Missing data for required field.", name)


class EventBatchSchema(ma.Schema):
    """Several events at once; a bad one does not cost the good ones."""

    events = fields.List(
        fields.Nested(EventSchema),
        required=True,
        validate=validate.Length(min=1, max=MAX_BATCH),
    )


class RejectedEventSchema(ma.Schema):
    index = fields.Integer(required=True, metadata={"description": "Position in the batch, from 0"})
    code = fields.String(required=True)
    message = fields.String(required=True)


class AcceptedSchema(ma.Schema):
    """The accepted events are durable; the rejected ones are not to be sent again as they are."""

    accepted = fields.Integer(required=True)
    rejected = fields.List(fields.Nested(RejectedEventSchema), required=True)


class ToldSchema(ma.Schema):
    """The accepted events are durable; nothing of the request is to be sent again."""

    accepted = fields.Integer(required=True)
    rejected = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "Reason to how many events have it"},
    )
    unknown_words = fields.Dict(
        data_key="unknown",
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={
            "description": "The tool's word to how many events are left out for want of an "
            "event type"
        },
    )


class BadEventError(Exception):
    """This event cannot be taken; ``code`` is a stable word, ``details`` go by field."""

    def __init__(self, code: str, details: Mapping[str, Any]) -> None:
        self.code = code
        self.details = dict(details)
        super().__init__("; ".join(f"{name}: {_first(found)}" for name, found in details.items()))


_SCHEMA = EventSchema()


def read(document: object, now: datetime, zone: tzinfo = UTC) -> dict[str, Any]:
    """One event as a canonical row: every column of EVENT_COLUMNS, ``occurred_at`` aware in UTC,
    ``properties`` a JSON text or None. ``zone``: of a time that names none.

    Raises BadEventError.
    """
    if not isinstance(document, Mapping):
        raise BadEventError("not_an_object", {"event": ["Must be a JSON object."]})
    event = quick(document) or load(document)
    row: dict[str, Any] = dict.fromkeys(c.EVENT_COLUMNS)
    row.update(event)
    row[c.OCCURRED_AT] = moment(row[c.OCCURRED_AT], now, c.OCCURRED_AT, zone)
    if not row[c.IDENTIFIER]:
        row[c.IDENTIFIER], row[c.IDENTIFIER_KIND] = row[c.DEVICE_ID], "device_id"
    row[c.IDENTIFIER_KIND] = row[c.IDENTIFIER_KIND] or c.EXTERNAL_ID
    properties = row[c.PROPERTIES]
    row[c.PROPERTIES] = (
        orjson.dumps(properties, option=orjson.OPT_SORT_KEYS).decode() if properties else None
    )
    row[c.EVENT_ID] = row[c.EVENT_ID] or _content_id(row)
    return row


def load(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the schema says of an event. Raises BadEventError."""
    try:
        event: dict[str, Any] = _SCHEMA.load(document)
    except ma.ValidationError as error:
        found = error.normalized_messages()
        raise BadEventError("invalid_event", found) from error
    return event


def moment(given: datetime | None, now: datetime, name: str, zone: tzinfo) -> datetime:
    """The moment that the field ``name`` gives, in UTC; without one it is now. ``zone``: of one
    that names none. Raises BadEventError for one before 1970 or more than a day ahead."""
    if given is None:
        return now
    try:
        time = (given if given.tzinfo else given.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        time = datetime.min.replace(tzinfo=UTC)
    if time < _EARLIEST:
        raise BadEventError("invalid_event", {name: ["Must be in or after 1970."]})
    if time > now + _FUTURE:
        raise BadEventError(
            "in_the_future",
            {
                name: [
                    f"Must not be later than {(now + _FUTURE).isoformat()}. Send local time with "
                    "its offset, such as +09:00."
                ]
            },
        )
    return time


def _content_id(row: Mapping[str, Any]) -> str:
    """The same content twice is the same event."""
    content = [row[name] for name in c.EVENT_COLUMNS if name != c.EVENT_ID]
    return hashlib.blake2b(orjson.dumps(content), digest_size=16).hexdigest()


def _first(found: Any) -> str:
    while isinstance(found, list | dict) and found:
        found = next(iter(found.values() if isinstance(found, dict) else found))
    return str(found)
