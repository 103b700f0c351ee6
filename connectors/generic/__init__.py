"""Any tool with a JSON API, described in YAML: attributes, segments, triggers, erasure."""

from connectors.generic.connector import open_http
from connectors.generic.options import HttpOptions
from connectors.tool import Ability, Connector, abilities

CONNECTOR = Connector(
    "Any tool with a JSON API",
    HttpOptions,
    open_http,
    abilities(Ability.ATTRIBUTES, Ability.SEGMENTS, Ability.TRIGGER, Ability.IDENTITY),
    {"of every kind": "those of the tool, as described in requests.*.limits and windows"},
)
