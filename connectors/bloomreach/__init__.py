"""Bloomreach Engagement, formerly Exponea: attributes."""

from connectors.bloomreach.connector import open_bloomreach
from connectors.bloomreach.options import BloomreachOptions
from connectors.tool import Ability, Connector, abilities

CONNECTOR = Connector(
    "Bloomreach Engagement",
    BloomreachOptions,
    open_bloomreach,
    abilities(Ability.ATTRIBUTES),
    limits={
        "people": "our customer id is the hard id `registered`; who is not there yet is made",
        "attributes": "50 customers and 800 KB a request, 6,000 requests a minute",
        "volume": "the Tracking API is not meant for imports of everybody: mind `data_points`",
    },
)
