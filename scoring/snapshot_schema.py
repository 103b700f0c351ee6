"""The tables of a snapshot: Arrow schemas, one value object that holds them, and the fitting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring import columns as c
from scoring.reasons.reason import MOST_REASONS

ROW_GROUP = 65_536  # rows

_INDEXES = pa.list_(pa.field("element", pa.uint32()))
_SCORES = pa.list_(pa.field("element", pa.float32()))

SCHEMAS: dict[str, pa.Schema] = {
    "items": pa.schema([
        (c.ITEM_ID, pa.string()), (c.NAME, pa.string()), (c.BRAND, pa.string()),
        (c.CATEGORY, pa.string()), (c.PRICE, pa.float64()), (c.MARGIN, pa.float64()),
        (c.URL, pa.string()), (c.IMAGE_URL, pa.string()), ("sellable", pa.bool_()),
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
}  # fmt: skip

# columns that older snapshots lack: empty lists there
_LATER = {"scores": (c.ITEM_REASONS,)}
_NULLABLE = {c.NAME, c.BRAND, c.CATEGORY, c.PRICE, c.MARGIN, c.URL, c.IMAGE_URL}


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
    """``table`` with empty lists in the columns that were not there when it was written."""
    for column in _LATER.get(name, ()):
        there = column in table.column_names
        if there and table[column].null_count < max(table.num_rows, 1):
            continue
        offsets = pa.array([0] * (table.num_rows + 1), pa.int32())
        kind = SCHEMAS[name].field(column).type
        empty = pa.ListArray.from_arrays(offsets, pa.array([], kind.value_type)).cast(kind)
        at = table.column_names.index(column) if there else table.num_columns
        table = table.set_column(at, column, empty) if there else table.append_column(column, empty)
    return table


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


def check_indexes(tables: Mapping[str, pa.Table]) -> None:
    """Raises SnapshotError if a list points at a row that is not there."""
    for table, column, target in (
        ("scores", c.ITEM_INDEX, "items"),
        ("scores", c.BRAND_INDEX, "brands"),
        ("scores", c.CATEGORY_INDEX, "categories"),
        ("related", "related_index", "items"),
        ("related", "together_index", "items"),
    ):
        highest = pc.max(pc.list_flatten(tables[table][column])).as_py()
        rows = tables[target].num_rows
        if highest is not None and highest >= rows:
            raise SnapshotError(
                f"{table}.{column} points at row {highest} of {target}, which has {rows} rows"
            )
