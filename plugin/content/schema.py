"""What the content routes take, in the query or as JSON."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from plugin.content.defaults import AHEAD_DAYS, BACK_DAYS, CART_DAYS, LEAST_DROP, LOW_STOCK
from plugin.content.fields import Boosts, Channel, Names
from plugin.content.rules import rules
from plugin.ids import MAX_ID_BYTES, short
from settings import memory
from settings.landing_schema import LOCALES

MOST_NAMES, MOST_ITEMS = 50, 100
MOST_PRICE = 1e12


def _id(description: str, example: str) -> fields.String:
    return fields.String(
        load_default="",
        validate=short,
        metadata={"description": description, "example": example, "maxLength": MAX_ID_BYTES},
    )


def _number(description: str, example: float, low: float = 0, high: float = MOST_PRICE) -> Any:
    return fields.Float(
        validate=validate.Range(min=low, max=high),
        metadata={"description": description, "example": example},
    )


def _whole(description: str, example: int, low: int = 0, high: int = 1_000_000) -> fields.Integer:
    return fields.Integer(
        validate=validate.Range(min=low, max=high),
        metadata={"description": description, "example": example},
    )


def _flag(description: str, example: bool = True, **options: Any) -> fields.Boolean:
    return fields.Boolean(metadata={"description": description, "example": example}, **options)


class WhoSchema(ma.Schema):
    """Who is asked about, in which message."""

    customer = _id(
        "The customer's external id; empty or unknown gives what is popular",
        "customer-17",
    )
    campaign = _id("Comes back in the landing link; decides who is held out", "spring")
    limit = fields.Integer(
        validate=validate.Range(min=1),
        metadata={
            "description": "How many items at most; more than the workspace allows is cut to that",
            "example": 3,
        },
    )
    channel = Channel(
        validate=validate.Length(max=40),
        metadata={
            "description": "How the message is sent: push, email, sms, …, in upper or lower case; "
            "decides whether it may come at night. Without it the message is taken for one that "
            "may not",
            "example": "push",
        },
    )
    advertising = _flag(
        "false for a message that is no advertising (an order's confirmation): consent, quiet "
        "hours and the cap on messages do not matter then; default true",
        example=False,
    )
    locale = fields.String(
        validate=validate.OneOf(LOCALES),
        metadata={
            "description": "Language of reasons and of `price_text`; default: the workspace's. "
            "Adds `local_price`, `local_currency` and `price_text`, as `currency` does",
            "example": "ko",
        },
    )
    currency = fields.String(
        validate=validate.Regexp(r"[A-Z]{3}\Z", error="Must be an ISO 4217 code such as KRW."),
        metadata={
            "description": "Adds `local_price`, `local_currency` and `price_text` in this "
            "currency; 422 without a rate in the configuration (`content.currency_rates`). `price` "
            "stays in the workspace's own",
            "example": "KRW",
        },
    )


class RulesSchema(WhoSchema):
    """Which items may be shown, and which rather."""

    brand = Names("Only these brands", "National,Private", MOST_NAMES)
    not_brand = Names("None of these brands", "Private", MOST_NAMES)
    category = Names(
        "Only these categories and what is below them: `PRODUCE` holds `PRODUCE > FRUIT`",
        "PRODUCE > TROPICAL FRUIT",
        MOST_NAMES,
    )
    not_category = Names("None of these categories, nor what is below them", "TOBACCO", MOST_NAMES)
    tag = Names("Only items with one of these tags", "summer,vegan", MOST_NAMES)
    not_tag = Names("No item with any of these tags", "clearance", MOST_NAMES)
    min_price = _number("Costs at least so much now, in the workspace's currency", 10)
    max_price = _number("Costs at most so much now", 50)
    min_margin = _number("Earns at least so much, in the workspace's currency", 2, low=-MOST_PRICE)
    min_stock = _whole("At least so many pieces in stock now; what is not tracked has enough", 20)
    in_stock = _flag("true: as min_stock=1. What is sold out is never shown anyway")
    excluded = Names(
        "Ids of items that must not be shown", "1082185,981760", MOST_ITEMS, data_key="exclude"
    )
    boost = Boosts(
        "What is shown rather: `brand:NAME:FACTOR`, `category:PATH:FACTOR` and `tag:NAME:FACTOR` "
        "multiply the score (0.01 to 100); `margin:WEIGHT` (0 to 1) multiplies it by "
        "(margin / mean margin) to the power of WEIGHT; separated by commas",
        "brand:National:1.5,margin:0.5",
    )
    max_per_brand = _whole("At most so many items of one brand", 2, low=1)
    max_per_category = _whole("At most so many items of one category", 2, low=1)

    @ma.validates_schema
    def prices_in_order(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("min_price", 0.0) > data.get("max_price", MOST_PRICE):
            raise ma.ValidationError("Must not be above max_price.", "min_price")

    @ma.post_load
    def ready(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """``rules``: filters, boosts and limits as one value, None without any."""
        return {**data, "rules": rules(data)}


class ForYouArgumentsSchema(RulesSchema):
    """What for-you takes."""


class RelatedArgumentsSchema(RulesSchema):
    item = _id(
        "The item that the message is about; empty or unknown gives what is popular",
        "1082185",
    )


class CartArgumentsSchema(RulesSchema):
    within_days = _whole(
        f"What was carted longer ago is forgotten; default {CART_DAYS}",
        3,
        low=1,
        high=memory.WATCHED_DAYS,
    )
    low_stock = _whole(f"`low_stock` is true from so few pieces down; default {LOW_STOCK}", 3)
    fill = _flag("true: what goes with the cart follows, marked `in_cart` false")


class BackInStockArgumentsSchema(RulesSchema):
    within_days = _whole(
        f"Came back so many days before the night, or since; default {BACK_DAYS}",
        7,
        low=1,
        high=memory.BACK_DAYS,
    )


class PriceDropArgumentsSchema(RulesSchema):
    min_drop = _number(
        f"By at least this share of the price; default {LEAST_DROP:g}", 0.1, low=0, high=1
    )


class ReplenishmentArgumentsSchema(RulesSchema):
    within_days = _whole(
        f"Due in at most so many days; default {AHEAD_DAYS}", 7, low=0, high=memory.DUE_AHEAD_DAYS
    )


class NewArrivalsArgumentsSchema(RulesSchema):
    within_days = _whole(
        "New since so many days before the night; default: as long as the night calls them new",
        7,
        low=1,
        high=memory.NEW_DAYS,
    )


class RankArgumentsSchema(RulesSchema):
    items = Names("Ids of the items to be put in order", "1082185,981760,995242", MOST_ITEMS)

    @ma.post_load
    def all_of_them(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Without a limit all of them are ranked."""
        return {"limit": max(len(data.get("items", ())), 1), **data}
