"""`rightsend score`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pyarrow.parquet as pq

from rightsend import publishing
from rightsend.auditing import audited
from rightsend.commands.options import installation, json_option, print_json, workspace_option
from rightsend.commands.output import target
from rightsend.context import Context
from rightsend.progress import Progress
from scoring import bulk, model_files, training
from scoring import history as histories
from scoring.bulk import Asked
from scoring.fitted import Fitted
from scoring.history import History
from scoring.segment_request import MAX_HORIZON_DAYS
from scoring.snapshot import Snapshot
from settings.workspace import WorkspaceSettings

ASKED_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.option(
    "--targets",
    type=ASKED_FILE,
    required=True,
    help="One target a line: item:ID, brand:NAME, category:NAME, or any (buys anything); or CSV or "
    "JSON with level and name.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Parquet file; appears when done."
)
@click.option(
    "--horizon-days",
    type=click.IntRange(1, MAX_HORIZON_DAYS),
    help="Purchase within (default: the model's). Another than the model's is learned first.",
)
@click.option("--snapshot", help="Score with this night's model (default: the newest).")
@installation
@workspace_option
@json_option
def score(
    context: Context,
    workspace: str | None,
    targets: Path,
    out: Path,
    horizon_days: int | None,
    snapshot: str | None,
    as_json: bool,
) -> None:
    """Write the probability of every known customer for every target: customer_id, target,
    probability.

    The probabilities are those of segments. Rows come customer by customer, targets in the order
    of the file, each once. A target that the catalogue does not have is refused, with its line.

    \b
    Example:
      echo "category:CHEESE" > targets.txt
      rightsend score --targets targets.txt --out cheese.parquet
    """
    chosen = context.workspace(workspace)
    rows = 0
    noted = audited(context, chosen, "scores.exported", kind="score")
    with noted, Progress(quiet=as_json) as progress, target(out) as file:
        opened = publishing.open_snapshot(context, chosen, snapshot)
        history, fitted = model_of(opened)
        asked = bulk.read_targets(targets, history)
        if horizon_days not in (None, fitted.horizon_days):
            fitted = _learned(history, fitted, asked, horizon_days, chosen, progress)
        with pq.ParquetWriter(file, bulk.PROBABILITIES) as writer:
            for table in bulk.probabilities(history, fitted, asked, progress):
                writer.write_table(table)
                rows += table.num_rows
    report = {
        "snapshot": opened.meta.snapshot,
        "as_of": opened.meta.cutoff.isoformat(),
        "horizon_days": fitted.horizon_days,
        "targets": len(asked),
        "rows": rows,
        "file": str(out),
    }
    tell(report, as_json)


def model_of(snapshot: Snapshot) -> tuple[History, Fitted]:
    """What the night knew and what it learned."""
    return (
        histories.load(snapshot.model / "history"),
        model_files.load(snapshot.model / "fitted"),
    )


def tell(report: dict[str, Any], as_json: bool) -> None:
    """What was written, for a person or a program."""
    if as_json:
        print_json(report)
    else:
        click.echo("\n".join(f"{key.replace('_', ' ')}: {value}" for key, value in report.items()))


def _learned(
    history: History,
    fitted: Fitted,
    asked: list[Asked],
    horizon_days: int | None,
    workspace: WorkspaceSettings,
    progress: Progress,
) -> Fitted:
    """The asked levels anew, for another horizon."""
    return training.fit(
        history,
        fitted.cutoff,
        horizon_days=horizon_days or fitted.horizon_days,
        levels=sorted({each.level for each in asked}),
        settings=workspace.models,
        progress=progress,
    )
