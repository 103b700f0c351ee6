"""A Blueshift account as a host tool."""

from __future__ import annotations

from connectors.blueshift.customers import Customers
from connectors.blueshift.options import HOSTS
from connectors.http import Client, Timeouts, basic_auth, require_list, require_object
from connectors.options import chosen_host
from connectors.tool import HttpTool, Target
from settings.workspace import ConnectionSettings


class Blueshift(HttpTool):
    """An open connection; a customer's id is Blueshift's ``customer_id``."""

    def attributes(self) -> Target:
        return Customers(self.client)

    def check(self) -> None:
        """Ask for one segment, which needs the same key. Raises Retry or Stop."""
        answer = self.client.request("GET", "/api/v1/segments/list", params={"per_page": "1"})
        require_list(require_object(answer), "segments")


def open_blueshift(connection: ConnectionSettings) -> Blueshift:
    """The connection's account. Raises Stop for a region that is not on the list."""
    key, host = connection.options["user_api_key"], chosen_host(connection, "region", HOSTS)
    headers, (_, pair) = basic_auth(key, "")  # the key is the user; there is no password
    timeouts = Timeouts.of(connection.options["timeout_s"])
    return Blueshift(Client(host, headers, (key, pair), timeouts))
