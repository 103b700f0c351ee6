"""`rightsend audit`."""

from __future__ import annotations

import json

import click

from plugin.trail import Trail
from rightsend.auditing import trail_of
from rightsend.commands.options import (
    installation,
    json_option,
    print_json,
    table,
    workspace_option,
)
from rightsend.context import Context
from rightsend.errors import RightsendError


@click.command()
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@click.option("--verify", is_flag=True, help="Check the chain of hashes instead.")
@click.option("--expect", metavar="HASH", help="With --verify: this record must be there.")
@installation
@workspace_option
@json_option
def audit(
    context: Context,
    workspace: str | None,
    limit: int,
    verify: bool,
    expect: str | None,
    as_json: bool,
) -> None:
    """Show who did which administrative act, newest first.

    --verify reads the whole trail: a record that was changed, removed or put in breaks the chain.
    Keep the hash that it prints elsewhere; given back by --expect, it also tells whether records
    were cut off the end.

    \b
    Example:
      rightsend audit --limit 20
      rightsend audit --verify
    """
    trail = trail_of(context, context.workspace(workspace))
    if expect and not verify:
        raise click.UsageError("--expect goes with --verify")
    if verify:
        _verify(trail, expect, as_json)
        return
    records = trail.newest(limit)
    if as_json:
        print_json({"records": records})
        return
    rows = [
        (r["seq"], r["at"], r["who"], r["act"], r["outcome"], json.dumps(r["about"]))
        for r in records
    ]
    click.echo(table(rows, ("record", "at", "who", "act", "outcome", "about")))


def _verify(trail: Trail, expect: str | None, as_json: bool) -> None:
    found = trail.verify(expect)
    if found.broken:
        raise RightsendError(
            f"the audit trail is whole up to record {found.records}, then it is not: {found.broken}"
        )
    if as_json:
        print_json({"records": found.records, "newest": found.newest})
    else:
        click.echo(f"{found.records} records, all as they were written; newest {found.newest}")
