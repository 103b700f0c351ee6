"""Options of a OneSignal connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

import marshmallow
from marshmallow import fields, validate

KEY = validate.Regexp(
    r"[!-~]+\Z", error="must be printable ASCII characters without spaces or line breaks"
)
CHANNELS = ("push", "email", "sms")


class OneSignalOptions(marshmallow.Schema):
    """Unknown keys are errors, as everywhere in a configuration."""

    class Meta:
        unknown = marshmallow.RAISE

    app_id = fields.String(
        required=True,
        validate=validate.Regexp(
            r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z", error="must be a UUID"
        ),
        metadata={"description": "OneSignal app id"},
    )
    api_key = fields.String(
        required=True,
        validate=KEY,
        metadata={"description": "App API key", "secret": True},
    )
    trigger_channel = fields.String(
        load_default="push",
        validate=validate.OneOf(CHANNELS),
        metadata={"description": "Channel by which triggered templates are sent"},
    )
    webhook_token = fields.String(
        validate=KEY,
        metadata={
            "description": "Token that the event stream sends as `Authorization: Bearer TOKEN`",
            "secret": True,
        },
    )
    timeout_s = fields.Float(
        load_default=30.0,
        validate=validate.Range(min=0.1, max=300),
        metadata={"description": "Seconds to wait for an answer"},
    )
