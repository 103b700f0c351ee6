"""Items as they are now: stock, price and withdrawal, said by the shop between two nights."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

import marshmallow as ma
from flask import Response
from marshmallow import fields, validate

from plugin.auth import EVENTS
from plugin.body import RouteBlueprint, json_body
from plugin.events.batch import accepted, listed, read_each
from plugin.events.schema import AcceptedSchema, BadEventError, id_field, moment, time_field
from plugin.guard import scoped, workspace
from plugin.runtime import runtime
from scoring.store.live import FACTS

MAX_ITEMS = 1000
blueprint = RouteBlueprint(
    "items", __name__, description="What can be bought now, and for how much."
)
EXAMPLE = {"item_id": "1082185", "stock": 0, "at": "2026-03-02T09:15:00Z"}
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"$ref": "#/components/schemas/ItemBatch"},
            "examples": {
                "sold out": {"summary": "Sold out", "value": {"items": [EXAMPLE]}},
                "cheaper": {
                    "summary": "Back in stock, and cheaper",
                    "value": {"items": [{"item_id": "1082185", "stock": 40, "price": 1.79}]},
                },
                "withdrawn": {
                    "summary": "Withdrawn from sale",
                    "value": {"items": [{"item_id": "1082185", "sellable": False}]},
                },
            },
        }
    },
}


class LiveFacts(NamedTuple):
    """``facts`` holds some of stock, price and sellable; ``at_s``: seconds since 1970."""

    item_id: str
    facts: Mapping[str, Any]
    at_s: float


class _Flag(fields.Boolean):
    """True or false, and not a number or a word for it."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


def _whole(value: float) -> None:
    if value % 1:
        raise ma.ValidationError("Must be a whole number.")


class LiveItemSchema(ma.Schema):
    """One item; what is left out stays as it is."""

    item_id = id_field("Which item", required=True)
    stock = fields.Float(
        allow_nan=False,
        allow_none=True,
        validate=[validate.Range(min=0, max=1e9), _whole],
        metadata={"description": "Pieces that can be bought; 0: out of stock", "multipleOf": 1},
    )
    price = fields.Float(
        allow_nan=False,
        allow_none=True,
        validate=validate.Range(min=0, max=1e12),
        metadata={"description": "In the workspace's currency"},
    )
    sellable = _Flag(
        allow_none=True,
        metadata={
            "description": "false: withdrawn, whatever the stock, until true is sent; "
            "true without a stock: on sale, its stock not tracked"
        },
    )
    at = time_field(
        "The moment it is so; what is older than what is known changes nothing; default: now"
    )

    @ma.validates_schema
    def _says_something(self, data: Mapping[str, Any], **_: Any) -> None:
        if all(data.get(name) is None for name in FACTS):
            raise ma.ValidationError("Must hold stock, price or sellable.", "item")


class ItemBatchSchema(ma.Schema):
    """Several items at once; a bad one does not cost the good ones."""

    items = fields.List(
        fields.Nested(LiveItemSchema),
        required=True,
        validate=validate.Length(min=1, max=MAX_ITEMS),
    )


@blueprint.route("/v1/items", methods=["POST"])
@scoped(EVENTS, store=True)
@blueprint.doc(requestBody=_BODY)
@blueprint.response(202, AcceptedSchema, example={"accepted": 1, "rejected": []})
@blueprint.alt_response(400, "BAD_REQUEST")
@blueprint.alt_response(413, "REQUEST_ENTITY_TOO_LARGE")
@blueprint.alt_response(415, "UNSUPPORTED_MEDIA_TYPE")
@blueprint.alt_response(422, "UNPROCESSABLE_ENTITY")
@blueprint.alt_response(503, "SERVICE_UNAVAILABLE")
def take_items() -> Response:
    """Stock, prices and withdrawals of up to 1000 items

    202 means that the accepted items are stored: answers know them at once, the lake within
    minutes. 503 means that not all are: send the same again, which is harmless. An id that no
    source and no event names is kept in the worker's quarantine and shown nowhere.
    """
    here = workspace()
    now = here.now()
    good, rejected = read_each(listed(json_body(), "items", MAX_ITEMS), read, now, here.zone)
    here.store_items(good, now.timestamp())
    counts = runtime().metrics.items
    counts.labels("accepted").inc(len(good))
    counts.labels("rejected").inc(len(rejected))
    return accepted(len(good), rejected)


_SCHEMA = LiveItemSchema()


def read(document: object, now: datetime, zone: tzinfo) -> LiveFacts:
    """What one entry says; ``zone``: of a time that names none. A moment that is still to come
    (clocks differ) counts as now, so that what is said next is not older. Raises BadEventError."""
    if not isinstance(document, Mapping):
        raise BadEventError("not_an_object", {"item": ["Must be a JSON object."]})
    try:
        item = _SCHEMA.load(document)
    except ma.ValidationError as error:
        raise BadEventError("invalid_item", error.normalized_messages()) from error
    at = min(moment(item.get("at"), now, "at", zone), now)
    facts = {name: item[name] for name in FACTS if item.get(name) is not None}
    if "stock" in facts:
        facts["stock"] = int(facts["stock"])
    return LiveFacts(item["item_id"], facts, at.timestamp())
