"""Options of a OneSignal connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

from connectors.options import ApiOptions, choice_option, secret_option, text_option

CHANNELS = ("push", "email", "sms")


class OneSignalOptions(ApiOptions):
    """An app of OneSignal."""

    app_id = text_option(
        r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
        "OneSignal app id",
        error="must be a UUID",
    )
    api_key = secret_option("App API key")
    trigger_channel = choice_option(
        CHANNELS, "Channel by which triggered templates are sent", default="push"
    )
    webhook_token = secret_option(
        "Token that the event stream sends as `Authorization: Bearer TOKEN`", required=False
    )
