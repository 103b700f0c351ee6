"""A MoEngage workspace as a host tool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from connectors.errors import nothing_to_split
from connectors.http import Client, Timeouts, basic_auth
from connectors.moengage import bulk, cohorts, users
from connectors.moengage.hosts import DATA_CENTERS
from connectors.moengage.workspace import MoEngageWorkspace
from connectors.options import chosen_host
from connectors.tool import Outcome, Recipient, Target, Tool
from settings.workspace import ConnectionSettings

TEST_CONNECTION = "/v1/integrations/authentication"


@dataclass(frozen=True)
class MoEngage(Tool):
    """An open connection."""

    workspace: MoEngageWorkspace
    data_center: str
    api_key: str = field(repr=False)
    partner: str
    update_existing_only: bool

    def attributes(self) -> Target:
        return bulk.Attributes(self.workspace, self.update_existing_only)

    def segment(self, segment_id: str) -> Target:
        return cohorts.Members(self.workspace, self.partner, segment_id)

    def declare_segment(self, segment_id: str, name: str) -> None:
        """Nothing to do: a cohort comes to be with its first members, and keeps its name."""

    def identify(self, pairs: Sequence[tuple[str, str, str]]) -> None:
        users.identify(self.workspace, pairs)

    def merge(self, pairs: Sequence[tuple[str, str]]) -> None:
        users.merge(self.workspace, pairs)

    def erase(self, customer_ids: Sequence[str]) -> None:
        users.erase(self.workspace, customer_ids)

    def trigger(self, campaign_id: str, recipients: Sequence[Recipient]) -> Outcome:
        return bulk.trigger(self.workspace, campaign_id, recipients)

    def check(self) -> None:
        """MoEngage's own test of a connection."""
        body = {
            "app_id": self.workspace.workspace_id,
            "app_secret": self.api_key,
            "source": self.partner,
            "region": self.data_center,
        }
        with nothing_to_split():
            self.workspace.post(TEST_CONNECTION, orjson.dumps(body))

    def close(self) -> None:
        self.workspace.client.close()


def open_moengage(connection: ConnectionSettings) -> MoEngage:
    """The connection's workspace. Raises Stop for a data center that is not on the list."""
    options = connection.options
    workspace_id, key = options["workspace_id"], options["api_key"]
    headers, secrets = basic_auth(workspace_id, key)
    client = Client(
        chosen_host(connection, "data_center", DATA_CENTERS),
        {**headers, "MOE-APPKEY": workspace_id},
        secrets,
        Timeouts.of(options.get("timeout_s", 30.0)),
    )
    return MoEngage(
        MoEngageWorkspace(client, workspace_id),
        options["data_center"],
        key,
        options.get("partner", "Rightsend"),
        bool(options.get("update_existing_only", True)),
    )
