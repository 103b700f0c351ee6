"""Connections: a flat entry (name, type, attributes) with the options of its type beside them.

The options' schema belongs to the connector, so that deleting a connector removes its keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema
from marshmallow.validate import OneOf

from settings.fields import (
    ENTRY_NAME,
    Flag,
    Number,
    Strict,
    Text,
    WholeNumber,
    about,
    between,
    filled,
    unknown_keys,
)
from settings.problems import Complaint, one_of
from settings.vocabulary import (
    ATTRIBUTE_SCORES,
    ATTRIBUTE_TYPES,
    BEST_HOUR,
    LIST_SCORES,
    SCORED_ON,
)
from settings.workspace import AttributeSettings, ConnectionSettings


class AttributeSchema(Strict):
    target = AttributeSettings

    name = Text(
        required=True,
        validate=filled(250),
        metadata=about("the attribute's name in the host tool", "rightsend_top_items"),
    )
    score = Text(
        required=True,
        validate=OneOf(ATTRIBUTE_SCORES),
        metadata=about("the score that it holds", "top_items"),
    )
    round_to = Number(
        allow_none=True,
        validate=between(0.0001, 1_000_000),
        metadata=about("step to round a number to, so that noise is not a change", 0.05),
    )
    type = Text(
        allow_none=True,
        validate=OneOf(ATTRIBUTE_TYPES),
        metadata=about(
            "text: a number or a list (with commas) as text; boolean: true from the only bound of "
            "buckets on; default: as the score is",
            "boolean",
        ),
    )
    buckets = fields.List(
        Number(validate=between(-1_000_000_000, 1_000_000_000)),
        metadata=about("rising bounds that put a number into one of the labels", [0.1, 0.3]),
    )
    labels = fields.List(
        Text(validate=filled(250)),
        metadata=about("of the buckets, one more than bounds", ["low", "medium", "high"]),
    )
    length = WholeNumber(
        allow_none=True,
        validate=between(1, 1000),
        metadata=about("how many entries of a list are sent", 5),
    )
    hold = Number(
        allow_none=True,
        validate=between(0, 1_000_000_000),
        metadata=about(
            "how far a number may move, or how many entries of a list may be replaced, before it "
            "is written again; default: three quarters of round_to, a tenth of a bucket's bound, "
            "every change of a list",
            1,
        ),
    )
    along = Flag(
        metadata=about("write it only when another attribute of the customer changes", True),
    )
    priority = WholeNumber(
        validate=between(0, 1000),
        metadata=about("what data_points are spent on first: the highest", 1),
    )

    @validates_schema
    def fits_score(self, data: dict[str, Any], **_: Any) -> None:
        is_list = data["score"] in LIST_SCORES
        if is_list and data.get("round_to") is not None:
            raise ValidationError(Complaint("it only for a number", "round_to"), "round_to")
        if data["score"] == BEST_HOUR and data.get("round_to") is not None:
            # 23 would become 24, and the rest of the clock is no number line either
            what = "it not for an hour of the day: buckets make parts of the day of it"
            raise ValidationError(Complaint(what, "round_to"), "round_to")
        if not is_list and data.get("length") is not None:
            raise ValidationError(Complaint("it only for a list", "length"), "length")

    @validates_schema
    def buckets_are_labelled(self, data: dict[str, Any], **_: Any) -> None:
        bounds, labels = data.get("buckets", ()), data.get("labels", ())
        boolean = data.get("type") == "boolean"
        if boolean and (len(bounds) != 1 or labels):
            what = "one bound in buckets and no labels, for type boolean"
            raise ValidationError(Complaint(what), "buckets")
        if boolean or not (bounds or labels):
            return
        if data["score"] in LIST_SCORES or data["score"] == SCORED_ON:
            raise ValidationError(Complaint("it only for a number", "buckets"), "buckets")
        if data.get("round_to") is not None:
            raise ValidationError(Complaint("either buckets or round_to", "round_to"), "round_to")
        if not bounds or sorted(set(bounds)) != list(bounds):
            raise ValidationError(Complaint("rising bounds, such as [0.1, 0.3]"), "buckets")
        if len(labels) != len(bounds) + 1 or len(set(labels)) != len(labels):
            what = f"{len(bounds) + 1} different labels, one more than buckets has bounds"
            raise ValidationError(Complaint(what), "labels")


class ConnectionSchema(Strict):
    """The keys that every connection has."""

    target = ConnectionSettings

    name = Text(
        required=True,
        validate=ENTRY_NAME,
        metadata=about("how reports and commands call it; once in a workspace", "braze"),
    )
    type = Text(required=True, metadata=about("the connector", "braze"))
    attributes = fields.List(
        fields.Nested(AttributeSchema),
        metadata=about("user attributes to keep up to date in the host tool"),
    )

    data_points = WholeNumber(
        allow_none=True,
        validate=between(1, 1_000_000_000_000),
        metadata=about(
            "budget: a sync writes at most so many attribute values, the most urgent first; the "
            "rest is for the next sync",
            2_000_000,
        ),
    )

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def names_once(self, data: Any, original: Any, **_: Any) -> None:
        errors = repeated_names(original.get("attributes"))
        if errors:
            raise ValidationError({"attributes": errors})


def repeated_names(entries: Any) -> dict[int, dict[str, list[Complaint]]]:
    """Messages at the name of each entry whose name an earlier entry of the list has."""
    names = [
        entry.get("name") if isinstance(entry, Mapping) else None
        for entry in (entries if isinstance(entries, list) else [])
    ]
    return {
        index: {"name": [Complaint(f"another name than entry {names.index(name) + 1} has")]}
        for index, name in enumerate(names)
        if isinstance(name, str) and names.index(name) != index
    }


class ConnectionField(fields.Field[ConnectionSettings]):
    """Loads one connection; the types are ``connection_schemas`` of the root schema."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> ConnectionSettings:
        if not isinstance(value, Mapping):
            raise ValidationError("a mapping of keys")
        schemas: Mapping[str, type[Schema]] = self.root.connection_schemas  # type: ignore[union-attr]
        kind = value.get("type")
        errors: dict[Any, Any] = {}
        schema = schemas.get(kind) if isinstance(kind, str) else None
        connection, options = flat_entry(value, ConnectionSchema(), schema, errors)
        if isinstance(kind, str) and schema is None:
            errors["type"] = [one_of(schemas, kind)]
        if errors:
            raise ValidationError(errors)
        return ConnectionSettings(
            name=connection.name,
            type=connection.type,
            attributes=connection.attributes,
            data_points=connection.data_points,
            options=options,
        )


def flat_entry(
    value: Mapping[str, Any],
    common: Schema,
    options: type[Schema] | None,
    errors: dict[Any, Any],
) -> tuple[Any, Any]:
    """An entry whose keys are those of ``common`` and, beside them, those of its type's options:
    what both schemas make of them. Complaints are added to ``errors``; with any, either may be
    None."""
    own = {key: each for key, each in value.items() if key in common.fields}
    rest = {key: each for key, each in value.items() if key not in common.fields}
    entry = _load(common, own, errors)
    if options is None:
        return entry, None
    schema = options(unknown=EXCLUDE)
    keys = {field.data_key or key: key for key, field in schema.fields.items()}
    errors.update(unknown_keys(rest, {*keys, *common.fields}))
    return entry, _load(schema, {k: v for k, v in rest.items() if k in keys}, errors)


def _load(schema: Schema, data: Mapping[str, Any], errors: dict[Any, Any]) -> Any:
    try:
        return schema.load(data)
    except ValidationError as error:
        errors.update(error.messages_dict)
        return None
