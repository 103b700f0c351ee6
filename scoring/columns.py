"""Every column name, event type, identifier kind and attribute score, once.

Canonical tables are Delta tables (Parquet files, one folder a table); ids are strings; times are
``timestamp[us, UTC]``.
"""

from __future__ import annotations

# What a configuration may name (canonical columns, event types, scores) is defined in
# settings.vocabulary, with a description each; here it stands beside scoring's own names.
from settings.vocabulary import (  # noqa: F401
    AD_CONSENT,
    ATTRIBUTE_SCORES,
    ATTRIBUTES,
    AVAILABLE_FROM,
    BRAND,
    CAMPAIGN_COLUMNS,
    CAMPAIGN_ID,
    CART,
    CATEGORY,
    CHANNEL,
    CUSTOMER_COLUMNS,
    CUSTOMER_ID,
    DEVICE_ID,
    ENDS_AT,
    EVENT_COLUMNS,
    EVENT_ID,
    EVENT_TYPE,
    EVENT_TYPES,
    EXPECTED_PURCHASES,
    EXTERNAL_ID,
    IDENTIFIER,
    IDENTIFIER_KIND,
    IDENTIFIER_KINDS,
    IDENTIFIERS,
    IMAGE_URL,
    INTEREST,
    ITEM_COLUMNS,
    ITEM_ID,
    MARGIN,
    MESSAGE_SENT,
    NAME,
    NIGHT_CONSENT,
    OCCURRED_AT,
    OFFER_COLUMNS,
    OFFER_ID,
    PRICE,
    PROPERTIES,
    PURCHASE,
    PURCHASE_PROBABILITY,
    QUANTITY,
    RETURN,
    REWARD,
    SCORED_ON,
    STARTS_AT,
    STOCK,
    TEXT,
    TIMEZONE,
    TOP_BRAND_PROBABILITY,
    TOP_BRANDS,
    TOP_CATEGORIES,
    TOP_CATEGORY_PROBABILITY,
    TOP_ITEMS,
    UNIT_PRICE,
    URL,
    VIEW,
)

# lake only
DAY = "day"

# snapshot files (scoring.snapshot): index columns are uint32 row numbers of items/brands/categories
ITEM_INDEX = "item_index"
ITEM_PROBABILITY = "item_probability"
ITEM_REASONS = "item_reasons"  # three numbers of scoring.reasons.reason an item, 0 = none
BRAND_INDEX = "brand_index"
BRAND_PROBABILITY = "brand_probability"
CATEGORY_INDEX = "category_index"
CATEGORY_PROBABILITY = "category_probability"

# segment members
RANK = "rank"  # int32 from 1
PROBABILITY = "probability"  # float32
ARM = "arm"  # "treatment" or "control"
REASONS = "reasons"  # sentences joined by "; "
REASON_CODES = "reason_codes"  # scoring.reasons.reason.CODES joined by "; "
