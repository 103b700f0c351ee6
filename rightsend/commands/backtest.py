"""`rightsend backtest`."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from rightsend import publishing
from rightsend.commands.options import (
    installation,
    json_option,
    print_json,
    within_reason,
    workspace_option,
)
from rightsend.context import Context
from rightsend.progress import Progress
from scoring.backtest.run import BacktestReport, of_lake, of_snapshot
from settings.workspace import WorkspaceSettings


@click.command()
@click.option("--snapshot", help="Judge this night's model (as_of; default: the newest).")
@click.option(
    "--cutoff",
    type=click.DateTime(),
    callback=within_reason,
    help="Train on what was known then (UTC), judge by what the lake holds since.",
)
@installation
@workspace_option
@json_option
def backtest(
    context: Context,
    workspace: str | None,
    snapshot: str | None,
    cutoff: datetime | None,
    as_json: bool,
) -> None:
    """Show how well buyers are found for each target, beside the rules that shops use.

    In a workspace with as_of the newest snapshot is judged by what the sources hold after it,
    which it never saw. Otherwise a model is trained as of one horizon ago, or as of --cutoff, and
    judged by what came since.

    \b
    Example:
      rightsend backtest --cutoff 2026-02-01
    """
    chosen = context.workspace(workspace)
    with Progress(quiet=as_json) as progress:
        report = _report(context, chosen, snapshot, cutoff, progress)
    if as_json:
        print_json(report.to_json())
    else:
        click.echo(report.table())


def _report(
    context: Context,
    workspace: WorkspaceSettings,
    snapshot: str | None,
    cutoff: datetime | None,
    progress: Progress,
) -> BacktestReport:
    if snapshot or (workspace.as_of and cutoff is None):
        opened = publishing.open_snapshot(context, workspace, snapshot)
        return of_snapshot(workspace, opened, progress)
    horizon = timedelta(days=workspace.models.horizon_days)
    then = cutoff or context.now(workspace) - horizon
    return of_lake(workspace, context.workspace_dir(workspace), then, progress)
