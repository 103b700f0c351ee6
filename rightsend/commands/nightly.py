"""`rightsend nightly`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from rightsend import nights
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
@click.option("--run", "run_id", help="Continue or name this run (default: made from the day).")
@click.option("--no-sync", is_flag=True, help="Publish, but write nothing to host tools.")
@click.option(
    "--now",
    type=click.DateTime(),
    help="Replay at this moment (UTC); a run begun earlier goes on at its own.",
)
@installation
@workspace_option
@json_option
def nightly(
    context: Context,
    workspace: str | None,
    run_id: str | None,
    no_sync: bool,
    now: datetime | None,
    as_json: bool,
) -> int:
    """Import, train, score, publish and sync: the whole night, now.

    Interrupted, it goes on where it stopped. A model that is worse than yesterday's is not
    published; then the exit status is 1 and the report says why.

    \b
    Example:
      rightsend nightly --config shop.yaml
    """
    chosen = context.workspace(workspace)
    with context.store(), Progress(quiet=as_json) as progress:
        report = nights.run(
            context,
            chosen,
            progress,
            run_id=run_id,
            with_sync=not no_sync,
            now=now and now.replace(tzinfo=UTC),
        ).to_json()
    if as_json:
        print_json(report)
    else:
        steps = [
            (s["name"], s["state"], s.get("seconds"), s.get("peak_mb")) for s in report["steps"]
        ]
        click.echo(table(steps, ("step", "state", "seconds", "peak MB")))
    if report["state"] != "done":
        reason = (report.get("report") or {}).get("reason") or "see the report"
        click.echo(f"rightsend: run {report['run']} ended as {report['state']}: {reason}", err=True)
        return 1
    failures = syncs.failed(report["report"].get("sync") or {})
    for failure in failures:
        click.echo(f"rightsend: published, but not synced: {failure}", err=True)
    return 1 if failures else 0
