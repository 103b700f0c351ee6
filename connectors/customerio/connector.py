"""A Customer.io workspace as a host tool."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.customerio import broadcasts, people, segments
from connectors.customerio.attributes import Attributes
from connectors.customerio.hosts import APP, TRACK
from connectors.errors import Stop
from connectors.http import Client, Timeouts, basic_auth, require_success
from connectors.options import chosen_host
from connectors.tool import Outcome, Recipient, Target, Tool
from settings.workspace import ConnectionSettings

REGION = "/api/v1/accounts/region"
LARGEST_PAGE = 10_000_000


@dataclass(frozen=True)
class Customerio(Tool):
    """An open connection; ``app_or_none`` is None without an App API key."""

    track: Client
    app_or_none: Client | None
    region: str
    update_existing_only: bool

    most_recipients = broadcasts.MOST_RECIPIENTS

    def attributes(self) -> Target:
        return Attributes(self.track, self.update_existing_only)

    def segment(self, segment_id: str) -> Target:
        return segments.Members(self.track, self._app(), segment_id)

    def declare_segment(self, segment_id: str, name: str) -> None:
        segments.declare(self._app(), segment_id, name)

    def audience(self, segment_id: str) -> Iterator[str]:
        return segments.audience(self._app(), segment_id)

    def identify(self, pairs: Sequence[tuple[str, str, str]]) -> None:
        people.identify(self.track, pairs)

    def merge(self, pairs: Sequence[tuple[str, str]]) -> None:
        people.merge(self.track, pairs)

    def erase(self, customer_ids: Sequence[str]) -> None:
        people.erase(self.track, customer_ids)

    def trigger(self, campaign_id: str, recipients: Sequence[Recipient]) -> Outcome:
        return broadcasts.trigger(self._app(), campaign_id, recipients)

    def check(self) -> None:
        """Ask for the region: harmless, and refused with a wrong key."""
        answer = require_success(self.track.request("GET", REGION))
        region = answer.told.get("region")
        if region is None:
            raise Stop("the host answers, but not like Customer.io", status=answer.status)
        if region != self.region:
            raise Stop("the workspace is in another region than the option region says")
        if self.app_or_none is not None:
            require_success(self.app_or_none.request("GET", segments.SEGMENTS))

    def close(self) -> None:
        self.track.close()
        if self.app_or_none is not None:
            self.app_or_none.close()

    def _app(self) -> Client:
        if self.app_or_none is None:
            raise Stop("segments and broadcasts need the option app_api_key")
        return self.app_or_none


def open_customerio(connection: ConnectionSettings) -> Customerio:
    """The connection's workspace. Raises Stop for a region that is not on the list."""
    options = connection.options
    timeouts = Timeouts.of(options.get("timeout_s", 30.0))
    host, app_key = chosen_host(connection, "region", TRACK), options.get("app_api_key")
    track = Client(host, *basic_auth(options["site_id"], options["api_key"]), timeouts)
    app = app_key and Client(
        chosen_host(connection, "region", APP),
        headers={"Authorization": f"Bearer {app_key}"},
        secrets=(app_key,),
        timeouts=timeouts,
        answer_bytes=LARGEST_PAGE,
    )
    existing_only = bool(options.get("update_existing_only", True))
    return Customerio(track, app or None, options["region"], existing_only)
