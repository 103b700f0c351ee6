"""`rightsend recommend`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click
import pyarrow.parquet as pq

from rightsend import publishing
from rightsend.auditing import audited
from rightsend.commands.options import installation, json_option, workspace_option
from rightsend.commands.output import target
from rightsend.commands.score import ASKED_FILE, model_of, tell
from rightsend.context import Context
from rightsend.progress import Progress
from scoring import bulk
from scoring.bulk import AskedCustomers, Wish
from scoring.diversity import Variety


@click.command()
@click.option(
    "--customers",
    type=ASKED_FILE,
    help="One customer id a line, CSV with customer_id, or a JSON list (default: everyone known).",
)
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="Items each."
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Parquet file; appears when done."
)
@click.option("--new-only", is_flag=True, help="Only items that the customer never bought.")
@click.option("--snapshot", help="Score with this night's model (default: the newest).")
@installation
@workspace_option
@json_option
def recommend(
    context: Context,
    workspace: str | None,
    customers: Path | None,
    limit: int,
    out: Path,
    new_only: bool,
    snapshot: str | None,
    as_json: bool,
) -> None:
    """Write the best items of each customer: customer_id, rank, item_id, score.

    Only items that can be bought and that the customer did not just buy, in the variety of
    messages (content.diversity, content.exclude_bought_days or until the item is due again); the
    score is the probability of a purchase. Customers whom the model does not know are listed in
    OUT.unknown.ndjson.

    \b
    Example:
      rightsend recommend --customers vip.txt --limit 5 --out vip.parquet
    """
    chosen = context.workspace(workspace)
    rows = 0
    noted = audited(context, chosen, "scores.exported", kind="recommend")
    with noted, Progress(quiet=as_json) as progress, target(out) as file:
        opened = publishing.open_snapshot(context, chosen, snapshot)
        history, fitted = model_of(opened)
        if customers is None:
            asked = AskedCustomers(bulk.known_customers(history, fitted), ())
        else:
            asked = bulk.read_customers(customers, history, fitted)
        content = chosen.content
        wish = Wish(limit, new_only, content.exclude_bought_days, until_due=True)
        variety = Variety.of(opened.items(), history.catalogue, content.diversity)
        with pq.ParquetWriter(file, bulk.RECOMMENDATIONS) as writer:
            for table in bulk.recommendations(history, fitted, asked.row, wish, variety, progress):
                writer.write_table(table)
                rows += table.num_rows
    report = {
        "snapshot": opened.meta.snapshot,
        "as_of": opened.meta.cutoff.isoformat(),
        "customers": len(asked.row),
        "unknown_customers": len(asked.unknown),
        "rows": rows,
        "file": str(out),
    }
    beside = _note_unknown(out, customers, asked.unknown)
    if beside is not None:
        report["unknown_in"] = str(beside)
    tell(report, as_json)


def _note_unknown(
    out: Path, customers: Path | None, unknown: Sequence[tuple[int, str]]
) -> Path | None:
    """Writes who was asked for and is not known beside ``out``; what an earlier run left goes.

    Nothing lies beside a device or a pipe.
    """
    if not out.is_file():
        return None
    beside = out.with_name(f"{out.name}.unknown.ndjson")
    if not unknown:
        beside.unlink(missing_ok=True)
        return None
    with target(beside) as file:
        for line, name in unknown:
            entry = {
                "file": str(customers),
                "line": line,
                "reason": "no customer that the model knows",
                "row": name,
            }
            text = json.dumps(entry, ensure_ascii=False)
            file.write(text.encode("utf-8", "backslashreplace") + b"\n")  # half a character is one
    return beside
