"""Options of an Iterable connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

import marshmallow
from marshmallow import fields, validate

from connectors.iterable.hosts import DATA_CENTERS

KEY = validate.Regexp(
    r"[!-~]+\Z", error="must be printable ASCII characters without spaces or line breaks"
)


class IterableOptions(marshmallow.Schema):
    """Unknown keys are errors, as everywhere in a configuration."""

    class Meta:
        unknown = marshmallow.RAISE

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
    timeout_s = fields.Float(
        load_default=30.0,
        validate=validate.Range(min=0.1, max=300),
        metadata={"description": "Seconds to wait for an answer"},
    )
    webhook_token = fields.String(
        validate=KEY,
        metadata={
            "description": "Auth token of the system webhook, as entered in Iterable",
            "secret": True,
        },
    )
