"""A snapshot's scores → user attributes in the host tools of a workspace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from connectors import delivery
from connectors.delivery import SyncReport
from rightsend.context import Context
from scoring.snapshot import Snapshot
from settings.workspace import ConnectionSettings, WorkspaceSettings

Progress = Callable[[str, int, int | None], None]


def sync(
    context: Context,
    workspace: WorkspaceSettings,
    snapshot: Snapshot,
    progress: Progress,
    *,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Brings every connection up to date; connection → report.

    A connection that cannot go on does not keep the others from it: its entry has ``error``, and
    the next sync sends the rest.
    """
    reports: dict[str, Any] = {}
    for connection in workspace.connections:
        if not connection.attributes:
            continue
        try:
            report = _sync_one(context, workspace, connection, snapshot, progress, dry_run)
        except delivery.ConnectorError as error:
            reports[connection.name] = {"connection": connection.name, "error": str(error)}
        else:
            reports[connection.name] = report.to_json()
    return reports


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


def _sync_one(
    context: Context,
    workspace: WorkspaceSettings,
    connection: ConnectionSettings,
    snapshot: Snapshot,
    progress: Progress,
    dry_run: bool,
) -> SyncReport:
    path = state_path(context, workspace, connection.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    return delivery.sync(
        connection,
        _scores(connection, snapshot),
        state_path=path,
        progress=lambda step, done, total: progress(f"{connection.name}: {step}", done, total),
        dry_run=dry_run,
    )


def _scores(
    connection: ConnectionSettings, snapshot: Snapshot
) -> Iterator[tuple[str, dict[str, Any]]]:
    return snapshot.attributes(list(dict.fromkeys(a.score for a in connection.attributes)))
