"""Small pieces of DuckDB SQL that several modules need."""

from __future__ import annotations

from collections.abc import Iterable


def literal(text: str) -> str:
    """A string constant."""
    return "'" + text.replace("'", "''") + "'"


def name(column: str) -> str:
    """A quoted column name."""
    return '"' + column.replace('"', '""') + '"'


def one_of(expression: str, values: Iterable[str]) -> str:
    """Whether a text expression is one of ``values`` (null stays null)."""
    return f"{expression} IN ({', '.join(literal(value) for value in values)})"


def listed_identifiers(identifiers: str, kind: str) -> str:
    """The VARCHAR[] of one kind in a JSON object kind → value or list of values."""
    path = f'$."{kind}"'
    return (
        f"CASE json_type({identifiers}, {literal(path)}) WHEN 'ARRAY' THEN "
        f"json_extract_string({identifiers}, {literal(path + '[*]')}) "
        f"ELSE [json_extract_string({identifiers}, {literal(path)})] END"
    )
