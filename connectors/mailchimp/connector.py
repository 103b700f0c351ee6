"""An audience of a Mailchimp account as a host tool."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.errors import nothing_to_split
from connectors.http import Client, Timeouts, basic_auth
from connectors.mailchimp import segments
from connectors.mailchimp.audience import Audience
from connectors.mailchimp.contacts import Contacts
from connectors.mailchimp.options import DATA_CENTERS
from connectors.options import chosen_host
from connectors.tool import HttpTool, Target
from settings.workspace import ConnectionSettings


@dataclass(frozen=True)
class Mailchimp(HttpTool):
    """An open connection; a customer's id is the address of a contact."""

    contacts: Audience
    update_existing_only: bool

    def attributes(self) -> Target:
        return Contacts(self.contacts, self.update_existing_only)

    def segment(self, segment_id: str) -> Target:
        return segments.Members(self.contacts, segment_id)

    def declare_segment(self, segment_id: str, name: str) -> None:
        segments.declare(self.contacts, segment_id, name)

    def check(self) -> None:
        """Read the audience. Raises Retry or Stop."""
        with nothing_to_split():
            self.contacts.call("GET", "")


def open_mailchimp(connection: ConnectionSettings) -> Mailchimp:
    """The connection's audience. Raises Stop for a data center that is not on the list."""
    options = connection.options
    client = Client(
        chosen_host(connection, "data_center", DATA_CENTERS),
        *basic_auth("rightsend", options["api_key"]),
        Timeouts.of(options["timeout_s"]),
        answer_bytes=20_000_000,  # every contact that was written comes back
    )
    audience = Audience(client, f"/lists/{options['list_id']}")
    return Mailchimp(client, audience, options["update_existing_only"])
