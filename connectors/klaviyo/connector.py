"""A Klaviyo account as a host tool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import sleep
from typing import Any

from connectors.http import Client, Timeouts
from connectors.klaviyo import api, catalogs, profiles
from connectors.klaviyo.api import Api
from connectors.klaviyo.lists import Lists, Members
from connectors.tool import Target, Tool
from settings.workspace import ConnectionSettings

ANSWER_BYTES = 11_000_000  # a page of import errors may hold a hundred profiles


@dataclass(frozen=True)
class Klaviyo(Tool):
    """An open connection; a customer's id is the profile's ``external_id``."""

    api: Api
    lists: Lists

    def attributes(self) -> Target:
        return profiles.Attributes(self.api)

    def segment(self, segment_id: str) -> Target:
        return Members(self.lists, segment_id)

    def declare_segment(self, segment_id: str, name: str) -> None:
        self.lists.declare(segment_id, name)

    def catalog(self, name: str) -> Target:
        return catalogs.Items(self.api)

    def declare_catalog(self, name: str, fields: Mapping[str, str]) -> None:
        """Nothing to do: Klaviyo has one catalog, with fields of its own."""

    def identify(self, pairs: Sequence[tuple[str, str, str]]) -> None:
        """Nothing to do: profiles are made under their external_id only."""

    def merge(self, pairs: Sequence[tuple[str, str]]) -> None:
        profiles.merge(self.api, pairs)

    def erase(self, customer_ids: Sequence[str]) -> None:
        profiles.erase(self.api, customer_ids)

    def wait_by(self, wait: Callable[[float], None]) -> None:
        """Jobs are waited for."""
        self.api.sleep = wait

    def check(self) -> None:
        """List one page of lists: harmless, and refused with a wrong key."""
        self.api.read("/api/lists", {"fields[list]": "name"})

    def close(self) -> None:
        self.api.client.close()


def open_klaviyo(connection: ConnectionSettings) -> Klaviyo:
    """The connection's account."""
    return connect(api.HOST, connection.options)


def connect(base_url: str, options: Mapping[str, Any]) -> Klaviyo:
    """Klaviyo's protocol at ``base_url``."""
    client = Client(
        base_url,
        headers={
            "Authorization": f"Klaviyo-API-Key {options['api_key']}",
            "revision": api.REVISION,
            "Accept": api.MEDIA_TYPE,
            "Content-Type": api.MEDIA_TYPE,
        },
        secrets=(options["api_key"],),
        timeouts=Timeouts.of(options.get("timeout_s", 30.0)),
        answer_bytes=ANSWER_BYTES,
    )
    account = Api(client, float(options.get("job_timeout_s", 600.0)), sleep)
    return Klaviyo(account, Lists(account))
