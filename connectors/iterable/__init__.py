"""Iterable: user attributes by bulk update, segments as static lists, catalogs, campaigns."""

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
        Ability.CATALOG,
        Ability.IDENTITY,
        Ability.TRIGGER,
        Ability.SEND_TIME,
        Ability.EVENTS_HTTP,
    ),
    limits={
        "attributes": "1,000 users and 4 MB a request, 5 requests a second; a field keeps its type",
        "segments": "static lists, 1,000 users a request; a list keeps its first name",
        "catalog": "1,000 items a request, 30 kB an item, 100 requests a second",
        "identity": "one user a request; merge 50, delete 100 requests a second",
        "trigger": "one recipient a request; a campaign is called 12, push:12, … or journey:7",
    },
    snippet=snippet,
    webhook=Webhook(webhook.verify, webhook.read),
)
