from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors import delivery
from connectors.delivery import SyncReport
from connectors.sandbox.client import Sandbox
from settings.workspace import ConnectionSettings
from tests.connectors.doubles import FakeTime, braze_connection


class Braze:
    """A connection to the double of Braze, and the double."""

    def __init__(
        self, connection: ConnectionSettings, tool: Sandbox, time: FakeTime, folder: Path
    ) -> None:
        self.connection = connection
        self.tool = tool
        self.time = time
        self.folder = folder
        self.state_path = folder / "delivery" / "crm.sqlite"

    def having(self, **options: Any) -> Braze:
        connection = replace(self.connection, options={**self.connection.options, **options})
        return Braze(connection, self.tool, self.time, self.folder)

    def profiles(self, *customer_ids: str) -> None:
        """Make people."""
        scores = [(each, {"purchase_probability": 0.5}) for each in customer_ids]
        delivery.sync(self.connection, scores, **self.options("people.sqlite"))

    def sync_catalog(self, items: dict[str, Any], fields: dict[str, str]) -> SyncReport:
        return delivery.sync_catalog(
            self.connection, items.items(), name="products", fields=fields, **self.options()
        )

    def options(self, name: str = "crm.sqlite") -> dict[str, Any]:
        return {
            "state_path": self.state_path.with_name(name), "runtime": self.time.runtime(),
        }  # fmt: skip


@pytest.fixture
def braze(
    url: str, sandbox: Sandbox, time: FakeTime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Braze:
    return Braze(braze_connection(url, monkeypatch), sandbox, time, tmp_path)
