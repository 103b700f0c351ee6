"""Options of a MoEngage connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

from marshmallow import fields, validate

from connectors.moengage.hosts import DATA_CENTERS
from connectors.options import KEY, ConnectorOptions, timeout_option


class MoEngageOptions(ConnectorOptions):
    """A workspace of MoEngage."""

    data_center = fields.String(
        required=True,
        validate=validate.OneOf(list(DATA_CENTERS)),
        metadata={"description": "Data center, as in the API's address: api-DATA_CENTER"},
    )
    workspace_id = fields.String(
        required=True,
        validate=validate.Regexp(r"[A-Za-z0-9_-]{1,64}\Z", error="must be letters and digits"),
        metadata={"description": "Workspace id (app id)"},
    )
    api_key = fields.String(
        required=True,
        validate=KEY,
        metadata={"description": "Key of the tile Data", "secret": True},
    )
    update_existing_only = fields.Boolean(
        load_default=True,
        metadata={"description": "Write to users who exist already; never create one"},
    )
    partner = fields.String(
        load_default="Rightsend",
        validate=validate.Length(min=1, max=64),
        metadata={"description": "Partner name under which segments are synced as cohorts"},
    )
    webhook_token = fields.String(
        validate=KEY,
        metadata={
            "description": "Token that Streams sends as `Authorization: Bearer TOKEN`",
            "secret": True,
        },
    )
    timeout_s = timeout_option()
