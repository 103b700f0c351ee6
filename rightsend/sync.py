"""A snapshot → the host tools of a workspace: scores as user attributes, the shop's items as a
catalog, and who is who."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from connectors import delivery
from connectors.delivery import SyncReport
from connectors.delivery.runtime import StopAsked, never_stop
from rightsend import catalog, identities
from rightsend.context import Context
from rightsend.errors import RightsendError
from rightsend.store_process import BusyError, flock
from scoring.snapshot import Snapshot
from settings.workspace import ConnectionSettings, WorkspaceSettings

Progress = Callable[[str, int, int | None], None]
SYNC_LOCK = ".sync.lock"  # in the workspace's folder
REPORT = ".report.json"  # after a part's name, beside the connection's state
ATTRIBUTES = "attributes"


@dataclass(frozen=True)
class Part:
    """Something that is kept in a host tool. ``run`` still needs state_path, progress, stop and
    dry_run."""

    connection: ConnectionSettings
    what: str  # attributes, catalog <name> or identities
    run: Callable[..., SyncReport]

    @property
    def name(self) -> str:
        """The connection's for its attributes, as most have nothing else."""
        own = self.connection.name
        return own if self.what == ATTRIBUTES else f"{own} {self.what}"


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
    """Brings every connection up to date; part's name → report.

    A part that cannot go on does not keep the others from it: its entry has ``error``, and the
    next sync sends the rest; likewise after ``stop``. Each report is kept beside the connection's
    state. While another process syncs the workspace it is waited for with ``wait``,
    else RightsendError is raised.
    """
    try:
        with flock(context.workspace_dir(workspace) / SYNC_LOCK, wait=wait):
            return {
                part.name: _report(context, workspace, part, snapshot, progress, dry_run, stop)
                for connection in workspace.connections
                for part in _parts(connection, snapshot)
                if not stop()
            }
    except BusyError:
        raise RightsendError(
            f"a sync of workspace {workspace.workspace} is running already; wait for its end"
        ) from None


def stopped(reports: dict[str, Any]) -> bool:
    """Whether something is left because it was asked to stop."""
    return any(not report.get("finished", True) for report in reports.values())


def failed(reports: dict[str, Any]) -> list[str]:
    """One sentence for each part that could not go on."""
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
    part: Part,
    snapshot: Snapshot,
    progress: Progress,
    dry_run: bool,
    stop: StopAsked,
) -> dict[str, Any]:
    path = state_path(context, workspace, part.connection.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {}
    try:
        report = part.run(
            state_path=path,
            progress=lambda step, done, total: progress(f"{part.name}: {step}", done, total),
            stop=stop,
            dry_run=dry_run,
        ).to_json()
    except delivery.ConnectorError as error:
        if isinstance(error.report, SyncReport):
            report = error.report.to_json()
        report |= {"connection": part.connection.name, "error": str(error)}
    now = context.now(workspace)
    report["what"] = part.what
    report["snapshot"] = snapshot.meta.snapshot
    report["finished_at"] = now.isoformat(timespec="seconds")
    report["lag_s"] = (now - snapshot.meta.created_at).total_seconds()
    if not dry_run:
        _keep(report, path.with_name(f"{part.name.replace(' ', '.')}{REPORT}"))
    return report


def _keep(report: dict[str, Any], path: Path) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(report))
    os.replace(temporary, path)  # noqa: PTH105


def _parts(connection: ConnectionSettings, snapshot: Snapshot) -> Iterator[Part]:
    """What is to be kept in this connection's tool."""
    if connection.attributes:
        run = partial(delivery.sync, connection, _scores(connection, snapshot))
        yield Part(connection, ATTRIBUTES, run)
    if name := connection.options.get("catalog"):
        fields = connection.options["catalog_fields"]
        items = catalog.items(snapshot, fields)
        kinds = catalog.kinds(fields)
        run = partial(delivery.sync_catalog, connection, items, name=name, fields=kinds)
        yield Part(connection, f"catalog {name}", run)
    if labels := connection.options.get("identify_aliases"):
        run = partial(delivery.sync_identities, connection, identities.links(snapshot, labels))
        yield Part(connection, "identities", run)


def _scores(
    connection: ConnectionSettings, snapshot: Snapshot
) -> Iterator[tuple[str, dict[str, Any]]]:
    return snapshot.attributes(list(dict.fromkeys(a.score for a in connection.attributes)))
