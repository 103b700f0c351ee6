"""An Iterable project as a host tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.errors import Stop
from connectors.http import Client, Timeouts
from connectors.iterable import campaigns, catalogs, people
from connectors.iterable.answers import required
from connectors.iterable.attributes import Attributes
from connectors.iterable.hosts import DATA_CENTERS
from connectors.iterable.lists import Lists, Members
from connectors.options import chosen_host
from connectors.tool import HttpTool, Outcome, Recipient, Target
from settings.workspace import ConnectionSettings

ANSWER_BYTES = 10_000_000  # all lists of a project come in one answer


@dataclass(frozen=True)
class Iterable(HttpTool):
    """An open connection; a customer's id is the user's ``userId``."""

    lists: Lists
    update_existing_only: bool

    most_recipients = 1

    def attributes(self) -> Target:
        return Attributes(self.client, self.update_existing_only)

    def segment(self, segment_id: str) -> Target:
        return Members(self.lists, segment_id, self.update_existing_only)

    def declare_segment(self, segment_id: str, name: str) -> None:
        self.lists.declare(segment_id, name)

    def catalog(self, name: str) -> Target:
        return catalogs.Items(self.client, name)

    def declare_catalog(self, name: str, fields: Mapping[str, str]) -> None:
        catalogs.declare(self.client, name, fields)

    def identify(self, pairs: Sequence[tuple[str, str, str]]) -> None:
        """Nothing to do: Iterable knows people by userId, and only those were ever sent."""

    def merge(self, pairs: Sequence[tuple[str, str]]) -> None:
        people.merge(self.client, pairs)

    def erase(self, customer_ids: Sequence[str]) -> None:
        people.erase(self.client, customer_ids)

    def trigger(self, campaign_id: str, recipients: Sequence[Recipient]) -> Outcome:
        """One recipient a request. Raises Retry, Split, Lost or Stop."""
        for recipient in recipients:
            campaigns.send(self.client, campaign_id, recipient.customer_id, recipient.properties)
        return Outcome()

    def check(self) -> None:
        """List channels: harmless, and refused with a wrong key or data center."""
        body = required(self.client, self.client.request("GET", "/api/channels"))
        if not isinstance(body.get("channels"), list):
            raise Stop("the host answers, but not like Iterable")


def open_iterable(connection: ConnectionSettings) -> Iterable:
    """The connection's project. Raises Stop for a data center that is not on the list."""
    host = chosen_host(connection, "data_center", DATA_CENTERS)
    return connect(host, connection.options)


def connect(base_url: str, options: Mapping[str, Any]) -> Iterable:
    """Iterable's protocol at ``base_url``."""
    client = Client(
        base_url,
        headers={"Api-Key": options["api_key"]},
        secrets=(options["api_key"],),
        timeouts=Timeouts.of(options.get("timeout_s", 30.0)),
        answer_bytes=ANSWER_BYTES,
    )
    return Iterable(client, Lists(client), bool(options.get("update_existing_only", True)))
