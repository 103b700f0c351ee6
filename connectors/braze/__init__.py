"""Braze: one file for each thing that can be kept or asked there (see ``connector``)."""

from connectors.braze.connector import open_braze
from connectors.braze.currents import EVENT_FILES, WEBHOOK
from connectors.braze.options import BrazeOptions
from connectors.braze.snippet import snippet
from connectors.tool import Ability, Connector, abilities

CONNECTOR = Connector(
    "Braze",
    BrazeOptions,
    open_braze,
    abilities(
        Ability.ATTRIBUTES,
        Ability.SEGMENTS,
        Ability.CATALOG,
        Ability.IDENTITY,
        Ability.TRIGGER,
        Ability.AUDIENCE,
        Ability.SEND_TIME,
        Ability.EVENTS_HTTP,
        Ability.EVENTS_FILES,
    ),
    snippet=snippet,
    limits={
        "attributes": "75 profiles, 4 MB a request; 3,000 requests in 3 s; 25 elements an array",
        "attributes as files": "Cloud Data Ingestion: 5,000 profiles a file, 512 MB at most",
        "segments": "cohorts: 1,000 ids a request, 250,000 requests an hour",
        "catalog": "50 items a request, 16,000 requests a minute; values of 5,000 characters",
        "identity": "50 a request; 20,000 requests a minute for all of it",
        "trigger": "50 recipients a request, 250,000 requests an hour; 50 KB of properties each",
        "audience": "one export a segment at a time; its file is there for four hours",
    },
    webhook=WEBHOOK,
    event_files=EVENT_FILES,
)
