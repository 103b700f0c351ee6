"""`rightsend sync`."""

from __future__ import annotations

import click

from rightsend import publishing
from rightsend import sync as syncs
from rightsend.commands.options import (
    installation,
    json_option,
    print_json,
    table,
    workspace_option,
)
from rightsend.context import Context
from rightsend.progress import Progress


@click.command()
@click.option("--dry-run", is_flag=True, help="Count what would be sent; send nothing.")
@installation
@workspace_option
@json_option
def sync(context: Context, workspace: str | None, dry_run: bool, as_json: bool) -> int:
    """Write changed scores into the host tools' user attributes.

    Only what differs from the last accepted state is sent: a second sync sends nothing.

    \b
    Example:
      rightsend sync --dry-run
    """
    chosen = context.workspace(workspace)
    with context.store(), Progress(quiet=as_json) as progress:
        snapshot = publishing.active_snapshot(context, chosen)
        reports = syncs.sync(context, chosen, snapshot, progress, dry_run=dry_run)
    if as_json:
        print_json({"snapshot": snapshot.meta.snapshot, "connections": list(reports.values())})
    else:
        names = ("profiles", "changed", "requests", "data_points", "seconds")
        rows = [(name, *(report.get(key) for key in names)) for name, report in reports.items()]
        click.echo(table(rows, ("connection", *(name.replace("_", " ") for name in names))))
    failures = syncs.failed(reports)
    for sentence in failures:
        click.echo(f"rightsend: {sentence}", err=True)
    return 1 if failures else 0
