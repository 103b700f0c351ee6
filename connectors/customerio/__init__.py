"""Customer.io: people through the Track API's batches, segments as manual segments."""

from connectors.customerio.connector import open_customerio
from connectors.customerio.options import CustomerioOptions
from connectors.customerio.snippet import snippet
from connectors.customerio.webhook import WEBHOOK
from connectors.tool import Ability, Connector, abilities

CONNECTOR = Connector(
    "Customer.io",
    CustomerioOptions,
    open_customerio,
    abilities(
        Ability.ATTRIBUTES,
        Ability.SEGMENTS,
        Ability.IDENTITY,
        Ability.TRIGGER,
        Ability.AUDIENCE,
        Ability.SEND_TIME,
        Ability.EVENTS_HTTP,
    ),
    limits={
        "attributes": "under 500 kB and 200 people a request, 32 kB a person, 100 requests/s;"
        " 300 attributes of 1,000 bytes a person, ids of 150 bytes",
        "segments": "1,000 ids a request; only people who exist; a segment keeps its first name",
        "trigger": "10,000 recipients and 25 MB a broadcast, one every 10 s",
        "events over HTTP": "a reporting webhook, one signed event a request",
        "audience": "10,000 members a page, 10 requests/s",
    },
    snippet=snippet,
    webhook=WEBHOOK,
)
