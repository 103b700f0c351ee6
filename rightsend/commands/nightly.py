"""`rightsend nightly`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from rightsend import nights
from rightsend import sync as syncs
from rightsend.auditing import audited
from rightsend.commands.options import (
    installation,
    json_option,
    print_json,
    table,
    within_reason,
    workspace_option,
)
from rightsend.context import Context
from rightsend.progress import Progress


@click.command()
@click.option("--run", "run_id", help="Continue or name this run (default: made from the moment).")
@click.option("--no-sync", is_flag=True, help="Publish, but write nothing to host tools.")
@click.option(
    "--now",
    type=click.DateTime(),
    callback=within_reason,
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
    published; then the exit status is 1 and the report says why. It is 1, too, when a source could
    not be read to its end or a host tool could not be reached.

    \b
    Example:
      rightsend nightly --config shop.yaml
    """
    chosen = context.workspace(workspace)
    with (
        context.store(),
        Progress(quiet=as_json) as progress,
        audited(context, chosen, "night.run") as about,
    ):
        report = nights.run(
            context,
            chosen,
            progress,
            run_id=run_id,
            with_sync=not no_sync,
            now=now,
        ).to_json()
        about.update(run=report["run"], outcome=report["state"])
    if as_json:
        print_json(report)
    else:
        steps = [
            (s["name"], s["state"], s.get("seconds"), s.get("peak_mb")) for s in report["steps"]
        ]
        click.echo(table(steps, ("step", "state", "seconds", "peak MB")))
        for line in _results(context.workspace_dir(chosen), report):
            click.echo(line)
    if report["state"] != "done":
        reason = (report.get("report") or {}).get("reason") or "see the report"
        click.echo(f"rightsend: run {report['run']} ended as {report['state']}: {reason}", err=True)
        return 1
    failures = [
        *(f"not all was read: {sentence}" for sentence in _unread(report)),
        *(f"not synced: {each}" for each in syncs.failed(report["report"].get("sync") or {})),
    ]
    for failure in failures:
        click.echo(f"rightsend: published, but {failure}", err=True)
    return 1 if failures else 0


def _unread(report: dict[str, Any]) -> Iterator[str]:
    """One sentence for each source that could not be read, or not to its end."""
    for source in (report["report"].get("import") or {}).get("sources") or []:
        if source.get("error"):
            yield f"source {source['source']}: {source['error']}"


def _results(folder: Path, report: dict[str, Any]) -> Iterator[str]:
    """What the night brought, and where to look at what did not fit."""
    results = report["report"]
    if "snapshot" in results:
        yield (
            f"snapshot {results['snapshot']}: {results['customers']:,} customers, "
            f"{results['items']:,} items, {results['categories']:,} categories"
        )
    sources = (results.get("import") or {}).get("sources") or []
    bad = sum(sum(source["rows_quarantined"].values()) for source in sources)
    if bad:
        yield f"{bad:,} rows did not fit: see {folder / 'quarantine'}"
