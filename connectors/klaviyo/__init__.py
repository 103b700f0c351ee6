"""Klaviyo: custom properties by bulk import, segments as lists, merging and deleting profiles."""

from connectors.inbound import Webhook
from connectors.klaviyo import webhook
from connectors.klaviyo.connector import open_klaviyo
from connectors.klaviyo.options import KlaviyoOptions
from connectors.klaviyo.snippet import snippet
from connectors.tool import Ability, Connector, abilities

CONNECTOR = Connector(
    "Klaviyo",
    KlaviyoOptions,
    open_klaviyo,
    abilities(
        Ability.ATTRIBUTES,
        Ability.SEGMENTS,
        Ability.CATALOG,
        Ability.IDENTITY,
        Ability.SEND_TIME,
        Ability.EVENTS_HTTP,
    ),
    limits={
        "attributes": (
            "10,000 profiles and 5 MB a job, 100 kB a profile, 60 jobs a minute (of 150, as each"
            " is asked about until it ends); profiles that do not exist are created"
        ),
        "segments": "lists, 1,000 members a request, 60 requests a minute; 150 new lists a day",
        "catalog": "one catalog; 100 items a request, 150 requests a minute; an item needs a url",
        "identity": "one profile a request; merge 150, delete 60 requests a minute",
    },
    snippet=snippet,
    webhook=Webhook(webhook.verify, webhook.read),
)
