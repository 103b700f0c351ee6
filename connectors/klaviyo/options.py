"""Options of a Klaviyo connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

import marshmallow
from marshmallow import fields, validate

CATALOG_FIELDS = ("name", "brand", "category", "price", "image_url", "url", "sellable")
KEY = validate.Regexp(
    r"[!-~]+\Z", error="must be printable ASCII characters without spaces or line breaks"
)


def _with_url(names: list[str]) -> None:
    if "url" not in names:
        raise marshmallow.ValidationError("must hold url, without which Klaviyo takes no item")


class KlaviyoOptions(marshmallow.Schema):
    """Unknown keys are errors, as everywhere in a configuration."""

    class Meta:
        unknown = marshmallow.RAISE

    api_key = fields.String(
        required=True,
        validate=KEY,
        metadata={
            "description": (
                "Private API key with profiles:write, lists:write and, for what is used of"
                " it, catalogs:write and data-privacy:write"
            ),
            "secret": True,
        },
    )
    timeout_s = fields.Float(
        load_default=30.0,
        validate=validate.Range(min=0.1, max=300),
        metadata={"description": "Seconds to wait for an answer"},
    )
    job_timeout_s = fields.Float(
        load_default=600.0,
        validate=validate.Range(min=1, max=3600),
        metadata={"description": "Seconds to wait until Klaviyo has carried out a bulk import"},
    )
    catalog = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(min=1, max=250),
        metadata={
            "description": "Any name, if Klaviyo's one catalog is to follow the shop's items"
        },
    )
    catalog_fields = fields.List(
        fields.String(validate=validate.OneOf(CATALOG_FIELDS)),
        load_default=list(CATALOG_FIELDS),
        validate=_with_url,
        metadata={"description": "What the catalog holds of an item besides its id; url is needed"},
    )
    erase_profiles = fields.Boolean(
        load_default=False,
        metadata={
            "description": "Whether erasing a customer deletes the whole profile in Klaviyo."
            " Without it only our properties and memberships go"
        },
    )
    webhook_secret = fields.String(
        validate=[KEY, validate.Length(min=16)],
        metadata={
            "description": "Secret key of the system webhook, as given when it was created",
            "secret": True,
        },
    )
