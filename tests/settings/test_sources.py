"""Sources and column mappings: what a mapping becomes, and every way to get one wrong."""

from __future__ import annotations

from textwrap import indent

import pytest

from settings.vocabulary import TABLES
from settings.workspace import ColumnMapping, SourceSettings
from tests.settings.conftest import Folder

EVENTS = {"occurred_at": "at", "identifier": "who", "event_type": "{value: view}"}


def source(folder: Folder, text: str) -> SourceSettings:
    return folder.workspace(f"sources:\n- name: x\n{indent(text, '  ')}").sources[0]


def event_columns(**columns: str) -> str:
    """An events source in which ``columns`` begin at line 6 of the file."""
    given = {**columns, **{key: value for key, value in EVENTS.items() if key not in columns}}
    lines = "".join(f"    {key}: {value}\n" for key, value in given.items() if value)
    return f"sources:\n- name: x\n  type: file\n  table: events\n  path: p\n  columns:\n{lines}"


def mapping(folder: Folder, text: str, column: str = "item_id") -> ColumnMapping:
    return folder.workspace(event_columns(**{column: text})).sources[0].columns[column]


def test_plain_text_is_short_for_a_source_column(folder: Folder) -> None:
    assert mapping(folder, "sku") == mapping(folder, "{column: sku}") == ColumnMapping(column="sku")


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [
        ("channel", "{value: store}", ColumnMapping(value="store")),
        ("quantity", "{value: 1}", ColumnMapping(value=1)),
        ("event_id", "{join: [a, b]}", ColumnMapping(join=("a", "b"))),
        ("event_id", "{join: [a, b], separator: ''}", ColumnMapping(join=("a", "b"), separator="")),
        ("unit_price", "{divide: [a, b]}", ColumnMapping(divide=("a", "b"))),
        (
            "properties",
            "{object: {size: pack_size, 1: first}}",
            ColumnMapping(object={"size": "pack_size", "1": "first"}),
        ),
        (
            "event_type",
            "{column: t, translate: {1: purchase, no: view}}",
            ColumnMapping(column="t", translate={"1": "purchase", "no": "view"}),
        ),
        (
            "occurred_at",
            "{column: t, format: '%d.%m.%Y', timezone: Asia/Seoul}",
            ColumnMapping(column="t", format="%d.%m.%Y", timezone="Asia/Seoul"),
        ),
        ("occurred_at", "{column: t, format: unix_ms}", ColumnMapping("t", format="unix_ms")),
        (
            "occurred_at",
            "{join: [day, time], format: '%Y%m%d-%H%M %z'}",
            ColumnMapping(join=("day", "time"), format="%Y%m%d-%H%M %z"),
        ),
    ],
)
def test_ways_to_make_a_column(
    folder: Folder, column: str, text: str, expected: ColumnMapping
) -> None:
    assert mapping(folder, text, column) == expected


def test_events_name_customers_by_external_id_unless_told_otherwise(folder: Folder) -> None:
    columns = folder.workspace(event_columns()).sources[0].columns
    assert columns["identifier_kind"] == ColumnMapping(value="external_id")
    columns = folder.workspace(event_columns(identifier_kind="kind")).sources[0].columns
    assert columns["identifier_kind"] == ColumnMapping(column="kind")


def test_a_file_source_has_its_options(folder: Folder) -> None:
    text = """\
type: file
table: items
path: data/*.csv
format: csv
encoding: cp949
delimiter: "\\t"
header: false
columns: {item_id: c0}
"""
    result = source(folder, text)
    assert (result.path, result.format, result.encoding) == ("data/*.csv", "csv", "cp949")
    assert (result.delimiter, result.header) == ("\t", False)


def test_an_ibis_source_has_a_table_or_a_query(folder: Folder) -> None:
    text = "type: ibis\ntable: items\nurl: duckdb://x\ncolumns: {item_id: i}\n"
    assert source(folder, text + "relation: items").relation == "items"
    assert source(folder, text + "sql: select 1 as i").sql == "select 1 as i"


def test_a_packaged_source_has_a_relation(folder: Folder) -> None:
    text = "type: completejourney\ntable: items\nrelation: products\ncolumns: {item_id: product_id}"
    assert source(folder, text).relation == "products"


@pytest.mark.parametrize("table", TABLES)
def test_each_tables_required_columns_suffice(folder: Folder, table: str) -> None:
    required = [name for name, column in TABLES[table].items() if column.required]
    listed = ", ".join(f"{name}: {{value: {_constant(name)}}}" for name in required)
    result = source(folder, f"type: file\ntable: {table}\npath: p\ncolumns: {{{listed}}}")
    assert set(required) <= set(result.columns)


def _constant(name: str) -> str:
    return "view" if name == "event_type" else "x"


# column · its mapping · path below columns · found · a part of expected
COLUMNS: list[tuple[str, str, str, str, str]] = [
    ("item_id", "5", "item_id", "5", "a mapping"),
    ("item_id", "[sku]", "item_id", "a list", "a mapping"),
    ("item_id", "''", "item_id.column", "''", "text of 1"),
    ("item_id", "{}", "item_id", "none of them", "exactly one of: column, value, join, divide"),
    ("item_id", "{column: a, value: b}", "item_id", "column and value", "exactly one of"),
    ("item_id", "{colum: a}", "item_id.colum", "the unknown key 'colum'", "did you mean column?"),
    ("item_id", "{value: [1]}", "item_id.value", "a list", "text, a number, true or false"),
    ("item_id", "{join: [a]}", "item_id.join", "a list", "at least two"),
    ("item_id", "{join: a}", "item_id.join", "'a'", "a valid list"),
    ("item_id", "{join: [a, 1]}", "item_id.join[1]", "1", "text"),
    ("item_id", "{column: a, separator: x}", "item_id.separator", "separator", "with join"),
    ("item_id", "{value: a, translate: {a: b}}", "item_id.translate", "translate", "with column"),
    ("item_id", "{column: a, translate: {}}", "item_id.translate", "an empty mapping", "one word"),
    ("item_id", "{column: a, translate: [b]}", "item_id.translate", "a list", "a mapping"),
    ("item_id", "{column: a, translate: {b: [c]}}", "item_id.translate.b", "a list", "text"),
    ("item_id", "{column: a, format: '%Y'}", "item_id.format", "format for item_id", "for a time"),
    ("item_id", "{column: a, timezone: Asia/Seoul}", "item_id.timezone", "timezone for item_id",
     "for a time"),
    ("item_id", "{divide: [a, b]}", "item_id.divide", "divide for item_id", "for a number"),
    ("quantity", "{divide: [a]}", "quantity.divide", "a list", "a length of 2"),
    ("quantity", "{divide: [a, b, c]}", "quantity.divide", "a list", "a length of 2"),
    ("quantity", "{value: many}", "quantity.value", "'many'", "a number"),
    ("quantity", "{value: .inf}", "quantity.value", "inf", "a number"),
    ("quantity", "{value: true}", "quantity.value", "true", "a number"),
    ("item_id", "{object: {a: b}}", "item_id.object", "object for item_id", "for a JSON object"),
    ("properties", "{object: {}}", "properties.object", "an empty mapping", "at least one key"),
    ("properties", "{object: [a, b]}", "properties.object", "a list", "a mapping"),
    ("properties", "{object: {a: 1}}", "properties.object.a", "1", "text"),
    ("properties", "{object: {a: ''}}", "properties.object.a", "''", "text of 1"),
    ("properties", "{object: {a: b}, column: c}", "properties", "column and object", "exactly one"),
    ("properties", "{object: {a: b}, translate: {x: y}}", "properties.translate", "translate",
     "with column"),
    ("event_type", "{value: buy}", "event_type.value", "'buy'", "one of: app_open"),
    ("event_type", "{value: purchas}", "event_type.value", "'purchas'", "did you mean purchase?"),
    ("event_type", "{column: t, translate: {O: order}}", "event_type.translate.O", "'order'",
     "purchase"),
    ("identifier_kind", "{value: email}", "identifier_kind.value", "'email'", "email_hash"),
    ("occurred_at", "{column: t, format: YYYY-MM-DD}", "occurred_at.format", "'YYYY-MM-DD'",
     "strptime"),
    ("occurred_at", "{column: t, format: '%Q'}", "occurred_at.format", "'%Q'", "strptime"),
    ("occurred_at", "{column: t, format: '%H:%M'}", "occurred_at.format", "'%H:%M'", "strptime"),
    ("occurred_at", "{column: t, timezone: KST}", "occurred_at.timezone", "'KST'", "IANA"),
    ("item", "sku", "item", "the unknown key 'item'", "did you mean item_id?"),
    ("price", "p", "price", "the unknown key 'price'", "unit_price"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "text", "key", "found", "expected"), COLUMNS)
def test_bad_input_column_mapping(
    folder: Folder, column: str, text: str, key: str, found: str, expected: str
) -> None:
    problem = folder.problem(event_columns(**{column: text}))
    assert (problem.line, problem.found) == (7, found)
    assert problem.key == f"sources[0].columns.{key}"
    assert expected in problem.expected


def test_bad_input_an_object_of_identifiers_of_an_unknown_kind(folder: Folder) -> None:
    columns = "{customer_id: id, identifiers: {object: {device_id: d, phone: p}}}"
    entry = f"{{name: x, type: file, table: customers, path: p, columns: {columns}}}"
    problem = folder.problem(f"sources:\n- {entry}")
    assert problem.key == "sources[0].columns.identifiers.object.phone"
    assert (problem.found, "phone_hash" in problem.expected) == ("the unknown key 'phone'", True)


@pytest.mark.parametrize("column", ["occurred_at", "identifier", "event_type"])
def test_bad_input_an_events_source_without_a_required_column(folder: Folder, column: str) -> None:
    problem = folder.problem(event_columns(**{column: ""}))
    assert (problem.line, problem.key, problem.found) == (
        6,
        f"sources[0].columns.{column}",
        "nothing",
    )
    assert "a mapping for it" in problem.expected


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("items", "item_id"),
        ("customers", "customer_id"),
        ("campaigns", "campaign_id"),
        ("offers", "offer_id"),
    ],
)
def test_bad_input_a_table_without_its_id(folder: Folder, table: str, column: str) -> None:
    text = f"sources:\n- {{name: x, type: file, table: {table}, path: p, columns: {{}}}}"
    assert folder.problem(text).key == f"sources[0].columns.{column}"


# keys of a source beside name and table · key · found · a part of expected
TYPES: list[tuple[str, str, str, str]] = [
    ("type: csv", "type", "'csv'", "one of: completejourney, file, ibis"),
    ("type: file", "path", "nothing", "a file, a folder or a glob"),
    ("type: file\npath: p\nurl: duckdb://x", "url", "url", "it only with another type than file"),
    ("type: file\npath: p\nformat: xlsx", "format", "'xlsx'", "csv"),
    ("type: file\npath: p\nencoding: klingon", "encoding", "'klingon'", "an encoding"),
    ("type: file\npath: p\nencoding: base64", "encoding", "'base64'", "an encoding"),
    ("type: file\npath: p\nencoding: idna", "encoding", "'idna'", "an encoding"),
    ("type: file\npath: p\nencoding: undefined", "encoding", "'undefined'", "an encoding"),
    ("type: file\npath: p\ndelimiter: '\"'", "delimiter", "'\"'", "neither quotes nor ends"),
    ("type: file\npath: p\ndelimiter: '::'", "delimiter", "'::'", "one character"),
    ("type: file\npath: p\nheader: yes", "header", "'yes'", "true or false"),
    ("type: ibis\nrelation: r", "url", "nothing", "an Ibis connection URL"),
    ("type: ibis\nurl: duckdb://x", "relation", "neither", "exactly one of: relation, sql"),
    ("type: ibis\nurl: duckdb://x\nrelation: r\nsql: s", "relation", "both", "exactly one of"),
    ("type: ibis\nurl: shop.db\nrelation: r", "url", "a value that is not shown", "a URL"),
    ("type: ibis\nurl: 'duckdb://[x'\nrelation: r", "url", "a value that is not shown", "a URL"),
    ("type: completejourney", "relation", "nothing", "a data set of the package"),
    ("type: completejourney\nrelation: r\npath: p", "path", "path", "another type"),
]


@pytest.mark.parametrize(("text", "key", "found", "expected"), TYPES)
def test_bad_input_keys_of_a_source_type(
    folder: Folder, text: str, key: str, found: str, expected: str
) -> None:
    keys = indent(text, "  ")
    problem = folder.problem(
        f"sources:\n- name: x\n  table: items\n  columns: {{item_id: i}}\n{keys}"
    )
    assert (problem.key, problem.found) == (f"sources[0].{key}", found)
    assert expected in problem.expected


def test_bad_input_an_unknown_table_is_the_only_problem(folder: Folder) -> None:
    text = "sources:\n- {name: x, type: file, table: orders, path: p, columns: {sku: a}}"
    problem = folder.problem(text)
    assert (problem.key, problem.found) == ("sources[0].table", "'orders'")


def test_bad_input_two_sources_of_one_name(folder: Folder) -> None:
    entry = "- {name: x, type: file, table: items, path: p, columns: {item_id: i}}\n"
    problem = folder.problem(f"sources:\n{entry}{entry}")
    assert (problem.line, problem.key, problem.found) == (3, "sources[1].name", "'x'")
    assert problem.expected == "another name than entry 1 has"


@pytest.mark.parametrize("name", ["../x", "a b", "", "x" * 81, "한글"])
def test_bad_input_source_names_that_are_no_file_names(folder: Folder, name: str) -> None:
    rest = "type: file, table: items, path: p, columns: {item_id: i}"
    problem = folder.problem(f"sources:\n- {{name: '{name}', {rest}}}")
    assert problem.key == "sources[0].name"
