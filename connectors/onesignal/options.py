"""Options of a OneSignal connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

from marshmallow import fields, validate

from connectors.options import KEY, ConnectorOptions, timeout_option

CHANNELS = ("push", "email", "sms")


class OneSignalOptions(ConnectorOptions):
    """An app of OneSignal."""

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
    timeout_s = timeout_option()
