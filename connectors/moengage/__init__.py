"""MoEngage: user attributes in bulk, segments as cohorts of a partner, campaigns by event."""

from connectors.moengage.connector import open_moengage
from connectors.moengage.options import MoEngageOptions
from connectors.moengage.snippet import snippet
from connectors.moengage.webhook import WEBHOOK
from connectors.tool import Ability, Connector, abilities

CONNECTOR = Connector(
    "MoEngage",
    MoEngageOptions,
    open_moengage,
    abilities(
        Ability.ATTRIBUTES,
        Ability.SEGMENTS,
        Ability.IDENTITY,
        Ability.TRIGGER,
        Ability.SEND_TIME,
        Ability.EVENTS_HTTP,
    ),
    limits={
        "attributes": "100 kB a request, 60,000 users a minute; texts of 512 characters, lists of"
        " 50; what MoEngage refuses later it shows on the profile only",
        "segments": "128 kB a request, 300 requests a minute; only users who exist; named by id",
        "trigger": "100 kB a request, 60,000 events a minute",
        "events over HTTP": "Streams, set up by MoEngage's support with the header"
        " `Authorization: Bearer TOKEN`; 100 events a request",
        "identity": "1,000 merges and 5,000 deletions a minute, one user a deletion",
    },
    snippet=snippet,
    webhook=WEBHOOK,
)
