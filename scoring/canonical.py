"""The canonical tables as Arrow schemas, and what kind of value each column holds."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from scoring import columns as c

EVENTS, ITEMS, CUSTOMERS, CAMPAIGNS, OFFERS = "events", "items", "customers", "campaigns", "offers"

ID, TEXT, TIME, NUMBER, INTEGER, FLAG, JSON, LIST = (
    "id", "text", "time", "number", "integer", "flag", "json", "list",
)  # fmt: skip

_ARROW: Mapping[str, pa.DataType] = {
    ID: pa.string(),
    TEXT: pa.string(),
    TIME: pa.timestamp("us", tz="UTC"),
    NUMBER: pa.float64(),
    INTEGER: pa.int64(),
    FLAG: pa.bool_(),
    JSON: pa.string(),
    LIST: pa.list_(pa.string()),
}
_SQL: Mapping[str, str] = {
    ID: "VARCHAR",
    TEXT: "VARCHAR",
    TIME: "TIMESTAMPTZ",
    NUMBER: "DOUBLE",
    INTEGER: "BIGINT",
    FLAG: "BOOLEAN",
    JSON: "VARCHAR",
    LIST: "VARCHAR[]",
}
_KINDS: Mapping[str, str] = {
    c.EVENT_ID: ID,
    c.OCCURRED_AT: TIME,
    c.IDENTIFIER: ID,
    c.ITEM_ID: ID,
    c.QUANTITY: NUMBER,
    c.UNIT_PRICE: NUMBER,
    c.CAMPAIGN_ID: ID,
    c.DEVICE_ID: ID,
    c.PROPERTIES: JSON,
    c.PRICE: NUMBER,
    c.MARGIN: NUMBER,
    c.STOCK: INTEGER,
    c.AVAILABLE_FROM: TIME,
    c.TAGS: LIST,
    c.CUSTOMER_ID: ID,
    c.ATTRIBUTES: JSON,
    c.AD_CONSENT: FLAG,
    c.NIGHT_CONSENT: JSON,
    c.IDENTIFIERS: JSON,
    c.OFFER_ID: ID,
    c.STARTS_AT: TIME,
    c.ENDS_AT: TIME,
}
COLUMNS: Mapping[str, tuple[str, ...]] = {
    EVENTS: c.EVENT_COLUMNS,
    ITEMS: c.ITEM_COLUMNS,
    CUSTOMERS: c.CUSTOMER_COLUMNS,
    CAMPAIGNS: c.CAMPAIGN_COLUMNS,
    OFFERS: c.OFFER_COLUMNS,
}
KEYS: Mapping[str, str] = {
    EVENTS: c.EVENT_ID,
    ITEMS: c.ITEM_ID,
    CUSTOMERS: c.CUSTOMER_ID,
    CAMPAIGNS: c.CAMPAIGN_ID,
    OFFERS: c.OFFER_ID,
}


def kind(column: str) -> str:
    """Which of ID, TEXT, TIME, NUMBER, INTEGER, FLAG, JSON or LIST a canonical column holds."""
    return _KINDS.get(column, TEXT)


def schema(table: str) -> pa.Schema:
    """The Arrow schema of a canonical table (events without ``day``, which is the partition)."""
    return pa.schema([(column, _ARROW[kind(column)]) for column in COLUMNS[table]])


def sql_type(value_kind: str) -> str:
    """The DuckDB type of a kind of value."""
    return _SQL[value_kind]
