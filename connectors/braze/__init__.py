"""Braze: user attributes through /users/track, segments as partner cohorts."""

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
        Ability.SEND_TIME,
        Ability.EVENTS_HTTP,
        Ability.EVENTS_FILES,
    ),
    webhook=WEBHOOK,
    event_files=EVENT_FILES,
    snippet=snippet,
)
