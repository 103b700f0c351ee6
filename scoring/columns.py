"""Every column name, event type, identifier kind and attribute score, once.

Canonical tables are Delta tables (Parquet files, one folder a table); ids are strings; times are
``timestamp[us, UTC]``.
"""

from __future__ import annotations

# What a configuration may name (canonical columns, event types, scores) is defined in
# settings.vocabulary, with a description each; here it stands beside scoring's own names.
from settings.vocabulary import (  # noqa: F401
    AD_CONSENT,
    APP_OPEN,
    ATTRIBUTE_SCORES,
    ATTRIBUTES,
    AUTOMATED,
    AUTOMATED_CLICK,
    AUTOMATED_OPEN,
    AVAILABLE_FROM,
    BEST_HOUR,
    BRAND,
    CAMPAIGN_COLUMNS,
    CAMPAIGN_ID,
    CART,
    CATEGORY,
    CHANNEL,
    CLICK,
    CUSTOMER_COLUMNS,
    CUSTOMER_HASH,
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
    LINK,
    MARGIN,
    MESSAGE_SENT,
    NAME,
    NIGHT_CONSENT,
    OCCURRED_AT,
    OFFER_COLUMNS,
    OFFER_ID,
    OPEN,
    PRICE,
    PROPERTIES,
    PURCHASE,
    PURCHASE_PROBABILITY,
    QUANTITY,
    RETURN,
    REWARD,
    SCORED_ON,
    SEARCH,
    STARTS_AT,
    STOCK,
    TAGS,
    TEXT,
    TIMEZONE,
    TOP_BRAND_PROBABILITY,
    TOP_BRANDS,
    TOP_CATEGORIES,
    TOP_CATEGORY_PROBABILITY,
    TOP_ITEMS,
    UNIT_PRICE,
    UNLINK,
    URL,
    VIEW,
)

# lake only
DAY = "day"

# snapshot files (scoring.snapshot): index columns are uint32 row numbers of items/brands/categories
ITEM_INDEX = "item_index"
ITEM_PROBABILITY = "item_probability"
ITEM_REASONS = "item_reasons"  # three numbers of scoring.reasons.reason an item, 0 = none
DUE_INDEX = "due_index"  # items that the customer buys again and again, soonest first
DUE_DAY = "due_day"  # days since 1970-01-01 (UTC), as every "day" and "since" of a snapshot
DUE_INTERVAL = "due_interval"  # days
WATCHED_INDEX = "watched_index"  # items looked at and not bought since, newest first
WATCHED_EVENT = "watched_event"  # place of the event type in EVENT_TYPES
WATCHED_DAY = "watched_day"
WATCHED_PRICE = "watched_price"  # as it was then; NaN = not known
SENT_CHANNEL = "sent_channel"  # messages sent to the customer, newest first
SENT_DAY = "sent_day"
BOUGHT_INDEX = "bought_index"  # items bought and not needed again yet, last purchase first
BOUGHT_UNTIL = "bought_until"  # the day from which each may be shown again
SELLABLE = "sellable"
REPEAT_DAYS = "repeat_days"  # until an item is typically bought again; 0 = not known
SOLD = "sold"  # share of lately sold baskets that hold an item; 0 = not known
NEW_SINCE = "new_since"  # 0 = not known
BACK_SINCE = "back_since"  # can be sold again since; 0 = never was gone
PRICE_BEFORE = "price_before"  # highest of the last days if higher than now, else null
PAST_PRICE = "past_price"  # list prices seen by nights: tonight's, then higher ones before it
PAST_PRICE_DAY = "past_price_day"  # the last day on which each was seen
BRAND_INDEX = "brand_index"
BRAND_PROBABILITY = "brand_probability"
CATEGORY_INDEX = "category_index"
CATEGORY_PROBABILITY = "category_probability"

# the log of decisions (scoring.decisions), beside CAMPAIGN_ID, CHANNEL, ARM and DAY
DECISION_ID = "decision_id"  # the same for the same call asked again
DECIDED_AT = "decided_at"
KIND = "kind"  # of content
CUSTOMER = "customer"  # scoring.store.keys.customer_hash in hex, null for nobody
SNAPSHOT = "snapshot"
POLICY = "policy"
REASON = "reason"  # of a fallback, else null
SEND = "send"
SEND_REASON = "send_reason"
ITEMS = "items"  # ids in the order shown
SCORES = "scores"  # float32, theirs
PROCESS = "process"
SEQUENCE = "sequence"  # number of the answer in its process, from 0

# segment members
RANK = "rank"  # int32 from 1
PROBABILITY = "probability"  # float32
ARM = "arm"  # "treatment" or "control"
REASONS = "reasons"  # sentences joined by "; "
REASON_CODES = "reason_codes"  # scoring.reasons.reason.CODES joined by "; "
