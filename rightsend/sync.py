"""A snapshot → the host tools of a workspace: scores as user attributes, the shop's items as a
catalog, and who is who."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from connectors import delivery
from connectors.delivery import SyncReport
from rightsend import catalog, identities
from rightsend.context import Context
from scoring.snapshot import Snapshot
from settings.workspace import ConnectionSettings, WorkspaceSettings

Progress = Callable[[str, int, int | None], None]
Part = Callable[..., SyncReport]
ATTRIBUTES = "attributes"


def sync(
    context: Context,
    workspace: WorkspaceSettings,
    snapshot: Snapshot,
    progress: Progress,
    *,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Brings every connection up to date; connection (and what it is about) → report.

    What cannot go on does not keep the rest from it: its entry has ``error``, and the next sync
    sends what is left.
    """
    reports: dict[str, Any] = {}
    for connection in workspace.connections:
        for what, part in _parts(connection, snapshot):
            name = connection.name if what == ATTRIBUTES else f"{connection.name} {what}"
            options = {
                "state_path": _made(state_path(context, workspace, connection.name)),
                "progress": _named(progress, name),
                "dry_run": dry_run,
            }
            try:
                report = part(**options).to_json()
            except delivery.ConnectorError as error:
                report = {"connection": connection.name, "error": str(error)}
            reports[name] = {"what": what, **report}
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


def _parts(connection: ConnectionSettings, snapshot: Snapshot) -> Iterator[tuple[str, Part]]:
    """What is to be kept there, and how."""
    if connection.attributes:
        yield ATTRIBUTES, partial(delivery.sync, connection, _scores(connection, snapshot))
    if name := connection.options.get("catalog"):
        fields = connection.options["catalog_fields"]
        yield (
            f"catalog {name}",
            partial(
                delivery.sync_catalog,
                connection,
                catalog.items(snapshot, fields),
                name=name,
                fields=catalog.kinds(fields),
            ),
        )
    if kinds := connection.options.get("identify_aliases"):
        links = identities.links(snapshot, kinds)
        yield "identities", partial(delivery.sync_identities, connection, links)


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _named(progress: Progress, name: str) -> Progress:
    return lambda step, done, total: progress(f"{name}: {step}", done, total)


def _scores(
    connection: ConnectionSettings, snapshot: Snapshot
) -> Iterator[tuple[str, dict[str, Any]]]:
    return snapshot.attributes(list(dict.fromkeys(a.score for a in connection.attributes)))
