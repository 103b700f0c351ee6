"""`rightsend sync`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import click

from rightsend import publishing
from rightsend import sync as syncs
from rightsend.auditing import audited
from rightsend.commands.options import (
    installation,
    json_option,
    print_json,
    table,
    workspace_option,
)
from rightsend.commands.stopping import STOPPED, stopped_by_signal
from rightsend.context import Context
from rightsend.progress import Progress

DONE = ("profiles", "changed", "postponed", "requests", "data_points", "of a full write", "rate",
        "rejected", "seconds")  # fmt: skip
WOULD = (
    "profiles",
    "changed",
    "postponed",
    "requests",
    "data_points",
    "of a full write",
    "minutes",
)


@click.command()
@click.option("--dry-run", is_flag=True, help="Count what would be sent; send nothing.")
@installation
@workspace_option
@json_option
def sync(context: Context, workspace: str | None, dry_run: bool, as_json: bool) -> int:
    """Write changed scores into the host tools' user attributes.

    Only what differs from the last accepted state is sent: a second sync sends nothing. Ctrl-C
    stops after the requests under way; the next sync goes on from there.

    \b
    Example:
      rightsend sync --dry-run
    """
    chosen = context.workspace(workspace)
    with context.store(), Progress(quiet=as_json) as progress, stopped_by_signal() as stop:
        snapshot = publishing.active_snapshot(context, chosen)
        noted = contextlib.nullcontext() if dry_run else audited(context, chosen, "scores.synced")
        with noted:
            reports = syncs.sync(
                context, chosen, snapshot, progress, dry_run=dry_run, stop=stop.is_set
            )
    if as_json:
        print_json({"snapshot": snapshot.meta.snapshot, "connections": list(reports.values())})
    else:
        names = WOULD if dry_run else DONE
        rows = [(name, *(_told(report, key) for key in names)) for name, report in reports.items()]
        click.echo(table(rows, ("connection", *(name.replace("_", " ") for name in names))))
    failures = syncs.failed(reports)
    for sentence in failures:
        click.echo(f"rightsend: {sentence}", err=True)
    if stop.is_set() or (syncs.stopped(reports) and not failures):
        click.echo("rightsend: stopped before it was done; run it again to go on", err=True)
        return STOPPED
    return 1 if failures else 0


def _told(report: Mapping[str, Any], name: str) -> Any:
    """A cell of the table."""
    if name == "of a full write":
        share = report.get("share_of_full")
        return None if share is None else f"{share:.1%}"
    if name == "rate":
        used = report.get("rate_used")
        return None if used is None else f"{used:.0%}"
    if name == "minutes":
        return f"{report.get('sending_s', 0.0) / 60:.1f}"
    if name == "rejected":
        return sum(report.get("rejected", {}).values())
    return report.get(name)
