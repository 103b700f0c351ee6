"""Options of a Mailchimp connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

from marshmallow import RAISE, Schema, fields, validate

# A fixed list: a key that is sent to a host of an attacker's choice is lost.
# https://mailchimp.com/developer/marketing/docs/fundamentals/
DATA_CENTERS = {f"us{n}": f"https://us{n}.api.mailchimp.com/3.0" for n in range(1, 23)}


class MailchimpOptions(Schema):
    """Unknown keys are errors, as everywhere in a configuration."""

    class Meta:
        unknown = RAISE

    data_center = fields.String(
        required=True,
        validate=validate.OneOf(list(DATA_CENTERS)),
        metadata={"description": "What the API key ends with after its hyphen, such as us21"},
    )
    api_key = fields.String(
        required=True,
        validate=validate.Regexp(r"[!-~]+\Z"),
        metadata={"description": "API key of the account", "secret": True},
    )
    list_id = fields.String(
        required=True,
        validate=validate.Regexp(r"[A-Za-z0-9]{1,32}\Z"),
        metadata={"description": "Audience ID, as its settings show it"},
    )
    update_existing_only = fields.Boolean(
        load_default=True,
        metadata={
            "description": "Write to contacts that exist already; else one that is missing is made,"
            " as transactional: never subscribed"
        },
    )
    timeout_s = fields.Float(
        load_default=120.0,
        validate=validate.Range(min=0.1, max=300),
        metadata={"description": "Seconds to wait for an answer; Mailchimp itself gives up at 120"},
    )
