"""Insider (Insider One): attributes."""

from connectors.insider.connector import open_insider
from connectors.insider.options import InsiderOptions
from connectors.tool import Ability, Connector, abilities

CONNECTOR = Connector(
    "Insider",
    InsiderOptions,
    open_insider,
    abilities(Ability.ATTRIBUTES),
    limits={
        "people": "our customer id (at most 255 bytes; Insider states no limit) is the identifier"
        " `uuid`, which the account must resolve people by; who is not there yet is made",
        "attributes": "custom attributes that the account has, of a data type that takes their"
        " values: Insider drops others without a word, and has no call that lists what there is",
        "requests": "1,000 users and 5,000,000 bytes a request, 20,000 bytes a user (Insider states"
        " no limit); 25,000 requests a minute, of which we use half, as who gets one attribute and"
        " loses another needs two",
        "errors": "what Insider refuses after it has answered, it tells a callback address only,"
        " which Rightsend does not have",
    },
)
