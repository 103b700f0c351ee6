"""`rightsend import`."""

from __future__ import annotations

import click

from rightsend.auditing import audited
from rightsend.commands.options import (
    installation,
    json_option,
    print_json,
    table,
    workspace_option,
)
from rightsend.context import Context
from rightsend.event_files import source_types
from rightsend.progress import Progress
from scoring.importing import import_sources


@click.command("import")
@click.option("--source", "sources", multiple=True, help="Only this source (repeatable).")
@installation
@workspace_option
@json_option
def import_(
    context: Context, workspace: str | None, sources: tuple[str, ...], as_json: bool
) -> int:
    """Read the sources into the lake.

    Can be run any number of times and stopped anywhere: no row is lost or counted twice. Rows that
    do not fit are in STATE/workspaces/NAME/quarantine, with source, line and reason; "unknown" are
    events of a host tool that no event type stands for (--json: by its word).

    \b
    Example:
      rightsend import --config shop.yaml --source orders
    """
    chosen = context.workspace(workspace)
    with Progress(quiet=as_json) as progress, audited(context, chosen, "sources.imported"):
        report = import_sources(
            chosen,
            context.workspace_dir(chosen),
            now=context.now(chosen),
            secret=context.secret,
            progress=progress,
            only=sources or None,
            types=source_types(),
        ).to_json()
    failed = [s for s in report["sources"] if s.get("error")]
    if as_json:
        print_json(report)
    else:
        rows = [
            (
                s["source"],
                s["rows_read"],
                s["rows_added"],
                s["rows_known"],
                s["rows_after_now"],
                sum(s["rows_quarantined"].values()),
                sum(s["rows_unknown"].values()),
            )
            for s in report["sources"]
        ]
        headings = ("source", "read", "added", "known", "later than now", "bad", "unknown")
        click.echo(table(rows, headings))
    for source in failed:
        click.echo(f"rightsend: source {source['source']}: {source['error']}", err=True)
    return 1 if failed else 0
