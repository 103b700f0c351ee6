"""The JSON form of scoring.segment_request, for the routes and for the command line."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from scoring.segment_request import (
    MAX_HORIZON_DAYS,
    OPERATORS,
    Condition,
    Exclusions,
    SegmentRequest,
    SizeRule,
    Target,
)

_MAX_NAMES = 10_000
_MAX_CONDITIONS = 20
_MAX_COST = 1_000_000  # as in the workspace's file
_MAX_MARGIN = 1e12  # with any number of customers still a number


def _names(description: str, example: list[str]) -> fields.List:
    return fields.List(
        fields.String(validate=validate.Length(min=1, max=1000)),
        load_default=list,
        validate=validate.Length(max=_MAX_NAMES),
        metadata={"description": description, "example": example},
    )


class _TextOrNumber(fields.Field):
    """A JSON string or a finite number; which of them fits, the attribute decides."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str | float:
        if isinstance(value, str) and len(value) <= 1000:
            return value
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15:
            return value
        raise ma.ValidationError("Not a number, or a text of at most 1000 characters.")


class ConditionSchema(ma.Schema):
    """One condition on an item; text is compared without regard to case."""

    attribute = fields.String(
        required=True,
        validate=validate.OneOf(list(OPERATORS)),
        metadata={
            "description": "days_on_sale: since the item was first sold, 0 if it never was",
            "example": "price",
        },
    )
    operator = fields.String(
        required=True,
        validate=validate.OneOf(list(dict.fromkeys(itertools.chain(*OPERATORS.values())))),
        metadata={
            "description": "; ".join(
                f"{attribute}: {', '.join(operators)}" for attribute, operators in OPERATORS.items()
            ),
            "example": ">=",
        },
    )
    value = _TextOrNumber(
        required=True,
        metadata={
            "oneOf": [{"type": "string", "maxLength": 1000}, {"type": "number"}],
            "description": "A number for price, margin and days_on_sale, else a text",
            "example": 10,
        },
    )

    @ma.post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Condition:
        try:
            return Condition(**data)
        except ValueError as problem:
            field, complaint = str(problem).split(": ", 1)
            raise ma.ValidationError({field: [complaint]}) from None


class TargetSchema(ma.Schema):
    """What the campaign promotes: at least one item, brand or category, or a rule over items."""

    items = _names("Item ids", ["1082185"])
    brands = _names("Brands", ["National"])
    categories = _names("Category paths, levels joined by ' > '", ["GROCERY > CHEESE"])
    rule = fields.List(
        fields.Nested(ConditionSchema),
        load_default=list,
        validate=validate.Length(max=_MAX_CONDITIONS),
        metadata={
            "description": "The items that fulfil every condition, as one more of the listed"
        },
    )
    match = fields.String(
        load_default="any",
        validate=validate.OneOf(["any", "all"]),
        metadata={"description": "any: at least one of the listed; all: each of them (at most 50)"},
    )

    @ma.validates_schema
    def _not_empty(self, data: Mapping[str, Any], **_: Any) -> None:
        if not any(data.get(name) for name in _LISTS):
            raise ma.ValidationError("Name at least one item, brand or category, or a rule.")

    @ma.post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Target:
        return Target(**{name: tuple(data[name]) for name in _LISTS}, match=data["match"])


_LISTS = ("items", "brands", "categories", "rule")


class SizeRuleSchema(ma.Schema):
    """How many customers: exactly one of the five rules."""

    count = fields.Integer(
        strict=True,
        validate=validate.Range(min=1, max=2_000_000_000),
        metadata={"description": "This many", "example": 500},
    )
    share = fields.Float(
        allow_nan=False,
        validate=validate.Range(min=0, min_inclusive=False, max=1),
        metadata={"description": "This share of all customers, above 0 up to 1"},
    )
    minimum_probability = fields.Float(
        allow_nan=False,
        validate=validate.Range(min=0, max=1),
        metadata={"description": "All who answer with at least this probability"},
    )
    budget = fields.Float(
        allow_nan=False,
        validate=validate.Range(min=0, min_inclusive=False),
        metadata={"description": "As many as this budget pays for (workspace currency)"},
    )
    maximum_profit = fields.Boolean(
        truthy={True},
        falsy={False},
        metadata={"description": "As many as the margin of their answers pays for"},
    )

    @ma.validates_schema
    def _exactly_one(self, data: Mapping[str, Any], **_: Any) -> None:
        chosen = [name for name in data if data[name] is not False]
        if len(chosen) != 1:
            raise ma.ValidationError(
                f"Exactly one of {', '.join(self.fields)} is needed; found "
                f"{', '.join(sorted(chosen)) or 'none'}."
            )

    @ma.post_load
    def _make(self, data: dict[str, Any], **_: Any) -> SizeRule:
        return SizeRule(**data)


class ExclusionsSchema(ma.Schema):
    """Who is left out."""

    recent_buyer_days = fields.Integer(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=1, max=3650),
        metadata={"description": "Bought the target within these days"},
    )
    without_ad_consent = fields.Boolean(
        truthy={True},
        falsy={False},
        load_default=False,
        metadata={"description": "Has not agreed to advertising"},
    )
    fatigued = fields.Boolean(
        truthy={True},
        falsy={False},
        load_default=False,
        metadata={"description": "Got as many messages lately as the workspace allows"},
    )

    @ma.post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Exclusions:
        return Exclusions(**data)


class SegmentRequestSchema(ma.Schema):
    """One segment job."""

    name = fields.String(
        required=True,
        validate=validate.Length(min=1, max=200),
        metadata={"example": "Cheese lovers, March"},
    )
    target = fields.Nested(TargetSchema, required=True)
    size = fields.Nested(SizeRuleSchema, required=True)
    goal = fields.String(load_default="purchase", validate=validate.OneOf(["purchase", "click"]))
    horizon_days = fields.Integer(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=1, max=MAX_HORIZON_DAYS),
        metadata={
            "description": "Answers within so many days; default models.horizon_days of the "
            "workspace. Another horizon is learned first (a minute or more), once a night."
        },
    )
    exclusions = fields.Nested(ExclusionsSchema, load_default=Exclusions)
    holdout_share = fields.Float(
        allow_nan=False,
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=0, max=1, max_inclusive=False),
        metadata={
            "description": "This share gets nothing, as the control arm; default from the workspace"
        },
    )
    cost_per_send = fields.Float(
        allow_nan=False,
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=0, max=_MAX_COST),
        metadata={"description": "Workspace currency; default from the workspace"},
    )
    margin = fields.Float(
        allow_nan=False,
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=0, max=_MAX_MARGIN),
        metadata={"description": "Per answer, workspace currency; default from the items"},
    )

    @ma.post_load
    def _make(self, data: dict[str, Any], **_: Any) -> SegmentRequest:
        return SegmentRequest(**data)


def to_json(request: SegmentRequest) -> dict[str, Any]:
    """Plain JSON that ``from_json`` turns into an equal request."""
    document: dict[str, Any] = dataclasses.asdict(request)
    document["target"] |= {name: list(document["target"][name]) for name in _LISTS}
    document["size"] = {
        name: value
        for name, value in dataclasses.asdict(request.size).items()
        if value is not None and value is not False
    }
    return document


def from_json(document: Mapping[str, Any]) -> SegmentRequest:
    """The request of this document. Raises marshmallow.ValidationError naming each wrong field."""
    request: SegmentRequest = SegmentRequestSchema().load(document)
    return request
