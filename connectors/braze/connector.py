"""A Braze workspace as a host tool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.braze import catalog, cohorts, people
from connectors.braze.audience import Patience, audience
from connectors.braze.cohorts import Members, Partner
from connectors.braze.hosts import INSTANCES
from connectors.braze.ingestion import Files
from connectors.braze.memberships import Memberships
from connectors.braze.options import ATTRIBUTE, CDI, PARTNER_FIELDS
from connectors.braze.track import Attributes
from connectors.braze.trigger import MOST_RECIPIENTS, trigger
from connectors.errors import Stop
from connectors.http import Client, Timeouts, require_success
from connectors.options import chosen_host
from connectors.tool import HttpTool, Outcome, Recipient, Target
from settings.workspace import ConnectionSettings


@dataclass(frozen=True)
class Braze(HttpTool):
    """An open connection; ``partner`` is None when segments cannot be pushed as cohorts.

    ``options`` are those of ``connectors.braze.options.SharedOptions``.
    """

    partner: Partner | None
    options: Mapping[str, Any] = field(repr=False)
    patience: Patience = field(default_factory=Patience)
    most_recipients = MOST_RECIPIENTS

    def attributes(self) -> Target:
        if self.options.get("attributes_as") == CDI:
            return Files(Path(self.options["cdi_folder"]), self._existing_only)
        return Attributes(self.client, self._existing_only)

    def segment(self, segment_id: str) -> Target:
        if self._by_attribute:
            attribute = self.options["segments_attribute"]
            return Memberships(self.client, segment_id, attribute, self._existing_only)
        return Members(self.client, self._partner(), segment_id)

    def declare_segment(self, segment_id: str, name: str) -> None:
        """An array attribute needs no declaration: its elements are the segments' ids."""
        if not self._by_attribute:
            cohorts.declare(self.client, self._partner(), segment_id, name)

    def catalog(self, name: str) -> Target:
        return catalog.Items(self.client, name)

    def declare_catalog(self, name: str, fields: Mapping[str, str]) -> None:
        catalog.declare(self.client, name, fields)

    def identify(self, pairs: Sequence[tuple[str, str, str]]) -> None:
        people.identify(self.client, self.options.get("identify_aliases") or {}, pairs)

    def merge(self, pairs: Sequence[tuple[str, str]]) -> None:
        people.merge(self.client, pairs)

    def erase(self, customer_ids: Sequence[str]) -> None:
        people.delete(self.client, customer_ids)

    def trigger(self, campaign_id: str, recipients: Sequence[Recipient]) -> Outcome:
        return trigger(self.client, campaign_id, recipients)

    def audience(self, segment_id: str) -> Iterator[str]:
        hosts = self.options.get("export_hosts") or ()
        return audience(self.client, segment_id, hosts, self.patience)

    def check(self) -> None:
        """List segments: harmless, and refused with a wrong key or host."""
        answer = self.client.request("GET", "/segments/list", params={"page": "0"})
        if not isinstance(require_success(answer).body, dict):
            raise Stop("the host answers, but not like Braze", status=answer.status)

    @property
    def _existing_only(self) -> bool:
        return bool(self.options.get("update_existing_only", True))

    @property
    def _by_attribute(self) -> bool:
        return self.options.get("segments_as") == ATTRIBUTE

    def _partner(self) -> Partner:
        if self.partner is None:
            raise Stop(
                f"pushing segments needs the options {', '.join(PARTNER_FIELDS)},"
                f" or segments_as: {ATTRIBUTE}"
            )
        return self.partner


def open_braze(connection: ConnectionSettings) -> Braze:
    """The connection's Braze. Raises Stop for an instance that is not on the list."""
    return connect(chosen_host(connection, "instance", INSTANCES), connection.options)


def connect(base_url: str, options: Mapping[str, Any]) -> Braze:
    """Braze's protocol at ``base_url``; the sandbox speaks it too."""
    partner_options = [options.get(name) for name in PARTNER_FIELDS]
    client = Client(
        base_url,
        headers={"Authorization": f"Bearer {options['api_key']}"},
        secrets=tuple(secret for secret in (options["api_key"], *partner_options[1:]) if secret),
        timeouts=Timeouts.of(options.get("timeout_s", 30.0)),
    )
    return Braze(
        client,
        Partner(*partner_options) if all(partner_options) else None,  # type: ignore[arg-type]
        options,
    )
