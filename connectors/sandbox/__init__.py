"""A messaging tool on one's own machine, which speaks the same HTTP as Braze."""

from connectors.braze.snippet import snippet
from connectors.sandbox.connector import SandboxOptions, open_sandbox
from connectors.tool import Ability, Connector, abilities

CONNECTOR = Connector(
    "Sandbox messaging tool",
    SandboxOptions,
    open_sandbox,
    abilities(
        Ability.ATTRIBUTES,
        Ability.SEGMENTS,
        Ability.CATALOG,
        Ability.IDENTITY,
        Ability.TRIGGER,
        Ability.AUDIENCE,
        Ability.SEND_TIME,
    ),
    limits={"all": "as Braze's: it speaks the same protocol"},
    snippet=snippet,
)
