"""A Brevo account as a host tool."""

from __future__ import annotations

from connectors.brevo.contacts import Contacts
from connectors.errors import Retry
from connectors.http import Client, Timeouts, require_object
from connectors.tool import HttpTool, Target
from settings.workspace import ConnectionSettings

HOSTS = {"only": "https://api.brevo.com"}
# https://developers.brevo.com/docs/limit-headers
HEADER_NAMES = {
    "X-RateLimit-Limit": "x-sib-ratelimit-limit",
    "X-RateLimit-Remaining": "x-sib-ratelimit-remaining",
    "X-RateLimit-Reset": "x-sib-ratelimit-reset",
}


class Brevo(HttpTool):
    """An open connection; a customer's id is the address of a contact."""

    def attributes(self) -> Target:
        return Contacts(self.client)

    def check(self) -> None:
        """Read the account. Raises Retry or Stop."""
        answer = self.client.request("GET", "/v3/account")
        if "email" not in require_object(answer):
            raise Retry("the answer is not Brevo's", status=answer.status)


def open_brevo(connection: ConnectionSettings) -> Brevo:
    key = connection.options["api_key"]
    timeouts = Timeouts.of(connection.options["timeout_s"])
    client = Client(HOSTS["only"], {"api-key": key}, (key,), timeouts, header_names=HEADER_NAMES)
    return Brevo(client)
