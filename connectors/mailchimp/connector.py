"""An audience of a Mailchimp account as a host tool."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass

from connectors.errors import Split, Stop
from connectors.http import Client, Timeouts
from connectors.mailchimp import segments
from connectors.mailchimp.audience import Audience
from connectors.mailchimp.contacts import Contacts
from connectors.mailchimp.options import DATA_CENTERS
from connectors.tool import Target, Tool
from settings.workspace import ConnectionSettings


@dataclass(frozen=True)
class Mailchimp(Tool):
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
        try:
            self.contacts.call("GET", "")
        except Split as error:
            raise Stop(error.what, status=error.status) from None

    def close(self) -> None:
        self.contacts.client.close()


def open_mailchimp(connection: ConnectionSettings) -> Mailchimp:
    """The connection's audience. Raises Stop for a data center that is not on the list."""
    options = connection.options
    host = DATA_CENTERS.get(options["data_center"])
    if host is None:
        raise Stop(f"connection {connection.name}: Mailchimp has no such data center")
    key, read_s = options["api_key"], options["timeout_s"]
    basic = b64encode(f"rightsend:{key}".encode()).decode()
    client = Client(
        host,
        {"Authorization": f"Basic {basic}"},
        (key, basic),
        Timeouts(min(5.0, read_s), read_s, 2 * read_s),
        answer_bytes=20_000_000,  # every contact that was written comes back
    )
    path = f"/lists/{options['list_id']}"
    return Mailchimp(Audience(client, path), options["update_existing_only"])
