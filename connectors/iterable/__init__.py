"""Iterable: user attributes by bulk update, segments as static lists, campaigns for one user."""

from connectors.inbound import Webhook
from connectors.iterable import webhook
from connectors.iterable.connector import open_iterable
from connectors.iterable.options import IterableOptions
from connectors.iterable.snippet import snippet
from connectors.tool import Ability, Connector, abilities

CONNECTOR = Connector(
    "Iterable",
    IterableOptions,
    open_iterable,
    abilities(
        Ability.ATTRIBUTES,
        Ability.SEGMENTS,
        Ability.IDENTITY,
        Ability.TRIGGER,
        Ability.SEND_TIME,
        Ability.EVENTS_HTTP,
    ),
    limits={
        "attributes": "1,000 users and 4 MB a request, 5 requests a second; a field keeps its type",
        "segments": "static lists, 1,000 users a request; a list keeps its first name",
        "identity": "one user a request; merge 50, delete 100 requests a second",
        "trigger": "one recipient a request, by the channel of the campaign",
    },
    snippet=snippet,
    webhook=Webhook(webhook.verify, webhook.read),
)
