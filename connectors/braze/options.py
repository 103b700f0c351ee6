"""Options of a Braze connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

from typing import Any

import marshmallow
from marshmallow import fields, validate

from connectors.braze.currents import CurrentsOptions
from connectors.braze.hosts import INSTANCES

KEY = validate.Regexp(
    r"[!-~]+\Z", error="must be printable ASCII characters without spaces or line breaks"
)
PARTNER_FIELDS = ("partner_name", "partner_api_key", "partner_client_secret")


class BrazeOptions(CurrentsOptions):
    """Unknown keys are errors, as everywhere in a configuration."""

    class Meta:
        unknown = marshmallow.RAISE

    instance = fields.String(
        required=True,
        validate=validate.OneOf(list(INSTANCES)),
        metadata={"description": "Braze instance, as in its REST address: rest.INSTANCE.braze.com"},
    )
    api_key = fields.String(
        required=True,
        validate=KEY,
        metadata={
            "description": "REST API key with users.track and segments.list",
            "secret": True,
        },
    )
    update_existing_only = fields.Boolean(
        load_default=True,
        metadata={"description": "Write to profiles that exist already; never create one"},
    )
    timeout_s = fields.Float(
        load_default=30.0,
        validate=validate.Range(min=0.1, max=300),
        metadata={"description": "Seconds to wait for an answer"},
    )
    partner_name = fields.String(
        validate=validate.Regexp(r"^[A-Za-z0-9_-]{1,64}$"),
        metadata={"description": "Partner under which segments are pushed as cohorts"},
    )
    partner_api_key = fields.String(
        validate=KEY,
        metadata={"description": "The partner's key to cohort import", "secret": True},
    )
    partner_client_secret = fields.String(
        validate=KEY,
        metadata={"description": "The workspace's data import key for the partner", "secret": True},
    )

    currents_token = fields.String(
        validate=KEY,
        metadata={
            "description": "Token of a Custom HTTP Currents, when it is no key of Rightsend's own",
            "secret": True,
        },
    )

    @marshmallow.validates_schema
    def _partner_is_whole(self, data: dict[str, Any], **_: object) -> None:
        missing = [name for name in PARTNER_FIELDS if not data.get(name)]
        if 0 < len(missing) < len(PARTNER_FIELDS):
            raise marshmallow.ValidationError(
                "is needed to push segments, as the other partner options are given", missing[0]
            )
