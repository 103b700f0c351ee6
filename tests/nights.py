"""A night that is done, made once for all tests that look at one (fixture ``night``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from scoring.lake import Lake
from scoring.nightly import RunReport
from scoring.snapshot import Snapshot
from settings.workspace import WorkspaceSettings
from tests import nightly_shop


@dataclass(frozen=True)
class Night:
    """A night that is done. Do not write into its folders: copy what a test changes."""

    workspace: WorkspaceSettings
    workspace_dir: Path
    report: RunReport

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot.open(self.workspace_dir / "snapshots" / self.report.run)

    @property
    def lake(self) -> Lake:
        return Lake(self.workspace_dir / "lake")

    def bought(self, category: str, *, since: datetime) -> set[str]:
        """Customers with a purchase of the category from ``since`` until the night."""
        rows = self.lake.events(before=self.report.now, since=since).to_pyarrow().to_pylist()
        return {
            row["identifier"] if row["identifier_kind"] == "external_id"
            else f"{row['identifier_kind']}:{row['identifier']}"
            for row in rows
            if row["event_type"] == "purchase" and row["item_id"].startswith(f"{category}-")
        }  # fmt: skip


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """The first night of tests.nightly_shop, with enough clicks to learn from."""
    folder = tmp_path_factory.mktemp("night")
    workspace = nightly_shop.workspace(folder, clicks=True)
    workspace_dir = folder / "state" / "workspaces" / "shop"
    with pytest.MonkeyPatch.context() as patch:
        nightly_shop.train_quickly(patch.setattr)
        report = nightly_shop.night(workspace, workspace_dir)
    return Night(workspace, workspace_dir, report)
