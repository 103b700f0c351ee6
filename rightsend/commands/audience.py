"""`rightsend audience`."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable
from pathlib import Path

import click

from connectors.registry import open_tool
from rightsend import segments
from rightsend.auditing import audited
from rightsend.commands.options import installation, workspace_option
from rightsend.commands.output import target
from rightsend.context import Context
from scoring import columns as c


@click.command()
@click.argument("connection")
@click.argument("segment_id", metavar="SEGMENT")
@click.option("--output", type=click.Path(path_type=Path), help="File (default: stdout).")
@installation
@workspace_option
def audience(
    context: Context,
    workspace: str | None,
    connection: str,
    segment_id: str,
    output: Path | None,
) -> None:
    """Write who is in a segment of the host tool: a CSV file with customer_id.

    The file can be a source of table customers. An export may take the tool some minutes.

    \b
    Example:
      rightsend audience braze 8a3f-lapsed --output lapsed.csv
    """
    here = context.workspace(workspace)
    chosen = segments.connection_of(here, connection)
    noted = audited(context, here, "members.downloaded", connection=connection)
    with noted, open_tool(chosen) as tool:
        members = tool.audience(segment_id)
        first = list(itertools.islice(members, 1))  # what cannot be had prints no half table
        _write(itertools.chain(first, members), output)


def _write(members: Iterable[str], output: Path | None) -> None:
    with target(output) as out:
        text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([c.CUSTOMER_ID])
        writer.writerows([customer_id] for customer_id in members)
        text.detach()
