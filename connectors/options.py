"""What the options of several connectors have in common."""

from __future__ import annotations

from collections.abc import Callable

import marshmallow
from marshmallow import fields, validate

CATALOG_FIELDS = ("name", "brand", "category", "price", "image_url", "url", "sellable")
KEY = validate.Regexp(
    r"[!-~]+\Z", error="must be printable ASCII characters without spaces or line breaks"
)
SOMETHING = validate.Length(min=1)


class ConnectorOptions(marshmallow.Schema):
    """Unknown keys are errors, as everywhere in a configuration."""

    class Meta:
        unknown = marshmallow.RAISE


def timeout_option() -> fields.Float:
    """The option ``timeout_s``."""
    return fields.Float(
        load_default=30.0,
        validate=validate.Range(min=0.1, max=300),
        metadata={"description": "Seconds to wait for an answer"},
    )


def catalog_fields_option(
    described: str = "What the catalog holds of an item besides its id",
    check: Callable[[list[str]], object] = SOMETHING,
) -> fields.List:
    """The option ``catalog_fields``."""
    return fields.List(
        fields.String(validate=validate.OneOf(CATALOG_FIELDS)),
        load_default=list(CATALOG_FIELDS),
        validate=check,
        metadata={"description": described},
    )
