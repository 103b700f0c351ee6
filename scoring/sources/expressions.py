"""DuckDB expressions for one canonical column: what the source gives, and what becomes of it.

``given`` is null when the source gives nothing; the result is null then too, and also when what was
given does not fit: that is how a bad value is told from a missing one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import pyarrow as pa

from scoring import canonical, sql
from scoring.sources.errors import SourceError
from settings.workspace import ColumnMapping

UNIX_FORMATS = {"unix_s": 1_000_000, "unix_ms": 1_000}  # microseconds a unit
_TRUE, _FALSE = ("true", "t", "yes", "y", "on", "1"), ("false", "f", "no", "n", "off", "0")
_OFFSET = r"[0-9](Z|z|[+-][0-9]{2}(:?[0-9]{2})?)$"
_LARGEST_NUMBER = "1e12"  # no price or quantity is larger; sums stay exact
_LARGEST_MICROSECONDS = 253_402_300_799_000_000  # end of the year 9999

# DuckDB takes NaN, Infinity, a comma before a bracket and numbers beyond a double for JSON: no
# other reader does.
_JSON_STRING = r"""'"(\\.|[^"\\])*"'"""
_BETWEEN = "'[,;|]'"  # the texts of a list that is no JSON
_NOT_JSON = r"'NaN|Infinity|,\s*[}\]]|[0-9][eE]\+?[0-9]{3}'"


def given(
    kind: str, mapping: ColumnMapping, schema: pa.Schema, aliases: Mapping[str, str]
) -> tuple[str, pa.DataType]:
    """What the source says, and its type (string, unless the column's own type serves better)."""
    if mapping.column is not None:
        native = schema.field(mapping.column).type
        alias = aliases[mapping.column]
        if mapping.translate is None and _serves(kind, native):
            return (_not_nan(alias) if pa.types.is_floating(native) else alias), native
        if kind in (canonical.ID, canonical.TEXT) and pa.types.is_nested(native):
            raise SourceError(
                f"column {mapping.column!r} holds {native}, which is no text: give the source a "
                "column of single values"
            )
        return _text(alias, native), pa.string()
    if mapping.join:
        parts = [_text(aliases[name], schema.field(name).type) for name in mapping.join]
        separator = sql.literal(mapping.separator)
        if kind == canonical.ID:  # an id of which a part is missing is no id
            return f" || {separator} || ".join(parts), pa.string()
        return f"nullif(concat_ws({separator}, {', '.join(parts)}), '')", pa.string()
    if mapping.divide:
        return _quotient(mapping.divide, schema, aliases), pa.float64()
    if mapping.object:
        return _object(mapping.object, schema, aliases), pa.string()
    if mapping.value is None:
        return "NULL::VARCHAR", pa.string()
    value = str(mapping.value).lower() if isinstance(mapping.value, bool) else str(mapping.value)
    return sql.literal(value), pa.string()


def result(kind: str, mapping: ColumnMapping, name: str, native: pa.DataType) -> str:
    """The canonical value of the given column ``name``, null if it does not fit."""
    if mapping.translate is not None:
        cases = " ".join(
            f"WHEN {sql.literal(str(old))} THEN {sql.literal(str(new))}"
            for old, new in mapping.translate.items()
        )
        name = f"(CASE {name} {cases} END)" if cases else "NULL::VARCHAR"
    if kind == canonical.TIME:
        return _time(mapping, name, native)
    if kind in (canonical.NUMBER, canonical.INTEGER):
        number = f"TRY_CAST({name} AS DOUBLE)"
        if kind == canonical.NUMBER:
            return f"CASE WHEN abs({number}) <= {_LARGEST_NUMBER} THEN {number} END"
        return (
            f"CASE WHEN abs({number}) <= {_LARGEST_NUMBER} AND {number} = trunc({number}) "
            f"THEN TRY_CAST({number} AS BIGINT) END"
        )
    if kind == canonical.FLAG and not pa.types.is_boolean(native):
        return (
            f"CASE WHEN {sql.one_of(f'lower({name})', _TRUE)} THEN true "
            f"WHEN {sql.one_of(f'lower({name})', _FALSE)} THEN false END"
        )
    if kind == canonical.JSON:
        return (
            f"CASE WHEN json_valid({name}) AND json_type({name}) = 'OBJECT' THEN "
            # strings are looked at only where something stands that may be inside of one
            f"CASE WHEN NOT regexp_matches({name}, {_NOT_JSON}) THEN {name} "
            f"WHEN NOT regexp_matches(regexp_replace({name}, {_JSON_STRING}, '\"\"', 'g'), "
            f"{_NOT_JSON}) THEN {name} END END"
        )
    if kind == canonical.LIST:
        return _list(name)
    return name


def _list(name: str) -> str:
    """Distinct texts, sorted, of a JSON list or of a text with something between them; a text that
    begins like a JSON list and is none does not fit."""
    json_list = f"CASE WHEN json_valid({name}) THEN TRY_CAST({name}::JSON AS VARCHAR[]) END"
    texts = (
        f"CASE WHEN {name} LIKE '[%' THEN {json_list} "
        f"ELSE regexp_split_to_array({name}, {_BETWEEN}) END"
    )
    trimmed = f"list_transform({texts}, lambda text: trim(text))"
    return f"list_sort(list_distinct(list_filter({trimmed}, lambda text: text <> '')))"


def _serves(kind: str, native: pa.DataType) -> bool:
    """Can a column of this type be used as it is, not by way of its text."""
    numeric = (
        pa.types.is_integer(native) or pa.types.is_floating(native) or pa.types.is_decimal(native)
    )
    if kind == canonical.TIME:
        return numeric or pa.types.is_timestamp(native) or pa.types.is_date(native)
    if kind in (canonical.NUMBER, canonical.INTEGER):
        return numeric
    return kind == canonical.FLAG and pa.types.is_boolean(native)


def _text(alias: str, native: pa.DataType) -> str:
    """A source column as text; empty is null; 12.0 of a float column is 12 (pandas' way of ids)."""
    if pa.types.is_integer(native) or pa.types.is_boolean(native) or pa.types.is_decimal(native):
        return f"{alias}::VARCHAR"
    if pa.types.is_floating(native):
        return (
            f"CASE WHEN isnan({alias}) THEN NULL "
            f"WHEN {alias} = trunc({alias}) AND abs({alias}) < 1e15 "
            f"THEN {alias}::BIGINT::VARCHAR ELSE {alias}::VARCHAR END"
        )
    if pa.types.is_nested(native) and not pa.types.is_dictionary(native):
        return f"to_json({alias})::VARCHAR"
    return f"nullif(trim({alias}::VARCHAR), '')"


def _not_nan(alias: str) -> str:
    return f"CASE WHEN NOT isnan({alias}) THEN {alias} END"


def _quotient(divide: tuple[str, str], schema: pa.Schema, aliases: Mapping[str, str]) -> str:
    """First column over second; null if either is missing or the second is 0; NaN if either is
    bad.
    """
    given_parts, numbers = [], []
    for name in divide:
        part, native = given(canonical.NUMBER, ColumnMapping(column=name), schema, aliases)
        given_parts.append(part)
        numbers.append(result(canonical.NUMBER, ColumnMapping(column=name), f"({part})", native))
    bad = " OR ".join(
        f"({part} IS NOT NULL AND {number} IS NULL)"
        for part, number in zip(given_parts, numbers, strict=True)
    )
    return f"CASE WHEN {bad} THEN 'NaN'::DOUBLE ELSE {numbers[0]} / nullif({numbers[1]}, 0) END"


def _object(columns: Mapping[str, str], schema: pa.Schema, aliases: Mapping[str, str]) -> str:
    """The JSON object of key → column, keys sorted, without missing values; null if all are."""
    members = []
    for key in sorted(columns):
        value = _json_value(aliases[columns[key]], schema.field(columns[key]).type)
        start = sql.literal(json.dumps(key, ensure_ascii=False) + ":")
        members.append(f"{start} || ({value})")
    return f"nullif('{{' || concat_ws(',', {', '.join(members)}) || '}}', '{{}}')"


def _json_value(alias: str, native: pa.DataType) -> str:
    """A source column as JSON text; null when missing, and for a number that JSON cannot write."""
    text = _text(alias, native)
    if pa.types.is_floating(native):
        return f"CASE WHEN isfinite({alias}) THEN {text} END"
    if (
        pa.types.is_integer(native)
        or pa.types.is_boolean(native)
        or pa.types.is_decimal(native)
        or pa.types.is_nested(native)
    ):
        return text
    return f"to_json({text})::VARCHAR"


def _time(mapping: ColumnMapping, name: str, native: pa.DataType) -> str:
    zone = sql.literal(mapping.timezone)
    if mapping.format in UNIX_FORMATS:
        micros = f"round(TRY_CAST({name} AS DOUBLE) * {UNIX_FORMATS[mapping.format]})"
        return (
            f"CASE WHEN abs({micros}) <= {_LARGEST_MICROSECONDS} "
            f"THEN timezone('UTC', make_timestamp(TRY_CAST({micros} AS BIGINT))) END"
        )
    if pa.types.is_timestamp(native) or pa.types.is_date(native):
        zoned = pa.types.is_timestamp(native) and native.tz is not None
        moment = f"{name}::TIMESTAMPTZ" if zoned else f"timezone({zone}, {name}::TIMESTAMP)"
    elif not pa.types.is_string(native):
        return "NULL::TIMESTAMPTZ"  # a number without format: unix_s or unix_ms is no time
    elif mapping.format is not None:
        parsed = f"try_strptime({name}, {sql.literal(mapping.format)})"
        zoned = "%z" in mapping.format or "%Z" in mapping.format
        moment = parsed if zoned else f"timezone({zone}, {parsed})"
    elif mapping.timezone == "UTC":
        moment = f"TRY_CAST({name} AS TIMESTAMPTZ)"
    else:
        moment = (
            f"CASE WHEN regexp_matches({name}, {sql.literal(_OFFSET)}) AND length({name}) > 10 "
            f"THEN TRY_CAST({name} AS TIMESTAMPTZ) "
            f"ELSE timezone({zone}, TRY_CAST({name} AS TIMESTAMP)) END"
        )
    return f"CASE WHEN isfinite({moment}) AND year({moment}) <= 9999 THEN {moment} END"
