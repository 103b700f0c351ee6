"""A project of Bloomreach Engagement as a host tool."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass

from connectors.bloomreach.customers import Customers
from connectors.bloomreach.options import HOSTS
from connectors.errors import Retry
from connectors.http import Client, Timeouts, require_success
from connectors.tool import Target, Tool
from settings.workspace import ConnectionSettings


@dataclass(frozen=True)
class Bloomreach(Tool):
    """An open connection; a customer's id is the hard id ``registered``."""

    client: Client
    path: str

    def attributes(self) -> Target:
        return Customers(self.client, self.path)

    def check(self) -> None:
        """Ask for the time, which needs a key of the project. Raises Retry or Stop."""
        answer = require_success(self.client.request("GET", f"{self.path}/system/time"))
        if not isinstance(answer.body, dict) or answer.body.get("success") is not True:
            raise Retry("the answer is not Bloomreach's", status=answer.status)

    def close(self) -> None:
        self.client.close()


def open_bloomreach(connection: ConnectionSettings) -> Bloomreach:
    """The connection's project."""
    options = connection.options
    host, secret = HOSTS[options["instance"]], options["api_secret"]
    basic = b64encode(f"{options['api_key_id']}:{secret}".encode()).decode()
    timeouts = Timeouts.of(options["timeout_s"])
    client = Client(host, {"Authorization": f"Basic {basic}"}, (secret, basic), timeouts)
    return Bloomreach(client, f"/track/v2/projects/{options['project_token']}")
