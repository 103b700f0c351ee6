"""The nightly job of a workspace, with its publishing and its syncs."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from rightsend import draining, live_items, publishing
from rightsend.context import Context
from rightsend.errors import RightsendError
from rightsend.event_files import source_types
from rightsend.store_process import BusyError, flock
from rightsend.sync import sync
from scoring import nightly
from scoring.decision_ledger import LedgerError
from scoring.decisions import Decisions
from scoring.delta import LakeError
from scoring.progress import Progress
from scoring.snapshot import Snapshot
from settings.workspace import WorkspaceSettings

NIGHTLY_LOCK = ".nightly.lock"  # in the workspace's folder


def run(
    context: Context,
    workspace: WorkspaceSettings,
    progress: Progress,
    *,
    run_id: str | None = None,
    with_sync: bool = True,
    now: datetime | None = None,
) -> nightly.RunReport:
    """Import to sync, at ``now`` (default: the workspace's clock); an unfinished run goes on where
    it stopped.

    Raises RightsendError when another process is at it.
    """

    def publish(snapshot: Snapshot) -> None:
        publishing.publish(context, workspace, snapshot, progress)

    def bring_up_to_date(snapshot: Snapshot) -> dict[str, Any]:
        return sync(context, workspace, snapshot, progress, wait=True) if with_sync else {}

    def bring_live() -> None:
        live_items.bring(context, workspace)

    folder = context.workspace_dir(workspace)
    try:
        with flock(folder / NIGHTLY_LOCK):
            active = publishing.publisher_of(context, workspace).active()
            return nightly.run(
                nightly.NightlyContext(
                    workspace=workspace,
                    workspace_dir=folder,
                    now=now or context.now(workspace),
                    progress=progress,
                    publish=publish,
                    sync=bring_up_to_date,
                    bring_live=bring_live,
                    run_id=run_id,
                    secret=context.secret,
                    active=active.snapshot if active else None,
                    source_types=source_types(),
                    decisions=lambda: decisions(context, workspace),
                )
            )
    except BusyError:
        raise RightsendError(
            f"a nightly job of workspace {workspace.workspace} is running already; "
            "`rightsend runs list` shows how far it is"
        ) from None


def decisions(context: Context, workspace: WorkspaceSettings) -> dict[str, Any]:
    """For the report: how many answers are in the lake, late and lost, and what was tidied; or
    ``error``, for their log must not cost a night."""
    try:
        tidied = draining.tidy_decisions(context, workspace)
        counts = Decisions(context.workspace_dir(workspace)).counts(time.time())
    except (LedgerError, LakeError) as error:
        return {"error": str(error)}
    return {**counts._asdict(), **tidied}
