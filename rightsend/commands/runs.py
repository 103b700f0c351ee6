"""`rightsend runs` and `rightsend rollback`."""

from __future__ import annotations

import click

from plugin import documents
from rightsend.auditing import audited
from rightsend.commands.options import (
    installation,
    json_option,
    print_json,
    table,
    words,
    workspace_option,
)
from rightsend.context import Context
from rightsend.errors import RightsendError
from rightsend.progress import Progress


@click.group()
def runs() -> None:
    """List the nightly runs, show one.

    \b
    Example:
      rightsend runs list
    """


@runs.command("list")
@installation
@workspace_option
@json_option
def list_(context: Context, workspace: str | None, as_json: bool) -> None:
    """List the nightly runs, newest first.

    \b
    Example:
      rightsend runs list --json
    """
    found = documents.runs(context.workspace_dir(context.workspace(workspace)))
    if as_json:
        print_json({"runs": found})
        return
    rows = [(r["run"], r["state"], r.get("started_at"), r.get("finished_at")) for r in found]
    click.echo(table(rows, ("run", "state", "started", "finished")))


@runs.command()
@click.argument("run_id")
@installation
@workspace_option
@json_option
def show(context: Context, workspace: str | None, run_id: str, as_json: bool) -> None:
    """Show one run: its steps with time and memory, and its report.

    \b
    Example:
      rightsend runs show 20171204T000000Z
    """
    chosen = context.workspace(workspace)
    run = documents.run(context.workspace_dir(chosen), run_id)
    if run is None:
        raise RightsendError(f"there is no run {run_id}; `rightsend runs list` shows them")
    if as_json:
        print_json(run)
        return
    click.echo(f"run {run['run']}: {run['state']}")
    steps = [(s["name"], s["state"], s.get("seconds"), s.get("peak_mb")) for s in run["steps"]]
    click.echo(table(steps, ("step", "state", "seconds", "peak MB")))
    for name, value in (run.get("report") or {}).items():
        click.echo(f"{name}: {words(value)}")


@click.command()
@click.argument("snapshot", required=False)
@installation
@workspace_option
@json_option
def rollback(context: Context, workspace: str | None, snapshot: str | None, as_json: bool) -> None:
    """Go back to the snapshot before the active one, or to SNAPSHOT.

    \b
    Example:
      rightsend rollback
    """
    # publishing needs pyarrow, which listing runs does not
    from rightsend import publishing

    chosen = context.workspace(workspace)
    with (
        context.store(),
        Progress(quiet=as_json) as progress,
        audited(context, chosen, "snapshot.activated") as about,
    ):
        meta = publishing.roll_back(context, chosen, snapshot, progress)
        about["snapshot"] = meta.snapshot
    if as_json:
        print_json(meta.to_json())
    else:
        click.echo(f"answers come from snapshot {meta.snapshot} (scores as of {meta.cutoff}) now")
