"""Sources: the keys of each type, and whether the columns make the canonical table."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema
from marshmallow.validate import Length, NoneOf, OneOf

from settings.column_schema import ColumnField, ColumnMappingSchema
from settings.connection_schema import flat_entry
from settings.fields import (
    ENTRY_NAME,
    Flag,
    Mapped,
    Strict,
    Text,
    about,
    filled,
    unknown_keys,
)
from settings.problems import Complaint, one_of
from settings.vocabulary import (
    EVENT_COLUMNS,
    EVENT_TYPE,
    EVENT_TYPES,
    EXTERNAL_ID,
    FILE_FORMATS,
    IDENTIFIER_KIND,
    IDENTIFIER_KINDS,
    IDENTIFIERS,
    OCCURRED_AT,
    SOURCE_TYPES,
    TABLES,
    Column,
)
from settings.workspace import ColumnMapping, SourceSettings

TYPE_KEYS: Mapping[str, tuple[str, ...]] = {
    "file": ("path", "format", "encoding", "delimiter", "header"),
    "ibis": ("url", "relation", "sql"),
    "completejourney": ("relation",),
}
_REQUIRED_KEYS: Mapping[str, Mapping[str, str]] = {
    "file": {"path": "a file, a folder or a glob"},
    "ibis": {"url": "an Ibis connection URL"},
    "completejourney": {"relation": "a data set of the package, such as transactions"},
}
EVENT_ROWS: Mapping[str, ColumnMapping] = {
    name: ColumnMapping(column=name, format="unix_s" if name == OCCURRED_AT else None)
    for name in EVENT_COLUMNS
}  # of files that a connector has made into canonical events
_URL = re.compile(r"[a-z][a-z0-9+.-]*:(//)?\S")
_WORDS: Mapping[str, tuple[str, ...]] = {
    EVENT_TYPE: EVENT_TYPES,
    IDENTIFIER_KIND: IDENTIFIER_KINDS,
}


def known_encoding(name: str) -> None:
    """Raises ValidationError for an encoding that Python does not know or that makes no text."""
    try:
        known = codecs.lookup(name)._is_text_encoding
        if known:
            codecs.getincrementaldecoder(name)("replace").decode(b"")  # idna cannot
    except (LookupError, ValueError):
        known = False
    if not known:
        raise ValidationError("an encoding such as utf-8, cp949 or latin-1")


def ibis_url(url: str) -> None:
    """Raises ValidationError for what is no URL."""
    try:
        usable = _URL.match(url) and urlsplit(url)
    except ValueError:  # [ without ]
        usable = None
    if not usable:
        raise ValidationError("a URL such as duckdb://shop.duckdb")


class SourceSchema(Strict):
    target = SourceSettings

    name = Text(
        required=True,
        validate=ENTRY_NAME,
        metadata=about("how reports and the quarantine call it; once in a workspace", "orders"),
    )
    type = Text(
        required=True,
        validate=OneOf(SOURCE_TYPES),
        metadata=about("where the rows come from", "file"),
    )
    table = Text(
        required=True,
        validate=OneOf(tuple(TABLES)),
        metadata=about("the canonical table that it fills", "events"),
    )
    columns = Mapped(
        ColumnField(ColumnMappingSchema),
        required=True,
        metadata=about("canonical column to its mapping", {"item_id": "sku"}),
    )
    path = Text(
        allow_none=True,
        validate=filled(),
        metadata=about(
            "type file: a file, a folder or a glob, relative to this YAML file; "
            "`.gz` and `.zst` are unpacked",
            "data/orders/*.csv.gz",
        ),
    )
    format = Text(
        allow_none=True,
        validate=OneOf(FILE_FORMATS),
        metadata=about("type file: default: by the file's name", "csv"),
    )
    encoding = Text(
        validate=known_encoding,
        metadata=about("type file: encoding of CSV and NDJSON", "cp949"),
    )
    delimiter = Text(
        validate=[
            Length(equal=1, error="one character"),
            NoneOf('\r\n"', error="a character that neither quotes nor ends a line"),
        ],
        metadata=about("type file: what stands between the fields of a CSV", ";"),
    )
    header = Flag(
        metadata=about(
            "type file: whether a CSV's first line names the columns; else they are c0, c1, …",
            True,
        ),
    )
    url = Text(
        allow_none=True,
        validate=ibis_url,
        metadata=about(
            "type ibis: an Ibis connection URL",
            "postgres://${DB_USER}:${DB_PASSWORD}@db/shop",
            secret=True,
        ),
    )
    relation = Text(
        allow_none=True,
        validate=filled(),
        metadata=about(
            "type ibis: a table or view; type completejourney: a data set of the package", "orders"
        ),
    )
    sql = Text(
        allow_none=True,
        validate=filled(100_000),
        metadata=about("type ibis: a query instead of relation", "select * from orders"),
    )

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def keys_fit_type(self, data: dict[str, Any], original: Any, **_: Any) -> None:
        if data.get("type") not in TYPE_KEYS or not isinstance(original, Mapping):
            return
        own = TYPE_KEYS[data["type"]]
        others = {key for keys in TYPE_KEYS.values() for key in keys} - set(own)
        given = {key for key in original if original[key] is not None}
        errors = {
            key: [Complaint(f"it only with another type than {data['type']}", key)]
            for key in sorted(given & others)
        }
        errors |= _missing_keys(data["type"], given)
        if errors:
            raise ValidationError(errors)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def columns_fit_table(self, data: dict[str, Any], original: Any, **_: Any) -> None:
        if data.get("table") not in TABLES or not isinstance(original.get("columns"), Mapping):
            return
        table = TABLES[data["table"]]
        given = original["columns"]
        errors: dict[str, Any] = dict(unknown_keys(given, table))
        for name, column in table.items():
            if column.required and name not in given:
                errors[name] = [Complaint(f"a mapping for it: {column.description}", "nothing")]
        for name, mapping in data.get("columns", {}).items():
            if name in table:
                misfit = _misfit(name, table[name], mapping)
                if misfit:
                    errors[name] = misfit
        if errors:
            raise ValidationError({"columns": errors})

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> SourceSettings:
        """Events without a kind of identifier name customers by their external id."""
        if data["table"] == "events":
            data["columns"].setdefault(IDENTIFIER_KIND, ColumnMapping(value=EXTERNAL_ID))
        return SourceSettings(**data)


class EventFilesSchema(Strict):
    """The keys that every source of a connector's event files has: it fills events, and knows
    how."""

    target = dict

    name = SourceSchema._declared_fields["name"]
    type = Text(required=True, metadata=about("the connector's name for these files"))


class SourceField(fields.Field[SourceSettings]):
    """Loads one source; ``source_schemas`` of the root schema are further types, of connectors."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> SourceSettings:
        further: Mapping[str, type[Schema]] = self.root.source_schemas  # type: ignore[union-attr]
        kind = value.get("type") if isinstance(value, Mapping) else None
        errors: dict[Any, Any] = {}
        if isinstance(kind, str) and kind in further:
            entry, options = flat_entry(value, EventFilesSchema(), further[kind], errors)
            if errors:
                raise ValidationError(errors)
            return SourceSettings(**entry, table="events", columns=EVENT_ROWS, options=options)
        try:
            source: SourceSettings = SourceSchema().load(value)
        except ValidationError as error:
            errors = error.messages_dict
            if isinstance(kind, str) and kind not in SOURCE_TYPES:
                errors["type"] = [one_of((*SOURCE_TYPES, *further), kind)]
            raise ValidationError(errors) from None
        return source


def _missing_keys(source_type: str, given: set[str]) -> dict[str, list[Complaint]]:
    missing: dict[str, list[Complaint]] = {}
    for key, description in _REQUIRED_KEYS.get(source_type, {}).items():
        if key not in given:
            missing[key] = [Complaint(description, "nothing")]
    if source_type == "ibis" and len(given & {"relation", "sql"}) != 1:
        found = "both" if {"relation", "sql"} <= given else "neither"
        missing["relation"] = [Complaint("exactly one of: relation, sql", found)]
    return missing


def _misfit(name: str, column: Column, mapping: ColumnMapping) -> dict[str, Any]:
    """Why ``mapping`` cannot make this canonical column: messages by key of the mapping."""
    errors: dict[str, Any] = {}
    if column.kind != "time":
        if mapping.format is not None:
            errors["format"] = [Complaint("it only for a time", f"format for {name}")]
        if mapping.timezone != "UTC":
            errors["timezone"] = [Complaint("it only for a time", f"timezone for {name}")]
    if column.kind != "number" and mapping.divide is not None:
        errors["divide"] = [Complaint("it only for a number", f"divide for {name}")]
    if mapping.object is not None:
        if column.kind != "json":
            errors["object"] = [Complaint("it only for a JSON object", f"object for {name}")]
        elif name == IDENTIFIERS:
            unknown = unknown_keys(mapping.object, IDENTIFIER_KINDS)
            errors |= {"object": unknown} if unknown else {}
    if column.kind == "number" and mapping.value is not None and not _is_number(mapping.value):
        errors["value"] = ["a number"]
    words = _WORDS.get(name)
    if words:
        if mapping.value is not None and mapping.value not in words:
            errors["value"] = [one_of(words, mapping.value)]
        wrong = {k: w for k, w in (mapping.translate or {}).items() if w not in words}
        if wrong:
            errors["translate"] = {key: [one_of(words, word)] for key, word in wrong.items()}
    return errors


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    try:
        return isfinite(float(value))
    except ValueError:
        return False
