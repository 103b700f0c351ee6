"""A OneSignal app as a host tool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.errors import Stop, nothing_to_split
from connectors.http import Client, Timeouts
from connectors.onesignal import messages, tags, users
from connectors.onesignal.app import App
from connectors.onesignal.hosts import HOSTS
from connectors.tool import Outcome, Recipient, Target, Tool
from settings.workspace import ConnectionSettings


@dataclass(frozen=True)
class OneSignal(Tool):
    """An open connection."""

    app: App
    trigger_channel: str

    most_recipients = messages.MOST_RECIPIENTS

    def attributes(self) -> Target:
        return tags.Attributes(self.app)

    def segment(self, segment_id: str) -> Target:
        return tags.Members(self.app, segment_id)

    def declare_segment(self, segment_id: str, name: str) -> None:
        tags.declare(self.app, segment_id, name)

    def identify(self, pairs: Sequence[tuple[str, str, str]]) -> None:
        users.identify(self.app, pairs)

    def merge(self, pairs: Sequence[tuple[str, str]]) -> None:
        users.merge(self.app, pairs)

    def erase(self, customer_ids: Sequence[str]) -> None:
        users.erase(self.app, customer_ids)

    def trigger(self, campaign_id: str, recipients: Sequence[Recipient]) -> Outcome:
        (recipient,) = recipients  # most_recipients
        return messages.trigger(self.app, campaign_id, self.trigger_channel, recipient)

    def check(self) -> None:
        """List segments: harmless, and refused with a wrong key."""
        with nothing_to_split():
            answer = self.app.call("GET", self.app.path("/segments"))
        if "segments" not in answer.body:
            raise Stop("the host answers, but not like OneSignal", status=answer.status)

    def close(self) -> None:
        self.app.client.close()


def open_onesignal(connection: ConnectionSettings) -> OneSignal:
    """The connection's app."""
    options = connection.options
    client = Client(
        HOSTS["api"],
        headers={"Authorization": f"Key {options['api_key']}"},
        secrets=(options["api_key"],),
        timeouts=Timeouts.of(options.get("timeout_s", 30.0)),
    )
    return OneSignal(App(client, options["app_id"]), options.get("trigger_channel", "push"))
