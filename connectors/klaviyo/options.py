"""Options of a Klaviyo connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

import marshmallow
from marshmallow import fields, validate

from connectors.options import (
    KEY,
    ApiOptions,
    catalog_fields_option,
    catalog_option,
    flag_option,
    secret_option,
)


def _with_url(names: list[str]) -> None:
    if "url" not in names:
        raise marshmallow.ValidationError("must hold url, without which Klaviyo takes no item")


class KlaviyoOptions(ApiOptions):
    """An account of Klaviyo."""

    api_key = secret_option(
        "Private API key with profiles:write, lists:write and, for what is used of"
        " it, catalogs:write and data-privacy:write"
    )
    job_timeout_s = fields.Float(
        load_default=600.0,
        validate=validate.Range(min=1, max=3600),
        metadata={"description": "Seconds to wait until Klaviyo has carried out a bulk import"},
    )
    catalog = catalog_option(
        validate.Length(min=1, max=250),
        "Any name, if Klaviyo's one catalog is to follow the shop's items",
    )
    catalog_fields = catalog_fields_option(
        "What the catalog holds of an item besides its id; url is needed", _with_url
    )
    erase_profiles = flag_option(
        "Whether erasing a customer deletes the whole profile in Klaviyo."
        " Without it only our properties and memberships go",
        default=False,
    )
    webhook_secret = fields.String(
        validate=[KEY, validate.Length(min=16)],
        metadata={
            "description": "Secret key of the system webhook, as given when it was created",
            "secret": True,
        },
    )
