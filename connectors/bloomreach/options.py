"""Options of a Bloomreach Engagement connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

from marshmallow import fields, validate

from connectors.options import KEY, ConnectorOptions, timeout_option

# A fixed list: a key that is sent to a host of an attacker's choice is lost.
# https://documentation.bloomreach.com/engagement/reference/authentication
HOSTS = {
    "exponea": "https://api.exponea.com",
    "eu1": "https://api.eu1.exponea.com",
    "us1": "https://api.us1.exponea.com",
    "cis": "https://api-cis.exponea.com",
    "bloomreach": "https://api-engagement.bloomreach.com",
}


class BloomreachOptions(ConnectorOptions):
    """A project of Bloomreach Engagement."""

    instance = fields.String(
        required=True,
        validate=validate.OneOf(list(HOSTS)),
        metadata={"description": "Whose API base URL is the project's, as its settings show it"},
    )
    project_token = fields.String(
        required=True,
        validate=validate.Regexp(r"[A-Za-z0-9-]{1,64}\Z"),
        metadata={"description": "Project token"},
    )
    api_key_id = fields.String(
        required=True,
        validate=validate.Regexp(r"[A-Za-z0-9]+\Z"),
        metadata={"description": "ID of a key of an API group with private access"},
    )
    api_secret = fields.String(
        required=True,
        validate=KEY,
        metadata={
            "description": "Secret of that key; the group may set properties",
            "secret": True,
        },
    )
    timeout_s = timeout_option()
