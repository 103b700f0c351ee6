"""Mailchimp: attributes and segments."""

from connectors.mailchimp.connector import open_mailchimp
from connectors.mailchimp.options import MailchimpOptions
from connectors.tool import Ability, Connector, abilities

CONNECTOR = Connector(
    "Mailchimp",
    MailchimpOptions,
    open_mailchimp,
    abilities(Ability.ATTRIBUTES, Ability.SEGMENTS),
    limits={
        "people": "customers whose id is their e-mail address, as Mailchimp knows no other",
        "attributes": "merge fields that the audience has, called by their tags; 255 bytes a text;"
        " 500 contacts a request",
        "segments": "static segments; only contacts of the audience can be members; 500 a request",
        "rate": "10 connections of the account at a time",
    },
)
