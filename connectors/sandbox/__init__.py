"""A messaging tool on one's own machine, which speaks the same HTTP as Braze."""

from connectors.sandbox.connector import SandboxOptions, open_sandbox
from connectors.tool import Connector

CONNECTOR = Connector("Sandbox messaging tool", SandboxOptions, open_sandbox)
