"""`rightsend check`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from rightsend.checking import problems_of, warnings_of
from rightsend.commands.options import config_option, json_option, print_json, state_option
from rightsend.context import Context
from settings.problems import Problem, SettingsError


@click.command()
@config_option
@state_option
@json_option
def check(config: Path | None, state: Path | None, as_json: bool) -> int:
    """Validate the configuration; open every source and connection.

    Each problem is one line: file, line, key, what was found and what is expected. Keys that end
    within two weeks are warned of; that leaves the exit status as it is.

    \b
    Example:
      rightsend check --config shop.yaml
    """
    problems, warnings, workspaces = _look(config, state)
    if as_json:
        found = [asdict(problem) for problem in problems]
        print_json({"ok": not problems, "problems": found, "warnings": warnings})
    else:
        for line in (*map(str, problems), *(f"warning: {warning}" for warning in warnings)):
            click.echo(line, err=True)
        if not problems:
            click.echo(f"all good: {', '.join(workspaces)}")
    return 1 if problems else 0


def _look(config: Path | None, state: Path | None) -> tuple[list[Problem], list[str], list[str]]:
    """Problems, warnings, workspaces."""
    try:
        context = Context.load(config, state)
    except SettingsError as error:
        return list(error.problems), [], []
    return problems_of(context), list(warnings_of(context)), list(context.settings.workspaces)
