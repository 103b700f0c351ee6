"""The words that a configuration file may use: canonical tables and columns, event types, scores.

scoring.columns takes them from here; nothing of ours is below this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# events: one row an event
EVENT_ID = "event_id"
OCCURRED_AT = "occurred_at"
IDENTIFIER = "identifier"
IDENTIFIER_KIND = "identifier_kind"
EVENT_TYPE = "event_type"
ITEM_ID = "item_id"
QUANTITY = "quantity"  # float64, null = 1; negative only for event type return
UNIT_PRICE = "unit_price"  # float64, workspace currency
CAMPAIGN_ID = "campaign_id"
CHANNEL = "channel"
DEVICE_ID = "device_id"
PROPERTIES = "properties"  # JSON object as a string, null = none

# items
NAME = "name"
BRAND = "brand"
CATEGORY = "category"  # path, levels joined by " > ", most general first
PRICE = "price"
MARGIN = "margin"
STOCK = "stock"  # int64; null = not tracked; 0 = out of stock
URL = "url"
IMAGE_URL = "image_url"
AVAILABLE_FROM = "available_from"
TEXT = "text"
TAGS = "tags"  # list of texts, null = none

# customers
CUSTOMER_ID = "customer_id"
ATTRIBUTES = "attributes"  # JSON object as a string
TIMEZONE = "timezone"
AD_CONSENT = "ad_consent"  # bool; null = unknown
NIGHT_CONSENT = "night_consent"  # JSON object channel → bool, as a string
IDENTIFIERS = "identifiers"  # JSON object kind → value or list of values, as a string

# campaigns, offers
OFFER_ID = "offer_id"
STARTS_AT = "starts_at"
ENDS_AT = "ends_at"
REWARD = "reward"

# event types; recent lists keep their position: new ones go to the end
VIEW = "view"
SEARCH = "search"
CART = "cart"  # quantity 0: taken out of the cart
PURCHASE = "purchase"
RETURN = "return"
APP_OPEN = "app_open"
MESSAGE_SENT = "message_sent"
DELIVERED = "delivered"
OPEN = "open"  # a message was opened, read, or shown
CLICK = "click"
UNSUBSCRIBE = "unsubscribe"
INTEREST = "interest"  # asked to be told, put on a wish list
BOUNCE = "bounce"  # a message did not arrive
CONVERSION = "conversion"  # did what the campaign was for, as the host tool counts it
CONTROL = "control"  # was held out of the campaign, to compare with
LINK = "link"  # the device is this customer's from here on
UNLINK = "unlink"  # the device is nobody's from here on
# a landing page opened, a link followed, by a program: never counted as a person's
AUTOMATED_OPEN = "automated_open"
AUTOMATED_CLICK = "automated_click"
AUTOMATED = (AUTOMATED_OPEN, AUTOMATED_CLICK)
EVENT_TYPES = (
    VIEW, SEARCH, CART, PURCHASE, RETURN, APP_OPEN, "signup", "attendance", MESSAGE_SENT,
    DELIVERED, OPEN, CLICK, UNSUBSCRIBE, "offer_granted", "offer_redeemed", INTEREST,
    BOUNCE, CONVERSION, CONTROL, LINK, UNLINK,
    AUTOMATED_OPEN, AUTOMATED_CLICK,
)  # fmt: skip

# identifier kinds
EXTERNAL_ID = "external_id"
ALIAS = "alias"
# all that a landing link tells of its customer: scoring.store.keys.customer_hash, in hex. Our own
# events have it; a source or a caller cannot.
CUSTOMER_HASH = "customer_hash"
IDENTIFIER_KINDS = (EXTERNAL_ID, DEVICE_ID, ALIAS, "email_hash", "phone_hash")

# per-customer scores that a connection may keep as user attributes in the host tool
PURCHASE_PROBABILITY = "purchase_probability"  # buys anything within the horizon, 0 … 1
EXPECTED_PURCHASES = "expected_purchases"  # expected number of distinct items bought in the horizon
TOP_ITEMS = "top_items"  # list of item ids
TOP_BRANDS = "top_brands"  # list of brands
TOP_CATEGORIES = "top_categories"  # list of categories
TOP_BRAND_PROBABILITY = "top_brand_probability"
TOP_CATEGORY_PROBABILITY = "top_category_probability"
BEST_HOUR = "best_hour"  # 0 to 23
SCORED_ON = "scored_on"
SCORES: Mapping[str, str] = {
    PURCHASE_PROBABILITY: "probability of any purchase within models.horizon_days, 0 to 1",
    EXPECTED_PURCHASES: "expected number of different items bought within models.horizon_days",
    TOP_ITEMS: "ids of the items most likely to be bought, best first",
    TOP_BRANDS: "brands most likely to be bought, best first",
    TOP_CATEGORIES: "categories most likely to be bought, best first",
    TOP_BRAND_PROBABILITY: "probability of buying the first of top_brands, 0 to 1",
    TOP_CATEGORY_PROBABILITY: "probability of buying the first of top_categories, 0 to 1",
    BEST_HOUR: "hour of the day in which the customer most probably reads a message or shops, 0 to "
    "23 in the customer's time zone, outside of send.quiet_hours; none where no hour is known",
    SCORED_ON: "day of the snapshot (UTC, 2026-03-02): how fresh the scores are",
}
ATTRIBUTE_SCORES = tuple(SCORES)
ATTRIBUTE_TYPES = ("text", "boolean")
LIST_SCORES = (TOP_ITEMS, TOP_BRANDS, TOP_CATEGORIES)

SOURCE_TYPES = ("file", "ibis", "completejourney")
FILE_FORMATS = ("csv", "ndjson", "parquet")


@dataclass(frozen=True)
class Column:
    """One canonical column. ``kind`` decides which ways of mapping make sense."""

    kind: Literal["text", "number", "time", "boolean", "json", "list"]
    description: str
    required: bool = False


TABLES: Mapping[str, Mapping[str, Column]] = {
    "events": {
        EVENT_ID: Column("text", "unique id of the event; default: a hash of the row"),
        OCCURRED_AT: Column("time", "when it happened", required=True),
        IDENTIFIER: Column("text", "who: a value of the kind below", required=True),
        IDENTIFIER_KIND: Column(
            "text", f"one of {', '.join(IDENTIFIER_KINDS)}; default {EXTERNAL_ID}"
        ),
        EVENT_TYPE: Column("text", f"one of {', '.join(EVENT_TYPES)}", required=True),
        ITEM_ID: Column("text", "the item it is about"),
        QUANTITY: Column(
            "number", f"pieces; default 1; 0 of {CART}: taken out; negative only for {RETURN}"
        ),
        UNIT_PRICE: Column("number", "price of one piece in the workspace's currency"),
        CAMPAIGN_ID: Column("text", "the campaign it belongs to"),
        CHANNEL: Column(
            "text",
            "push, email, sms, in_app, content_card, whatsapp, webhook, web, app, store, …",
        ),
        DEVICE_ID: Column("text", "the device it came from"),
        PROPERTIES: Column("json", "anything else, as a JSON object"),
    },
    "items": {
        ITEM_ID: Column("text", "unique id of the item", required=True),
        NAME: Column("text", "name as a customer reads it"),
        BRAND: Column("text", "brand or manufacturer"),
        CATEGORY: Column("text", "category path, most general first, levels joined by ` > `"),
        PRICE: Column("number", "price in the workspace's currency"),
        MARGIN: Column("number", "profit of one sold piece in the workspace's currency"),
        STOCK: Column("number", "pieces in stock; 0 is never recommended; default: not tracked"),
        URL: Column("text", "product page"),
        IMAGE_URL: Column("text", "picture"),
        AVAILABLE_FROM: Column("time", "not recommended before"),
        TEXT: Column("text", "description; helps items that nobody has bought yet"),
        TAGS: Column(
            "list",
            "labels to filter by: a JSON list, or a text with commas, semicolons or bars between",
        ),
    },
    "customers": {
        CUSTOMER_ID: Column("text", "the customer's external id", required=True),
        ATTRIBUTES: Column("json", "profile, as a JSON object"),
        TIMEZONE: Column("text", "IANA time zone"),
        AD_CONSENT: Column("boolean", "may receive advertising; default: unknown"),
        NIGHT_CONSENT: Column("json", "channel to true or false, as a JSON object"),
        IDENTIFIERS: Column("json", "kind to value or list of values, as a JSON object"),
    },
    "campaigns": {
        CAMPAIGN_ID: Column("text", "unique id of the campaign", required=True),
        NAME: Column("text", "name as a marketer reads it"),
        CHANNEL: Column("text", "push, email, sms, …"),
        STARTS_AT: Column("time", "first moment"),
        ENDS_AT: Column("time", "last moment"),
        ATTRIBUTES: Column("json", "anything else, as a JSON object"),
    },
    "offers": {
        OFFER_ID: Column("text", "unique id of the offer", required=True),
        CAMPAIGN_ID: Column("text", "the campaign that grants it"),
        NAME: Column("text", "name as a customer reads it"),
        ITEM_ID: Column("text", "the item it is for"),
        REWARD: Column("text", "what the customer gets"),
        STARTS_AT: Column("time", "first moment"),
        ENDS_AT: Column("time", "last moment"),
    },
}

EVENT_COLUMNS = tuple(TABLES["events"])
ITEM_COLUMNS = tuple(TABLES["items"])
CUSTOMER_COLUMNS = tuple(TABLES["customers"])
CAMPAIGN_COLUMNS = tuple(TABLES["campaigns"])
OFFER_COLUMNS = tuple(TABLES["offers"])
