"""`rightsend decisions`: what content calls were answered."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from rightsend.commands.options import (
    Function,
    installation,
    json_option,
    print_json,
    table,
    within_reason,
    workspace_option,
)
from rightsend.commands.output import target
from rightsend.context import Context
from rightsend.errors import RightsendError
from scoring import columns as c
from scoring import decision_report as report
from scoring.decision_report import Which
from scoring.decisions import Decisions
from scoring.store.keys import customer_hash

CSV, PARQUET = ".csv", ".parquet"
_SHOWN = (
    c.DECIDED_AT, c.KIND, c.CAMPAIGN_ID, c.CHANNEL, c.ARM, c.SEND_REASON, c.REASON, c.ITEMS,
    c.DECISION_ID,
)  # fmt: skip
_FORMAT = click.DateTime(["%Y-%m-%d"])


def which_options(function: Function) -> Callable[..., Any]:
    """``--since``, ``--until``, ``--campaign``, ``--kind``."""
    for option in (
        click.option("--kind", help="Of this kind of content only, such as for-you."),
        click.option("--campaign", help="Of this campaign only."),
        click.option(
            "--until", type=_FORMAT, callback=within_reason, help="Up to this day, with it (UTC)."
        ),
        click.option(
            "--since", type=_FORMAT, callback=within_reason, help="From this day on (UTC)."
        ),
    ):
        function = option(function)
    return function


@click.group()
def decisions() -> None:
    """Look at the log of decisions: what content calls were answered (docs/decisions.md).

    \b
    Example:
      rightsend decisions count --by campaign_id
    """


@decisions.command()
@click.option(
    "--by",
    type=click.Choice(report.GROUPS),
    default=c.CAMPAIGN_ID,
    show_default=True,
    help="A row for each of these.",
)
@which_options
@installation
@workspace_option
@json_option
def count(context: Context, workspace: str | None, by: str, as_json: bool, **which: Any) -> None:
    """Count decisions, and how many of them were fallbacks, not to be sent or controls.

    A decision that a tool asked for several times is one decision of several answers. Below: how
    many answers came to the lake, are late and are lost.

    \b
    Example:
      rightsend decisions count --by kind --since 2026-03-01 --json
    """
    log = Decisions(context.workspace_dir(context.workspace(workspace)))
    found = report.counts(log, by, _which(**which))
    came = log.counts(time.time())
    if as_json:
        print_json({"by": by, "counts": found, "log": came._asdict()})
        return
    shares = [name for name in report.FIGURES if name.endswith("_share")]
    rows = [
        tuple(f"{value:.1%}" if name in shares else value for name, value in row.items())
        for row in found
    ]
    click.echo(table(rows, (by, *report.FIGURES)))
    click.echo(f"answers in the lake: {came.logged}, late: {came.late}, lost: {came.lost}")


@decisions.command("list")
@click.option("--customer", help="Of this customer only: an id, or kind:identifier.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Rows."
)
@which_options
@installation
@workspace_option
@json_option
def list_(
    context: Context,
    workspace: str | None,
    customer: str | None,
    limit: int,
    as_json: bool,
    **which: Any,
) -> None:
    """List the newest answers.

    \b
    Example:
      rightsend decisions list --customer 1042 --campaign spring
    """
    chosen = context.workspace(workspace)
    wanted = None
    if customer is not None:
        wanted = customer_hash(context.secret, chosen.workspace, customer).hex()
    log = Decisions(context.workspace_dir(chosen))
    found = report.newest(log, _which(**which, customer=wanted), limit)
    if as_json:
        print_json({"decisions": found})
        return
    rows = [tuple(_word(row[name]) for name in _SHOWN) for row in found]
    click.echo(table(rows, _SHOWN))


@decisions.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="File that ends with .parquet or .csv (lists as JSON).",
)
@click.option("--once", is_flag=True, help="Of each decision the first answer alone.")
@which_options
@installation
@workspace_option
def export(context: Context, workspace: str | None, output: Path, once: bool, **which: Any) -> None:
    """Write decisions as Parquet or CSV, oldest first.

    \b
    Example:
      rightsend decisions export --once --campaign spring --output spring.parquet
    """
    log = Decisions(context.workspace_dir(context.workspace(workspace)))
    with _writing(output, report.SHOWN) as write:
        for rows in report.batches(log, _which(**which), once=once):
            write(rows)


@decisions.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="File that ends with .parquet or .csv. It names people: keep it as you keep the lake.",
)
@installation
@workspace_option
def customers(context: Context, workspace: str | None, output: Path) -> None:
    """Write whom the log means: customer (as in the log), identifier_kind, identifier, customer_id.

    With it decisions and purchases can be joined.

    \b
    Example:
      rightsend decisions customers --output who.parquet
    """
    chosen = context.workspace(workspace)
    rows = report.customers(context.workspace_dir(chosen), chosen.workspace, context.secret)
    with _writing(output, report.CUSTOMERS) as write:
        write(rows)


def _which(since: datetime | None, until: datetime | None, **wanted: str | None) -> Which:
    return Which(
        since=since and since.date(),
        until=until and until.date() + timedelta(days=1),
        **wanted,
    )


@contextlib.contextmanager
def _writing(output: Path, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    """Writes tables of ``schema`` to the file, by the end of its name."""
    if output.suffix not in (CSV, PARQUET):
        raise RightsendError(f"{output}: expected a name that ends with {PARQUET} or {CSV}")
    with target(output) as file:
        if output.suffix == PARQUET:
            with pq.ParquetWriter(file, schema, compression="zstd") as writer:
                yield writer.write_table
            return
        flat = _flat(schema.empty_table())
        with pyarrow.csv.CSVWriter(file, flat.schema) as writer:
            yield lambda rows: writer.write_table(_flat(rows))


def _flat(rows: pa.Table) -> pa.Table:
    """With lists as JSON."""
    for at, column in enumerate(rows.schema):
        if pa.types.is_list(column.type):
            texts = [json.dumps(each, ensure_ascii=False) for each in rows[column.name].to_pylist()]
            rows = rows.set_column(at, column.name, pa.array(texts, pa.string()))
    return rows


def _word(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return " ".join(value) if isinstance(value, list) else value
