"""What the content routes take in the query and give back."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from plugin.content.asked import REASONS
from plugin.ids import MAX_ID_BYTES, short
from scoring.reasons.reason import MOST_REASONS


def _id(description: str, example: str) -> fields.String:
    return fields.String(
        load_default="",
        validate=short,
        metadata={"description": description, "example": example, "maxLength": MAX_ID_BYTES},
    )


class ForYouArgumentsSchema(ma.Schema):
    customer = _id(
        "The customer's external id; empty or unknown gives what is popular",
        "customer-17",
    )
    campaign = _id("Comes back in the landing link", "spring")
    limit = fields.Integer(
        validate=validate.Range(min=1),
        metadata={
            "description": "How many items at most; more than the workspace allows is cut to that",
            "example": 3,
        },
    )


class RelatedArgumentsSchema(ForYouArgumentsSchema):
    item = _id(
        "The item that the message is about; empty or unknown gives what is popular",
        "1082185",
    )


class ItemSchema(ma.Schema):
    id = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)
    brand = fields.String(required=True, allow_none=True)
    category = fields.String(required=True, allow_none=True)
    price = fields.Float(required=True, allow_none=True)
    image_url = fields.String(required=True, allow_none=True)
    url = fields.String(required=True, allow_none=True)
    score = fields.Float(
        required=True, metadata={"description": "Comparable within one answer; best first"}
    )
    reasons = fields.List(
        fields.String(),
        required=True,
        validate=validate.Length(max=MOST_REASONS),
        metadata={
            "description": "Why this item for this customer, strongest first, in the workspace's "
            "language; empty for what is popular or goes with an item"
        },
    )


class ContentSchema(ma.Schema):
    """An answer at send time. It is 200 and usable whatever happens behind it."""

    ok = fields.Boolean(required=True)
    fallback = fields.Boolean(
        required=True, metadata={"description": "Not what was asked for, but the best there is"}
    )
    reason = fields.String(
        required=True, allow_none=True, validate=validate.OneOf([*REASONS, None])
    )
    send = fields.Boolean(
        required=True, metadata={"description": "False: the template should abort the message"}
    )
    send_reason = fields.String(
        required=True, allow_none=True, metadata={"description": "Why it should not be sent"}
    )
    customer_known = fields.Boolean(required=True)
    snapshot = fields.String(
        required=True, allow_none=True, metadata={"description": "The night that it comes from"}
    )
    decision_id = fields.String(
        required=True,
        metadata={"description": "The same call with the same answer has the same one"},
    )
    items = fields.List(fields.Nested(ItemSchema), required=True)
    landing_url = fields.String(
        required=True, metadata={"description": "A page in this customer's order"}
    )
