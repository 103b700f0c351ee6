"""Every column name, event type, identifier kind and attribute score, once.

Canonical tables are Delta tables (Parquet files, one folder a table); ids are strings; times are
``timestamp[us, UTC]``.
"""

from __future__ import annotations

# events: one row an event; partitioned by DAY (UTC, "2017-12-04")
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
DAY = "day"
CONTENT_HASH = "content_hash"  # of all canonical columns but EVENT_ID: tells a conflict from a copy

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

EVENT_COLUMNS = (
    EVENT_ID, OCCURRED_AT, IDENTIFIER, IDENTIFIER_KIND, EVENT_TYPE, ITEM_ID, QUANTITY,
    UNIT_PRICE, CAMPAIGN_ID, CHANNEL, DEVICE_ID, PROPERTIES,
)  # fmt: skip
ITEM_COLUMNS = (
    ITEM_ID, NAME, BRAND, CATEGORY, PRICE, MARGIN, STOCK, URL, IMAGE_URL, AVAILABLE_FROM, TEXT,
)  # fmt: skip
CUSTOMER_COLUMNS = (CUSTOMER_ID, ATTRIBUTES, TIMEZONE, AD_CONSENT, NIGHT_CONSENT, IDENTIFIERS)
CAMPAIGN_COLUMNS = (CAMPAIGN_ID, NAME, CHANNEL, STARTS_AT, ENDS_AT, ATTRIBUTES)
OFFER_COLUMNS = (OFFER_ID, CAMPAIGN_ID, NAME, ITEM_ID, REWARD, STARTS_AT, ENDS_AT)

# event types
PURCHASE = "purchase"
RETURN = "return"
MESSAGE_SENT = "message_sent"
EVENT_TYPES = (
    "view", "search", "cart", PURCHASE, RETURN, "app_open", "signup", "attendance", MESSAGE_SENT,
    "delivered", "open", "click", "unsubscribe", "offer_granted", "offer_redeemed", "interest",
)  # fmt: skip

# identifier kinds
EXTERNAL_ID = "external_id"
IDENTIFIER_KINDS = (EXTERNAL_ID, "device_id", "alias", "email_hash", "phone_hash")

# snapshot files (scoring.snapshot): index columns are uint32 row numbers of items/brands/categories
ITEM_INDEX = "item_index"
ITEM_PROBABILITY = "item_probability"
BRAND_INDEX = "brand_index"
BRAND_PROBABILITY = "brand_probability"
CATEGORY_INDEX = "category_index"
CATEGORY_PROBABILITY = "category_probability"

# per-customer scores that a connection may keep as user attributes in the host tool
PURCHASE_PROBABILITY = "purchase_probability"  # buys anything within the horizon, 0 … 1
EXPECTED_PURCHASES = "expected_purchases"  # expected number of distinct items bought in the horizon
TOP_ITEMS = "top_items"  # list of item ids
TOP_BRANDS = "top_brands"  # list of brands
TOP_CATEGORIES = "top_categories"  # list of categories
TOP_BRAND_PROBABILITY = "top_brand_probability"
TOP_CATEGORY_PROBABILITY = "top_category_probability"
ATTRIBUTE_SCORES = (
    PURCHASE_PROBABILITY, EXPECTED_PURCHASES, TOP_ITEMS, TOP_BRANDS, TOP_CATEGORIES,
    TOP_BRAND_PROBABILITY, TOP_CATEGORY_PROBABILITY,
)  # fmt: skip

# segment members
RANK = "rank"  # int32 from 1
PROBABILITY = "probability"  # float32
ARM = "arm"  # "treatment" or "control"
