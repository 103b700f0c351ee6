"""Blueshift: attributes."""

from connectors.blueshift.connector import open_blueshift
from connectors.blueshift.options import BlueshiftOptions
from connectors.tool import Ability, Connector, abilities

CONNECTOR = Connector(
    "Blueshift",
    BlueshiftOptions,
    open_blueshift,
    abilities(Ability.ATTRIBUTES),
    limits={
        "people": "our customer id (at most 64 bytes; Blueshift's documents say 64 or 128"
        " characters) is the `customer_id`; who is not there yet is made",
        "attributes": "custom attributes: numbers, texts, yes or no; lists are texts, joined by"
        " commas, as Blueshift documents no lists; null takes a value away, of which Blueshift"
        " says only that yes or no cannot be empty",
        "requests": "50 customers a request, 5 requests a second (250 customers: what Blueshift"
        " recommends); 400,000 bytes a request and 20,000 a customer (Blueshift states no limit)",
    },
)
