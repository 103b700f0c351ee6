"""A project of Bloomreach Engagement as a host tool."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.bloomreach.customers import Customers
from connectors.bloomreach.options import HOSTS
from connectors.errors import Retry
from connectors.http import Client, Timeouts, basic_auth, require_object
from connectors.options import chosen_host
from connectors.tool import HttpTool, Target
from settings.workspace import ConnectionSettings


@dataclass(frozen=True)
class Bloomreach(HttpTool):
    """An open connection; a customer's id is the hard id ``registered``."""

    path: str

    def attributes(self) -> Target:
        return Customers(self.client, self.path)

    def check(self) -> None:
        """Ask for the time, which needs a key of the project. Raises Retry or Stop."""
        answer = self.client.request("GET", f"{self.path}/system/time")
        if require_object(answer).get("success") is not True:
            raise Retry("the answer is not Bloomreach's", status=answer.status)


def open_bloomreach(connection: ConnectionSettings) -> Bloomreach:
    """The connection's project. Raises Stop for an instance that is not on the list."""
    options, host = connection.options, chosen_host(connection, "instance", HOSTS)
    auth = basic_auth(options["api_key_id"], options["api_secret"])
    client = Client(host, *auth, Timeouts.of(options["timeout_s"]))
    return Bloomreach(client, f"/track/v2/projects/{options['project_token']}")
