"""Brevo, formerly Sendinblue: attributes."""

from connectors.brevo.connector import open_brevo
from connectors.brevo.options import BrevoOptions
from connectors.tool import Ability, Connector, abilities

CONNECTOR = Connector(
    "Brevo",
    BrevoOptions,
    open_brevo,
    abilities(Ability.ATTRIBUTES),
    limits={
        "people": "customers whose id is their e-mail address, and who are contacts already: nobody"
        " is made, and a request with an unknown address is refused as a whole and taken apart",
        "attributes": "those that the account has, of a type that takes their values; lists are"
        " texts, joined by commas; 100 contacts a request, 10 requests a second",
    },
)
