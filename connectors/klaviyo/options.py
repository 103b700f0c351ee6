"""Options of a Klaviyo connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

import marshmallow
from marshmallow import fields, validate

KEY = validate.Regexp(
    r"[!-~]+\Z", error="must be printable ASCII characters without spaces or line breaks"
)


class KlaviyoOptions(marshmallow.Schema):
    """Unknown keys are errors, as everywhere in a configuration."""

    class Meta:
        unknown = marshmallow.RAISE

    api_key = fields.String(
        required=True,
        validate=KEY,
        metadata={
            "description": (
                "Private API key with profiles:write, lists:write and, to erase people,"
                " data-privacy:write"
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
    webhook_secret = fields.String(
        validate=[KEY, validate.Length(min=16)],
        metadata={
            "description": "Secret key of the system webhook, as given when it was created",
            "secret": True,
        },
    )
