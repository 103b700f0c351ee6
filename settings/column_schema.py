"""How one canonical column is made from source columns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields, validates_schema
from marshmallow.validate import Length

from settings.fields import Mapped, Scalar, Strict, Text, Zone, about, filled
from settings.problems import Complaint
from settings.workspace import ColumnMapping

WAYS = ("column", "value", "join", "divide", "object")


class Word(Scalar):
    """A scalar as the text that a canonical column is made from: true becomes "true"."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        scalar = super()._deserialize(value, *args, **kwargs)
        return str(scalar).lower() if isinstance(scalar, bool) else str(scalar)


class ColumnMappingSchema(Strict):
    target = ColumnMapping

    column = Text(
        validate=filled(),
        allow_none=True,
        metadata=about("the source column to take", "bought_at"),
    )
    value = Scalar(allow_none=True, metadata=about("the same value in every row", "purchase"))
    join = fields.List(
        Text(validate=filled()),
        validate=Length(min=2, error="a list of at least two source columns"),
        metadata=about("source columns to write one behind the other", ["order_id", "line_number"]),
    )
    separator = Text(metadata=about("what stands between joined columns", "-"))
    divide = fields.Tuple(
        (Text(validate=filled()), Text(validate=filled())),
        allow_none=True,
        metadata=about(
            "two source columns: the first over the second (over 0: no value)", ["total", "pieces"]
        ),
    )
    object = Mapped(
        Text(validate=filled()),
        allow_none=True,
        validate=Length(min=1, error="at least one key with its source column"),
        metadata=about(
            "key to source column: a JSON object of the values that there are",
            {"age": "age_group", "income": "income_band"},
        ),
    )
    translate = Mapped(
        Word(),
        allow_none=True,
        validate=Length(min=1, error="at least one word to translate"),
        metadata=about(
            "source value to canonical value; a value that is not listed makes a bad row",
            {"ORDER": "purchase", "REFUND": "return"},
        ),
    )
    format = Text(
        allow_none=True,
        metadata=about("a strptime format, unix_s or unix_ms; default: ISO 8601", "%d.%m.%Y %H:%M"),
    )
    timezone = Zone(
        metadata=about("the time zone of times that name none", "Asia/Seoul"),
    )

    @validates_schema(skip_on_field_errors=False)
    def one_way(self, data: dict[str, Any], **_: Any) -> None:
        ways = [way for way in WAYS if data.get(way) not in (None, [])]
        if len(ways) > 1:
            raise ValidationError(
                Complaint(f"exactly one of: {', '.join(WAYS)}", " and ".join(ways))
            )

    @validates_schema(pass_original=True)
    def complete(self, data: dict[str, Any], original: Mapping[str, Any], **_: Any) -> None:
        errors = {}
        if not any(data.get(way) is not None for way in WAYS):
            if set(original) - set(self.fields):
                return  # most likely a misspelt way, which is told already
            raise ValidationError(Complaint(f"exactly one of: {', '.join(WAYS)}", "none of them"))
        if "separator" in data and not data.get("join"):
            errors["separator"] = [Complaint("it only together with join", "separator")]
        for key in ("translate", "format", "timezone"):
            if data.get(key) is not None and not (data.get("column") or data.get("join")):
                errors[key] = [Complaint("it only together with column or join", key)]
        if data.get("format") is not None and not _parses_times(data["format"]):
            expected = "a strptime format such as %Y-%m-%d %H:%M:%S, unix_s or unix_ms"
            errors["format"] = [Complaint(expected)]
        if errors:
            raise ValidationError(errors)


def _parses_times(pattern: str) -> bool:
    if pattern in ("unix_s", "unix_ms"):
        return True
    moment = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
    try:
        parsed = datetime.strptime(moment.strftime(pattern), pattern)
    except (ValueError, UnicodeError):
        return False
    return parsed.year == moment.year


class ColumnField(fields.Nested):
    """A column mapping; plain text is short for {column: that text}."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        short = {"column": value} if isinstance(value, str) else value
        return super()._deserialize(short, *args, **kwargs)
