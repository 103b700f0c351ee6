"""`rightsend export`."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import click
import pyarrow.csv

from rightsend import publishing
from rightsend.auditing import audited
from rightsend.commands.options import installation, workspace_option
from rightsend.commands.output import target
from rightsend.context import Context
from scoring import columns as c
from scoring.snapshot import Snapshot
from scoring.snapshot_export import EXPORTS, export_csv

CUSTOMERS = "customers"


@click.command()
@click.option(
    "--kind",
    type=click.Choice([CUSTOMERS, *EXPORTS]),
    default="items",
    show_default=True,
    help="One row a customer, or one a customer and item, brand or category.",
)
@click.option("--snapshot", help="Which night (default: the newest).")
@click.option("--output", type=click.Path(path_type=Path), help="File (default: stdout).")
@installation
@workspace_option
def export(
    context: Context,
    workspace: str | None,
    kind: str,
    snapshot: str | None,
    output: Path | None,
) -> None:
    """Write a snapshot's scores as CSV: customer_id, rank, item_id, probability.

    The same snapshot gives the same bytes.

    \b
    Example:
      rightsend export --kind categories --output categories.csv
    """
    chosen = context.workspace(workspace)
    opened = publishing.open_snapshot(context, chosen, snapshot)
    about = {"snapshot": opened.meta.snapshot, "kind": kind}
    with audited(context, chosen, "scores.exported", **about), target(output) as out:
        if kind == CUSTOMERS:
            _customers(opened, out)
        else:
            export_csv(opened, out, kind=kind)


def _customers(snapshot: Snapshot, out: IO[bytes]) -> None:
    columns = [c.CUSTOMER_ID, c.PURCHASE_PROBABILITY, c.EXPECTED_PURCHASES]
    for number, rows in enumerate(snapshot.batches(columns=columns)):
        options = pyarrow.csv.WriteOptions(include_header=number == 0, quoting_style="needed")
        pyarrow.csv.write_csv(rows.select(columns), out, options)
