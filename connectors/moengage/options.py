"""Options of a MoEngage connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

from marshmallow import fields, validate

from connectors.moengage.hosts import DATA_CENTERS
from connectors.options import ApiOptions, choice_option, flag_option, secret_option, text_option


class MoEngageOptions(ApiOptions):
    """A workspace of MoEngage."""

    data_center = choice_option(
        DATA_CENTERS, "Data center, as in the API's address: api-DATA_CENTER"
    )
    workspace_id = text_option(
        r"[A-Za-z0-9_-]{1,64}", "Workspace id (app id)", error="must be letters and digits"
    )
    api_key = secret_option("Key of the tile Data")
    update_existing_only = flag_option(
        "Write to users who exist already; never create one", default=True
    )
    partner = fields.String(
        load_default="Rightsend",
        validate=validate.Length(min=1, max=64),
        metadata={"description": "Partner name under which segments are synced as cohorts"},
    )
    webhook_token = secret_option(
        "Token that Streams sends as `Authorization: Bearer TOKEN`", required=False
    )
