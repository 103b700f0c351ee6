"""A snapshot's scores → user attributes in the host tools of a workspace."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from connectors import delivery
from connectors.delivery import SyncReport
from connectors.delivery.runtime import StopAsked, never_stop
from rightsend.context import Context
from rightsend.errors import RightsendError
from rightsend.store_process import BusyError, flock
from scoring.snapshot import Snapshot
from settings.workspace import ConnectionSettings, WorkspaceSettings

Progress = Callable[[str, int, int | None], None]
SYNC_LOCK = ".sync.lock"  # in the workspace's folder
REPORT = ".report.json"  # after a connection's name, beside its state


def sync(
    context: Context,
    workspace: WorkspaceSettings,
    snapshot: Snapshot,
    progress: Progress,
    *,
    dry_run: bool = False,
    wait: bool = False,
    stop: StopAsked = never_stop,
) -> dict[str, Any]:
    """Brings every connection up to date; connection → report.

    A connection that cannot go on does not keep the others from it: its entry has ``error``, and
    the next sync sends the rest; likewise after ``stop``. Each report is kept beside the
    connection's state. While another process syncs the workspace it is waited for with ``wait``,
    else RightsendError is raised.
    """
    try:
        with flock(context.workspace_dir(workspace) / SYNC_LOCK, wait=wait):
            return {
                each.name: _report(context, workspace, each, snapshot, progress, dry_run, stop)
                for each in workspace.connections
                if each.attributes and not stop()
            }
    except BusyError:
        raise RightsendError(
            f"a sync of workspace {workspace.workspace} is running already; wait for its end"
        ) from None


def stopped(reports: dict[str, Any]) -> bool:
    """Whether something is left because it was asked to stop."""
    return any(not report.get("finished", True) for report in reports.values())


def failed(reports: dict[str, Any]) -> list[str]:
    """One sentence for each connection that could not go on."""
    return [
        f"connection {name}: {report['error']}"
        for name, report in reports.items()
        if report.get("error")
    ]


def state_path(context: Context, workspace: WorkspaceSettings, connection: str) -> Path:
    """Where delivery keeps what the tool accepted last."""
    return context.workspace_dir(workspace) / "delivery" / f"{connection}.sqlite"


def _report(
    context: Context,
    workspace: WorkspaceSettings,
    connection: ConnectionSettings,
    snapshot: Snapshot,
    progress: Progress,
    dry_run: bool,
    stop: StopAsked,
) -> dict[str, Any]:
    path = state_path(context, workspace, connection.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {}
    try:
        report = _synced(connection, snapshot, path, progress, dry_run, stop).to_json()
    except delivery.ConnectorError as error:
        if isinstance(error.report, SyncReport):
            report = error.report.to_json()
        report |= {"connection": connection.name, "error": str(error)}
    now = context.now(workspace)
    report["snapshot"] = snapshot.meta.snapshot
    report["finished_at"] = now.isoformat(timespec="seconds")
    report["lag_s"] = (now - snapshot.meta.created_at).total_seconds()
    if not dry_run:
        _keep(report, path.with_suffix(REPORT))
    return report


def _keep(report: dict[str, Any], path: Path) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(report))
    os.replace(temporary, path)  # noqa: PTH105


def _synced(
    connection: ConnectionSettings,
    snapshot: Snapshot,
    path: Path,
    progress: Progress,
    dry_run: bool,
    stop: StopAsked,
) -> SyncReport:
    return delivery.sync(
        connection,
        _scores(connection, snapshot),
        state_path=path,
        progress=lambda step, done, total: progress(f"{connection.name}: {step}", done, total),
        stop=stop,
        dry_run=dry_run,
    )


def _scores(
    connection: ConnectionSettings, snapshot: Snapshot
) -> Iterator[tuple[str, dict[str, Any]]]:
    return snapshot.attributes(list(dict.fromkeys(a.score for a in connection.attributes)))
