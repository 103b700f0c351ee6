"""docs/configuration.md, made from the schemas: what is listed there cannot differ from the code.

``python -m settings.document`` prints it without the options of connectors, which settings does
not know; the bootstrap calls ``render`` with them.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from marshmallow import Schema, fields, missing
from marshmallow.validate import Length, OneOf, Range

from settings.column_schema import ColumnMappingSchema
from settings.connection_schema import AttributeSchema, ConnectionField, ConnectionSchema
from settings.document_text import CLOSING, EXAMPLES, OPENING, SECTIONS
from settings.fields import Cron, Flag, Mapped, Moment, Number, Scalar, Strict, WholeNumber, Zone
from settings.landing_schema import LandingSchema
from settings.load import DEFAULT_STATE_DIR
from settings.schema import LimitsSchema, SandboxSchema, ServiceSchema, WebSchema, WorkspaceSchema
from settings.sections import (
    ContentSchema,
    GateSchema,
    ModelSchema,
    ScheduleSchema,
    SegmentSchema,
    SendSchema,
)
from settings.source_schema import SourceField, SourceSchema
from settings.vocabulary import SCORES, TABLES

_HEADINGS = ("key", "type", "default", "range", "unit", "meaning", "example")
_TYPES: tuple[tuple[type[fields.Field[Any]], str], ...] = (
    (Cron, "cron expression"),
    (Zone, "IANA time zone"),
    (Moment, "time with zone"),
    (Flag, "true or false"),
    (fields.Boolean, "true or false"),
    (WholeNumber, "whole number"),
    (fields.Integer, "whole number"),
    (Number, "number"),
    (fields.Float, "number"),
    (Scalar, "text, number, true or false"),
    (fields.Tuple, "list of two texts"),
    (fields.String, "text"),
    (Mapped, "mapping"),
    (fields.Dict, "mapping"),
    (fields.Nested, "section"),
    (ConnectionField, "connection"),
    (SourceField, "section"),
)
_UNITS: tuple[tuple[str, str], ...] = (
    (r"_per_s$", "calls a second"),
    (r"_per_minute$", "calls a minute"),
    (r"_s$", "seconds"),
    (r"_ms$", "milliseconds"),
    (r"_days$", "days"),
    (r"_share$", "share, 1 = all"),
    (r"^cost_per_send$", "currency of the workspace"),
    (r"(^|_)port$", "TCP port"),
    (r"^(nightly|sync)$", "minute hour day month weekday"),
    (r"_windows$", "windows of horizon_days"),
)
_DEFAULT_TEXTS = {"state_dir": f"`{DEFAULT_STATE_DIR}`"}


def render(
    connection_schemas: Mapping[str, type[Schema]],
    source_schemas: Mapping[str, type[Schema]] = MappingProxyType({}),
) -> str:
    """The page as Markdown; the schemas hold the options of each type of a connector."""
    parts = [
        OPENING,
        _section("service", ServiceSchema()),
        _section("web", WebSchema()),
        _section("limits", LimitsSchema()),
        _section("sandbox", SandboxSchema()),
        _section("workspace", WorkspaceSchema(connection_schemas, source_schemas)),
        _section("sources", SourceSchema()),
        *(_options("Source", name, schema()) for name, schema in sorted(source_schemas.items())),
        _section("columns", ColumnMappingSchema()),
        _tables(),
        _section("schedule", ScheduleSchema()),
        _section("models", ModelSchema()),
        _section("gate", GateSchema()),
        _section("content", ContentSchema()),
        _section("landing", LandingSchema()),
        _section("segments", SegmentSchema()),
        _section("send", SendSchema()),
        _section("connections", ConnectionSchema()),
        _section("attributes", AttributeSchema()),
        _scores(),
        *(
            _options("Connection", name, schema())
            for name, schema in sorted(connection_schemas.items())
        ),
        CLOSING,
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _section(name: str, schema: Schema) -> str:
    return f"{SECTIONS[name].strip()}\n\n{_key_table(schema)}"


def _options(what: str, name: str, schema: Schema) -> str:
    return f"### {what} type `{name}`\n\n{_key_table(schema)}"


def _key_table(schema: Schema) -> str:
    rows = [f"| {' | '.join(_HEADINGS)} |", "| --- " * len(_HEADINGS) + "|"]
    for key, field in sorted(schema.fields.items(), key=lambda each: not each[1].required):
        cells = (
            f"`{field.data_key or key}`",
            _type(field),
            _default(schema, key, field),
            _range(field),
            _unit(field.data_key or key),
            _meaning(field),
            _code(field.metadata.get("example")),
        )
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def _type(field: fields.Field[Any]) -> str:
    if isinstance(field, fields.List):
        inner = _type(field.inner)
        return f"list of {inner}s" if not inner.startswith("text") else "list of texts"
    return next((name for kind, name in _TYPES if isinstance(field, kind)), "text")


def _default(schema: Schema, key: str, field: fields.Field[Any]) -> str:
    if field.required:
        return "**required**"
    if key in _DEFAULT_TEXTS:
        return _DEFAULT_TEXTS[key]
    value = _default_value(schema, key, field)
    if value is None or dataclasses.is_dataclass(value) or value in ((), {}):
        return "none" if not dataclasses.is_dataclass(value) else "as below"
    return _code(value)


def _default_value(schema: Schema, key: str, field: fields.Field[Any]) -> Any:
    if field.load_default is not missing:
        return field.load_default() if callable(field.load_default) else field.load_default
    if not isinstance(schema, Strict):
        return None
    for member in dataclasses.fields(schema.target):
        if member.name == key:
            if member.default_factory is not dataclasses.MISSING:
                return member.default_factory()
            return None if member.default is dataclasses.MISSING else member.default
    return None


def _range(field: fields.Field[Any]) -> str:
    for validator in field.validators:
        if isinstance(validator, Range):
            low, high = validator.min, validator.max
            if low is not None and high is not None:
                return f"{low} to {high}"
            return f"at least {low}" if high is None else f"at most {high}"
        if isinstance(validator, OneOf):
            return ", ".join(f"`{choice}`" for choice in validator.choices)
        if isinstance(validator, Length) and isinstance(field, fields.List):
            return f"at least {validator.min}" if validator.min else ""
    return ""


def _unit(key: str) -> str:
    return next((unit for pattern, unit in _UNITS if re.search(pattern, key)), "")


def _meaning(field: fields.Field[Any]) -> str:
    secret = " *(secret: never shown)*" if field.metadata.get("secret") else ""
    return f"{field.metadata.get('description', '')}{secret}"


def _code(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        value = list(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"`{text}`"


def _tables() -> str:
    parts = [SECTIONS["tables"].strip()]
    for table, columns in TABLES.items():
        rows = ["| column | kind | required | meaning |", "| --- | --- | --- | --- |"]
        rows += [
            f"| `{name}` | {column.kind} | {'**yes**' if column.required else ''} "
            f"| {column.description} |"
            for name, column in columns.items()
        ]
        table_text = "\n".join(rows)
        example = f"```yaml\n{EXAMPLES[table].strip()}\n```"
        parts.append(f"### Table `{table}`\n\n{table_text}\n\n{example}")
    return "\n\n".join(parts)


def _scores() -> str:
    rows = ["Scores:", "", "| score | meaning |", "| --- | --- |"]
    rows += [f"| `{score}` | {meaning} |" for score, meaning in SCORES.items()]
    return "\n".join(rows)


def main() -> None:
    """Print the page without connectors' options."""
    sys.stdout.write(render({}))


if __name__ == "__main__":
    main()
