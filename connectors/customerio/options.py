"""Options of a Customer.io connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

from marshmallow import fields, validate

from connectors.customerio.hosts import TRACK
from connectors.options import KEY, ConnectorOptions, timeout_option


class CustomerioOptions(ConnectorOptions):
    """A workspace of Customer.io."""

    region = fields.String(
        required=True,
        validate=validate.OneOf(list(TRACK)),
        metadata={"description": "Region of the Customer.io account"},
    )
    site_id = fields.String(
        required=True,
        validate=validate.Regexp(r"[A-Za-z0-9]{1,64}\Z", error="must be letters and digits"),
        metadata={"description": "Site id of the workspace, beside its Track API key"},
    )
    api_key = fields.String(
        required=True,
        validate=KEY,
        metadata={"description": "Track API key: people and members", "secret": True},
    )
    app_api_key = fields.String(
        validate=KEY,
        metadata={
            "description": "App API key: needed to push segments, to read them and to trigger",
            "secret": True,
        },
    )
    update_existing_only = fields.Boolean(
        load_default=True,
        metadata={"description": "Write to people who exist already; never create one"},
    )
    webhook_signing_key = fields.String(
        validate=KEY,
        metadata={"description": "Signing key of the reporting webhook", "secret": True},
    )
    timeout_s = timeout_option()
