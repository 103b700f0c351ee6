"""A Braze workspace as a host tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.braze.cohorts import Members, Partner, declare
from connectors.braze.hosts import INSTANCES
from connectors.braze.options import PARTNER_FIELDS
from connectors.braze.track import Attributes
from connectors.errors import Stop
from connectors.http import Client, Timeouts, require_success
from connectors.tool import Target, Tool
from settings.workspace import ConnectionSettings


@dataclass(frozen=True)
class Braze(Tool):
    """An open connection; ``partner`` is None when segments cannot be pushed."""

    client: Client
    partner: Partner | None
    update_existing_only: bool

    def attributes(self) -> Target:
        return Attributes(self.client, self.update_existing_only)

    def segment(self, segment_id: str) -> Target:
        return Members(self.client, self._partner(), segment_id)

    def declare_segment(self, segment_id: str, name: str) -> None:
        declare(self.client, self._partner(), segment_id, name)

    def check(self) -> None:
        """List segments: harmless, and refused with a wrong key or host."""
        answer = self.client.request("GET", "/segments/list", params={"page": "0"})
        if not isinstance(require_success(answer).body, dict):
            raise Stop("the host answers, but not like Braze", status=answer.status)

    def close(self) -> None:
        self.client.close()

    def _partner(self) -> Partner:
        if self.partner is None:
            raise Stop(f"pushing segments needs the options {', '.join(PARTNER_FIELDS)}")
        return self.partner


def open_braze(connection: ConnectionSettings) -> Braze:
    """The connection's Braze. Raises Stop for an instance that is not on the list."""
    instance = connection.options["instance"]
    if instance not in INSTANCES:
        raise Stop(f"connection {connection.name}: Braze has no instance {instance!r}")
    return connect(INSTANCES[instance], connection.options)


def connect(base_url: str, options: Mapping[str, Any]) -> Braze:
    """Braze's protocol at ``base_url``; the sandbox speaks it too."""
    partner_options = [options.get(name) for name in PARTNER_FIELDS]
    read_s = float(options.get("timeout_s", 30.0))
    client = Client(
        base_url,
        headers={"Authorization": f"Bearer {options['api_key']}"},
        secrets=tuple(secret for secret in (options["api_key"], *partner_options[1:]) if secret),
        timeouts=Timeouts(connect_s=min(5.0, read_s), read_s=read_s, total_s=2 * read_s),
    )
    return Braze(
        client,
        Partner(*partner_options) if all(partner_options) else None,  # type: ignore[arg-type]
        bool(options.get("update_existing_only", True)),
    )
