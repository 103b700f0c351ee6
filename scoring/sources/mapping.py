"""Source columns → canonical columns, and the reason why a row does not fit: one DuckDB query.

Everything is vectorised; no row is lost: each comes back as good, as not yet happened, or with the
first reason that applies.
"""

# ruff: noqa: S608 - names and constants are quoted by scoring.sql

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring import canonical, sql
from scoring import columns as c
from scoring.sources import expressions
from scoring.sources.chunk import LINE
from scoring.sources.errors import SourceError
from settings.workspace import ColumnMapping, SourceSettings

# reasons, in the order in which they are given
MISSING_ID = "missing_id"
MISSING_TIME = "missing_time"
UNPARSABLE_TIME = "unparsable_time"
FUTURE_TIME = "future_time"
UNKNOWN_EVENT_TYPE = "unknown_event_type"
UNKNOWN_IDENTIFIER_KIND = "unknown_identifier_kind"
UNKNOWN_VALUE = "unknown_value"  # not in the mapping's translate
UNPARSABLE_NUMBER = "unparsable_number"
UNPARSABLE_FLAG = "unparsable_flag"
INVALID_JSON = "invalid_json"
INVALID_LIST = "invalid_list"
NEGATIVE_QUANTITY = "negative_quantity"
TOO_LONG = "too_long"  # a name of more than MAX_NAME_BYTES: most likely a quote never closed
DUPLICATE_ID = "duplicate_id"  # given by the importer: same event_id, other content

_FAILURES = {
    canonical.ID: UNKNOWN_VALUE,
    canonical.TEXT: UNKNOWN_VALUE,
    canonical.TIME: UNPARSABLE_TIME,
    canonical.NUMBER: UNPARSABLE_NUMBER,
    canonical.INTEGER: UNPARSABLE_NUMBER,
    canonical.FLAG: UNPARSABLE_FLAG,
    canonical.JSON: INVALID_JSON,
    canonical.LIST: INVALID_LIST,
}
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)  # an event before this is a misread time
MAX_NAME_BYTES = 1000  # of an id, brand or category: models hold all at the longest's length
_ROWS_FOR_TWO_THREADS = 100_000
_REASON, _LATER = "__reason", "__later"
_FUTURE_TOLERANCE = timedelta(days=1)  # wrong clocks and time zones
_FUTURE_TOLERANCE_AS_OF = timedelta(days=366)  # a replayed past knows its own future


@dataclass(frozen=True)
class Horizon:
    """What counts as now. ``replay``: rows from ``now`` on have not happened yet (as_of)."""

    now: datetime
    replay: bool = False

    @property
    def far_future(self) -> datetime:
        return self.now + (_FUTURE_TOLERANCE_AS_OF if self.replay else _FUTURE_TOLERANCE)


@dataclass(frozen=True)
class Mapped:
    """``rows``: canonical columns. The int64 arrays number rows of the chunk from 0.

    ``rows`` row i came from chunk row ``kept[i]``; ``rejected[i]`` has ``reasons[i]``; ``later``
    rows happen after now, the first of them at ``next_at``.
    """

    rows: pa.Table
    kept: np.ndarray
    rejected: np.ndarray
    reasons: list[str]
    later: int
    next_at: datetime | None


def source_columns(source: SourceSettings) -> list[str]:
    """The source columns that the mapping reads, sorted."""
    found: set[str] = set()
    for mapping in source.columns.values():
        found.update(mapping.join, mapping.divide or (), (mapping.object or {}).values())
        if mapping.column is not None:
            found.add(mapping.column)
    return sorted(found)


def check(source: SourceSettings) -> None:
    """Raises SourceError when the mapping names an unknown table or column, or lacks a needed
    one.
    """
    if source.table not in canonical.COLUMNS:
        known = ", ".join(canonical.COLUMNS)
        raise SourceError(f"source {source.name}: no table {source.table!r}; there is {known}")
    columns = canonical.COLUMNS[source.table]
    for column in source.columns:
        if column not in columns:
            raise SourceError(
                f"source {source.name}: {source.table} has no column {column!r}; "
                f"there is {', '.join(columns)}"
            )
    if source.table == canonical.EVENTS:
        needed = [c.OCCURRED_AT, c.EVENT_TYPE]
        if c.DEVICE_ID not in source.columns:
            needed.append(c.IDENTIFIER)
    else:
        needed = [canonical.KEYS[source.table]]
    for column in needed:
        if column not in source.columns:
            raise SourceError(f"source {source.name}: the mapping lacks {column}")
    for column, mapping in source.columns.items():
        if mapping.object is not None and canonical.kind(column) != canonical.JSON:
            objects = ", ".join(name for name in columns if canonical.kind(name) == canonical.JSON)
            raise SourceError(
                f"source {source.name}: {column} cannot hold a JSON object; "
                f"{source.table} has {objects or 'no column'} for one"
            )
        try:
            ZoneInfo(mapping.timezone)
        except (KeyError, ValueError, OSError) as error:
            raise SourceError(
                f"source {source.name}: {column}: no time zone {mapping.timezone!r}"
            ) from error


@contextmanager
def connect() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB for ``apply``: UTC, and one thread, because with more it returns rows in any
    order.
    """
    with duckdb.connect(config={"threads": 1, "memory_limit": "1GB"}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def apply(
    connection: duckdb.DuckDBPyConnection, source: SourceSettings, raw: pa.Table, horizon: Horizon
) -> Mapped:
    """Map one chunk (source columns and LINE) with a connection of ``connect``."""
    names = [name for name in raw.column_names if name != LINE]
    aliases = {
        name: f"c{i}" for i, name in enumerate(names)
    }  # DuckDB ignores case, sources may not
    plain = raw.rename_columns([aliases.get(name, LINE) for name in raw.column_names])
    query = _query(source, raw.schema, aliases, horizon)

    def run(part: pa.Table) -> pa.Table:
        with connection.cursor() as cursor:
            cursor.execute("SET TimeZone = 'UTC'")
            cursor.register("raw_chunk", part)
            return cursor.sql(query).to_arrow_table()

    threads = 2 if plain.num_rows >= _ROWS_FOR_TWO_THREADS else 1
    size = -(-plain.num_rows // threads)
    parts = [plain.slice(i * size, size) for i in range(threads)]
    try:
        with ThreadPoolExecutor(len(parts)) as pool:
            result = pa.concat_tables(pool.map(run, parts))
    except duckdb.Error as error:
        problem = str(error).splitlines()[0]
        raise SourceError(
            f"source {source.name}: the mapping cannot be applied: {problem}"
        ) from error
    return _sorted_out(result, source.table)


def _sorted_out(result: pa.Table, table: str) -> Mapped:
    good = pc.is_null(result[_REASON]).to_numpy()
    later = result[_LATER].to_numpy() & good
    kept = np.flatnonzero(good & ~later)
    rejected = np.flatnonzero(~good)
    reasons = result[_REASON].take(pa.array(rejected)).to_pylist()
    next_at = None
    if later.any():
        next_at = pc.min(result[c.OCCURRED_AT].filter(pa.array(later))).as_py()
    rows = result.select(canonical.schema(table).names)
    if len(kept) < result.num_rows:
        rows = rows.take(pa.array(kept))
    return Mapped(rows, kept, rejected, reasons, int(later.sum()), next_at)


def _query(
    source: SourceSettings, schema: pa.Schema, aliases: Mapping[str, str], horizon: Horizon
) -> str:
    """Three layers: what is given (g_…) → canonical values → reason."""
    columns = canonical.COLUMNS[source.table]
    inner, values = [], {}
    for column in columns:
        kind, mapping = canonical.kind(column), source.columns.get(column, ColumnMapping())
        text, native = expressions.given(kind, mapping, schema, aliases)
        inner.append(f"{text} AS g_{column}")
        values[column] = expressions.result(kind, mapping, f"g_{column}", native)
    event = source.table == canonical.EVENTS
    if event:
        _complete_event(values)
    middle = [f"{value} AS {column}" for column, value in values.items()]
    outer = list(columns)
    if event and c.EVENT_ID not in source.columns:
        outer[0] = f"{_row_hash(columns[1:])} AS {c.EVENT_ID}"
    later = "false"
    if event and horizon.replay:
        later = f"coalesce({c.OCCURRED_AT} >= {_moment(horizon.now)}, false)"
    return (
        f"SELECT {', '.join(outer)}, {_reason(source, horizon)} AS {_REASON}, {later} AS {_LATER} "
        f"FROM (SELECT {', '.join(middle)}, COLUMNS('^g_') "
        f"FROM (SELECT {', '.join(inner)} FROM raw_chunk))"
    )


def _complete_event(values: dict[str, str]) -> None:
    """What an event says by what it leaves out: who, and of what kind the identifier is."""
    identifier, kind, device = (values[x] for x in (c.IDENTIFIER, c.IDENTIFIER_KIND, c.DEVICE_ID))
    values[c.IDENTIFIER] = f"coalesce({identifier}, {device})"
    values[c.IDENTIFIER_KIND] = (
        f"CASE WHEN {identifier} IS NULL AND {device} IS NOT NULL THEN {sql.literal(c.DEVICE_ID)} "
        f"WHEN {kind} IS NULL AND g_{c.IDENTIFIER_KIND} IS NULL THEN {sql.literal(c.EXTERNAL_ID)} "
        f"WHEN {sql.one_of(kind, (*c.IDENTIFIER_KINDS, c.CUSTOMER_HASH))} THEN {kind} END"
    )
    values[c.EVENT_TYPE] = (
        f"CASE WHEN {sql.one_of(values[c.EVENT_TYPE], c.EVENT_TYPES)} "
        f"THEN {values[c.EVENT_TYPE]} END"
    )


def _row_hash(columns: Sequence[str]) -> str:
    """128 bits of the canonical row, as hex: the id of an event that has none."""
    parts = ", ".join(f"coalesce({column}::VARCHAR, chr(30))" for column in columns)
    return f"md5(concat_ws(chr(31), {parts}))"


def _reason(source: SourceSettings, horizon: Horizon) -> str:
    columns = canonical.COLUMNS[source.table]
    tests: list[tuple[str, str]] = []
    if source.table == canonical.EVENTS:
        missing = f"{c.IDENTIFIER} IS NULL"
        if c.EVENT_ID in source.columns:
            missing += f" OR {c.EVENT_ID} IS NULL"
        earliest = _moment(EARLIEST)
        tests = [
            (missing, MISSING_ID),
            (f"g_{c.OCCURRED_AT} IS NULL", MISSING_TIME),
            (f"{c.OCCURRED_AT} IS NULL OR {c.OCCURRED_AT} < {earliest}", UNPARSABLE_TIME),
            (f"{c.OCCURRED_AT} > {_moment(horizon.far_future)}", FUTURE_TIME),
            (f"{c.EVENT_TYPE} IS NULL", UNKNOWN_EVENT_TYPE),
            (f"{c.IDENTIFIER_KIND} IS NULL", UNKNOWN_IDENTIFIER_KIND),
        ]
    else:
        tests = [(f"{canonical.KEYS[source.table]} IS NULL", MISSING_ID)]
    for column in columns:
        if column in source.columns:
            failed = f"g_{column} IS NOT NULL AND {column} IS NULL"
            tests.append((failed, _FAILURES[canonical.kind(column)]))
    for column in columns:
        if canonical.kind(column) == canonical.ID or column in (c.BRAND, c.CATEGORY):
            tests.append((f"strlen({column}) > {MAX_NAME_BYTES}", TOO_LONG))
    if c.QUANTITY in columns:
        negative = f"{c.QUANTITY} < 0 AND {c.EVENT_TYPE} <> {sql.literal(c.RETURN)}"
        tests.append((negative, NEGATIVE_QUANTITY))
    cases = " ".join(f"WHEN {test} THEN {sql.literal(word)}" for test, word in tests)
    return f"CASE {cases} END"


def _moment(moment: datetime) -> str:
    return f"TIMESTAMPTZ {sql.literal(moment.astimezone(UTC).isoformat())}"
