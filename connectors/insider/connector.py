"""An Insider account as a host tool."""

from __future__ import annotations

import orjson

from connectors.errors import Retry
from connectors.http import Client, Timeouts, require_object
from connectors.insider.users import Users, is_nobody
from connectors.tool import HttpTool, Target
from settings.workspace import ConnectionSettings

HOSTS = {"only": "https://unification.useinsider.com"}
SOMEBODY = {"identifiers": {"uuid": "rightsend-check"}, "attributes": ["uuid"]}


class Insider(HttpTool):
    """An open connection; a customer's id is the identifier ``uuid``."""

    def attributes(self) -> Target:
        return Users(self.client)

    def check(self) -> None:
        """Look for somebody, who need not be there. Raises Retry or Stop."""
        body = orjson.dumps(SOMEBODY)
        answer = self.client.request("POST", "/api/user/v1/profile", body=body)
        if not is_nobody(answer) and "attributes" not in require_object(answer):
            raise Retry("the answer is not Insider's", status=answer.status)


def open_insider(connection: ConnectionSettings) -> Insider:
    partner, token = connection.options["partner_name"], connection.options["request_token"]
    headers = {"X-PARTNER-NAME": partner, "X-REQUEST-TOKEN": token}
    timeouts = Timeouts.of(connection.options["timeout_s"])
    return Insider(Client(HOSTS["only"], headers, (token,), timeouts))
