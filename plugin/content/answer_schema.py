"""What the content routes give back."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from plugin.content.asked import REASONS
from plugin.content.policy import SEND_REASONS
from scoring.reasons.reason import MOST_REASONS


def _text(description: str) -> fields.String:
    return fields.String(allow_none=True, metadata={"description": description})


def _float(description: str) -> fields.Float:
    return fields.Float(allow_none=True, metadata={"description": description})


def _words(meanings: dict[str, str]) -> str:
    return "; ".join(f"`{word}`: {meaning}" for word, meaning in meanings.items())


class ItemSchema(ma.Schema):
    """An item of an answer; what is not required is there only for some kinds or parameters."""

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
            "description": "Why this item for this customer, strongest first, in the language of "
            "`locale` (default: the workspace's); empty for what is popular or goes with an item"
        },
    )
    local_price = _float(
        "With `currency` or `locale`: the price in `local_currency`, a whole number where the "
        "currency has no decimals"
    )
    local_currency = fields.String(
        metadata={"description": "With `currency` or `locale`: ISO 4217 code of `local_price`"}
    )
    price_text = _text("With `currency` or `locale`: the price as people write it")
    in_cart = fields.Boolean(metadata={"description": "cart: false for what `fill` added"})
    added_at = fields.String(metadata={"description": "cart: since when, ISO 8601, UTC"})
    hours_in_cart = fields.Integer(metadata={"description": "cart: whole hours since then"})
    quantity = fields.Float(metadata={"description": "cart: pieces"})
    price_then = _float("cart, price-drop: what it cost when the customer carted or looked")
    price_drop = _float("cart, price-drop: by how much less it costs now")
    drop_share = fields.Float(metadata={"description": "price-drop: share of `price_then`"})
    stock = fields.Integer(
        allow_none=True, metadata={"description": "cart: pieces now; null: not tracked"}
    )
    low_stock = fields.Boolean(metadata={"description": "cart: few pieces are left"})
    watched = fields.String(
        metadata={"description": "back-in-stock, price-drop: how: view, cart or interest"}
    )
    watched_at = fields.String(metadata={"description": "back-in-stock, price-drop: when last"})
    back_since = fields.String(metadata={"description": "back-in-stock: day, UTC"})
    due_on = fields.String(metadata={"description": "replenishment: day, UTC"})
    interval_days = fields.Integer(metadata={"description": "replenishment: how long it lasts"})
    last_bought_on = fields.String(metadata={"description": "replenishment: day, UTC"})
    new_since = fields.String(metadata={"description": "new-arrivals: day, UTC"})


class LeftOutSchema(ma.Schema):
    id = fields.String(required=True)
    reason = fields.String(
        required=True,
        validate=validate.OneOf(["unknown", "bought", "sold_out", "filtered", "capped"]),
    )


class CartSchema(ma.Schema):
    """The cart as a whole, whatever `limit` and filters show of it."""

    items = fields.Integer(required=True)
    quantity = fields.Float(required=True)
    total = fields.Float(required=True, metadata={"description": "At the prices of now"})
    oldest_added_at = fields.String(required=True, allow_none=True)
    unavailable = fields.List(fields.Nested(LeftOutSchema), required=True)


class TopSchema(ma.Schema):
    """A brand or category with its best item for this customer, which is in `items` too."""

    name = fields.String(required=True)
    score = fields.Float(required=True)
    item = fields.String(required=True, metadata={"description": "Id of the item"})
    image_url = fields.String(required=True, allow_none=True)
    url = fields.String(required=True, allow_none=True)


class ContentSchema(ma.Schema):
    """An answer at send time. It is 200 and usable whatever happens behind it."""

    ok = fields.Boolean(required=True)
    fallback = fields.Boolean(
        required=True, metadata={"description": "Not what was asked for, but the best there is"}
    )
    reason = fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf([*REASONS, None]),
        metadata={"description": f"Why it is a fallback. {_words(dict(REASONS))}"},
    )
    send = fields.Boolean(
        required=True, metadata={"description": "false: the template should abort the message"}
    )
    send_reason = fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf([*SEND_REASONS, None]),
        metadata={"description": f"Why not to send. {_words(dict(SEND_REASONS))}"},
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


class CartAnswerSchema(ContentSchema):
    cart = fields.Nested(CartSchema)


class BrandsAnswerSchema(ContentSchema):
    brands = fields.List(fields.Nested(TopSchema))


class CategoriesAnswerSchema(ContentSchema):
    categories = fields.List(fields.Nested(TopSchema))


class RankAnswerSchema(ContentSchema):
    left_out = fields.List(
        fields.Nested(LeftOutSchema), metadata={"description": "Given, but not shown, and why"}
    )
