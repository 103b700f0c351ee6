"""The tables of a snapshot: Arrow schemas, one value object that holds them, and the fitting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring import columns as c
from scoring.reasons.reason import MOST_REASONS

ROW_GROUP = 65_536  # rows

_INDEXES = pa.list_(pa.field("element", pa.uint32()))
_SCORES = pa.list_(pa.field("element", pa.float32()))
_PRICES = pa.list_(pa.field("element", pa.float64()))
_TEXTS = pa.list_(pa.field("element", pa.string()))

SCHEMAS: dict[str, pa.Schema] = {
    "items": pa.schema([
        (c.ITEM_ID, pa.string()), (c.NAME, pa.string()), (c.BRAND, pa.string()),
        (c.CATEGORY, pa.string()), (c.PRICE, pa.float64()), (c.MARGIN, pa.float64()),
        (c.URL, pa.string()), (c.IMAGE_URL, pa.string()), (c.SELLABLE, pa.bool_()),
        (c.STOCK, pa.int64()), (c.TAGS, _TEXTS), (c.REPEAT_DAYS, pa.uint16()),
        (c.NEW_SINCE, pa.int32()), (c.PRICE_BEFORE, pa.float64()), (c.BACK_SINCE, pa.int32()),
        (c.PAST_PRICE, _PRICES), (c.PAST_PRICE_DAY, _INDEXES), (c.SOLD, pa.float32()),
    ]),
    "brands": pa.schema([(c.BRAND, pa.string())]),
    "categories": pa.schema([(c.CATEGORY, pa.string())]),
    "scores": pa.schema([
        (c.CUSTOMER_ID, pa.string()),
        (c.ITEM_INDEX, _INDEXES), (c.ITEM_PROBABILITY, _SCORES),
        (c.BRAND_INDEX, _INDEXES), (c.BRAND_PROBABILITY, _SCORES),
        (c.CATEGORY_INDEX, _INDEXES), (c.CATEGORY_PROBABILITY, _SCORES),
        (c.PURCHASE_PROBABILITY, pa.float32()), (c.EXPECTED_PURCHASES, pa.float32()),
        (c.ITEM_REASONS, _INDEXES),
        (c.TIMEZONE, pa.string()), (c.AD_CONSENT, pa.bool_()), (c.NIGHT_CONSENT, pa.string()),
        (c.DUE_INDEX, _INDEXES), (c.DUE_DAY, _INDEXES), (c.DUE_INTERVAL, _INDEXES),
        (c.WATCHED_INDEX, _INDEXES), (c.WATCHED_EVENT, _INDEXES), (c.WATCHED_DAY, _INDEXES),
        (c.WATCHED_PRICE, _PRICES), (c.SENT_CHANNEL, _TEXTS), (c.SENT_DAY, _INDEXES),
        (c.BEST_HOUR, pa.uint8()),
        (c.BOUGHT_INDEX, _INDEXES), (c.BOUGHT_UNTIL, _INDEXES),
    ]),
    "identifiers": pa.schema([
        (c.IDENTIFIER_KIND, pa.string()), (c.IDENTIFIER, pa.string()),
        (c.CUSTOMER_ID, pa.string()),
    ]),
    "related": pa.schema([
        (c.ITEM_INDEX, pa.uint32()),
        ("related_index", _INDEXES), ("related_score", _SCORES),
        ("together_index", _INDEXES), ("together_score", _SCORES),
    ]),
    "popular": pa.schema([(c.ITEM_INDEX, pa.uint32()), ("score", pa.float32())]),
    "arrivals": pa.schema([(c.ITEM_INDEX, pa.uint32()), ("score", pa.float32())]),
}  # fmt: skip

# columns that older snapshots lack: empty lists, zeros or nulls there
_DUE = (c.DUE_INDEX, c.DUE_DAY, c.DUE_INTERVAL)
_WATCHED = (c.WATCHED_INDEX, c.WATCHED_EVENT, c.WATCHED_DAY, c.WATCHED_PRICE)
_SENT = (c.SENT_CHANNEL, c.SENT_DAY)
_BOUGHT = (c.BOUGHT_INDEX, c.BOUGHT_UNTIL)
_LATER = {
    "items": (
        c.STOCK, c.TAGS, c.REPEAT_DAYS, c.NEW_SINCE, c.PRICE_BEFORE, c.BACK_SINCE,
        c.PAST_PRICE, c.PAST_PRICE_DAY, c.SOLD,
    ),
    "scores": (
        c.ITEM_REASONS, c.TIMEZONE, c.AD_CONSENT, c.NIGHT_CONSENT, *_DUE, *_WATCHED, *_SENT,
        c.BEST_HOUR,
        *_BOUGHT,
    ),
}  # fmt: skip
LATER_TABLES = ("arrivals",)  # which older snapshots lack: empty there
_NULLABLE = {
    c.NAME, c.BRAND, c.CATEGORY, c.PRICE, c.MARGIN, c.URL, c.IMAGE_URL,
    c.STOCK, c.PRICE_BEFORE, c.TIMEZONE, c.AD_CONSENT, c.NIGHT_CONSENT,
    c.BEST_HOUR,
}  # fmt: skip


class SnapshotError(Exception):
    """A snapshot's folder is missing, half there or altered; the text says what and what to do."""


@dataclass(frozen=True)
class SnapshotTables:
    """The tables of docs/architecture.md; columns may come in any order and compatible type."""

    items: pa.Table
    brands: pa.Table
    categories: pa.Table
    scores: pa.Table
    identifiers: pa.Table
    related: pa.Table
    popular: pa.Table
    arrivals: pa.Table = field(default_factory=SCHEMAS["arrivals"].empty_table)


def conform(name: str, table: pa.Table) -> pa.Table:
    """``table`` in exactly the schema of ``name``: columns ordered and cast, metadata dropped.

    Raises SnapshotError naming the missing or ill-typed column, or nulls where none may be.
    """
    schema = SCHEMAS[name]
    table = completed(name, table)
    missing = [column for column in schema.names if column not in table.column_names]
    if missing:
        raise SnapshotError(f"{name} lacks column {', '.join(missing)}")
    arrays = []
    for column in schema:
        try:
            array = table[column.name].cast(column.type)
        except pa.ArrowException as problem:
            raise SnapshotError(
                f"{name}.{column.name} does not fit {column.type}: {problem}"
            ) from problem
        if array.null_count and (column.name not in _NULLABLE or name in ("brands", "categories")):
            raise SnapshotError(f"{name}.{column.name} has {array.null_count} nulls")
        arrays.append(array)
    return pa.table(arrays, schema=schema)


def completed(name: str, table: pa.Table) -> pa.Table:
    """``table`` with empty lists, zeros or nulls in the columns that were not there when it was
    written."""
    for column in _LATER.get(name, ()):
        there = column in table.column_names
        nothing = column in _NULLABLE and there
        if nothing or (there and table[column].null_count < max(table.num_rows, 1)):
            continue
        empty = _nothing(SCHEMAS[name].field(column).type, table.num_rows, column)
        at = table.column_names.index(column) if there else table.num_columns
        table = table.set_column(at, column, empty) if there else table.append_column(column, empty)
    return table


def _nothing(kind: pa.DataType, rows: int, column: str) -> pa.Array:
    if column in _NULLABLE:
        return pa.nulls(rows, kind)
    if pa.types.is_list(kind):
        offsets = pa.array([0] * (rows + 1), pa.int32())
        return pa.ListArray.from_arrays(offsets, pa.array([], kind.value_type)).cast(kind)
    return pa.array(np.zeros(rows, np.int64)).cast(kind)


def check_reasons(scores: pa.Table) -> None:
    """Raises SnapshotError if reasons are not three numbers for each of the first items."""
    numbers = pc.list_value_length(scores[c.ITEM_REASONS]).to_numpy()
    items = pc.list_value_length(scores[c.ITEM_INDEX]).to_numpy()
    wrong = np.flatnonzero((numbers % MOST_REASONS != 0) | (numbers > MOST_REASONS * items))
    if len(wrong):
        row = wrong[0]
        raise SnapshotError(
            f"scores.{c.ITEM_REASONS} holds {numbers[row]} numbers for {items[row]} items in row "
            f"{row}, expected {MOST_REASONS} for each of the first"
        )


def check_extras(scores: pa.Table) -> None:
    """Raises SnapshotError if lists that belong together differ in length."""
    for together in (_DUE, _WATCHED, _SENT, _BOUGHT):
        first = pc.list_value_length(scores[together[0]])
        for column in together[1:]:
            if not first.equals(pc.list_value_length(scores[column])):
                raise SnapshotError(f"scores.{column} is not as long as scores.{together[0]}")


def check_indexes(tables: Mapping[str, pa.Table]) -> None:
    """Raises SnapshotError if a list or column points at a row that is not there."""
    for table, column, target in (
        ("scores", c.ITEM_INDEX, "items"),
        ("scores", c.BRAND_INDEX, "brands"),
        ("scores", c.CATEGORY_INDEX, "categories"),
        ("scores", c.DUE_INDEX, "items"),
        ("scores", c.WATCHED_INDEX, "items"),
        ("scores", c.BOUGHT_INDEX, "items"),
        ("related", "related_index", "items"),
        ("related", "together_index", "items"),
        ("arrivals", c.ITEM_INDEX, "items"),
    ):
        values = tables[table][column]
        highest = pc.max(pc.list_flatten(values) if pa.types.is_list(values.type) else values)
        rows = tables[target].num_rows
        if highest.is_valid and highest.as_py() >= rows:
            raise SnapshotError(
                f"{table}.{column} points at row {highest} of {target}, which has {rows} rows"
            )
