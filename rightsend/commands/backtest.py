"""`rightsend backtest`."""

from __future__ import annotations

import click

from rightsend.commands.options import (
    installation,
    json_option,
    print_json,
    workspace_option,
)
from rightsend.context import Context
from rightsend.progress import Progress
from scoring import backtest as evaluation


@click.command()
@installation
@workspace_option
@json_option
def backtest(context: Context, workspace: str | None, as_json: bool) -> None:
    """Show how well customers are found for each target, beside the rules that shops use.

    In a workspace with as_of, by what really happened afterwards, which the system never saw; else
    by the last window, which the model was kept from seeing.

    \b
    Example:
      rightsend backtest
    """
    chosen = context.workspace(workspace)
    with Progress(quiet=as_json) as progress:
        report = evaluation.run(
            chosen, context.workspace_dir(chosen), now=context.now(chosen), progress=progress
        )
    if as_json:
        print_json(report.to_json())
    else:
        click.echo(report.table())
