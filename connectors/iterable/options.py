"""Options of an Iterable connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

from marshmallow import fields, validate

from connectors.iterable.hosts import DATA_CENTERS
from connectors.options import KEY, ConnectorOptions, catalog_fields_option, timeout_option


class IterableOptions(ConnectorOptions):
    """A project of Iterable."""

    data_center = fields.String(
        load_default="us",
        validate=validate.OneOf(list(DATA_CENTERS)),
        metadata={
            "description": "Where the project lives: api.iterable.com or api.eu.iterable.com"
        },
    )
    api_key = fields.String(
        required=True,
        validate=KEY,
        metadata={"description": "Server-side API key of the project", "secret": True},
    )
    update_existing_only = fields.Boolean(
        load_default=True,
        metadata={
            "description": (
                "Write to users that exist already; never create one. A project that identifies"
                " users by userId creates them all the same when attributes are written"
            )
        },
    )
    timeout_s = timeout_option()
    catalog = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Regexp(r"[A-Za-z0-9-]{1,255}\Z"),
        metadata={
            "description": "Name of the catalog that is to follow the shop's items; made if missing"
        },
    )
    catalog_fields = catalog_fields_option()
    erase_profiles = fields.Boolean(
        load_default=False,
        metadata={
            "description": "Whether erasing a customer deletes the whole user in Iterable. Without"
            " it only our fields and memberships go"
        },
    )
    webhook_token = fields.String(
        validate=KEY,
        metadata={
            "description": "Auth token of the system webhook, as entered in Iterable",
            "secret": True,
        },
    )
