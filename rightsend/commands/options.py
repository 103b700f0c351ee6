"""Options that commands share, and how they print."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from rightsend.context import Context
from settings.fields import LAST_YEAR

Function = TypeVar("Function", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

config_option = click.option(
    "--config",
    type=_FILE,
    help="Service or workspace file (default: RIGHTSEND_CONFIG, else the built-in demo).",
)
state_option = click.option(
    "--state",
    type=_FILE,
    help="State folder (default: RIGHTSEND_STATE, else as configured: state/ beside the file; the "
    "demo's is ./state).",
)


def installation(function: Function) -> Callable[..., Any]:
    """``--config`` and ``--state``; the command gets ``context``."""

    @config_option
    @state_option
    @functools.wraps(function)
    def wrapped(config: Path | None, state: Path | None, **options: Any) -> Any:
        return function(context=Context.load(config, state), **options)

    return wrapped


def workspace_option(function: Function) -> Function:
    """``--workspace NAME``, needed when there are several."""
    return click.option("--workspace", help="Workspace (default: the only one).")(function)


def within_reason(
    _context: click.Context, _parameter: click.Parameter, moment: datetime | None
) -> datetime | None:
    """Callback of an option that takes a time: one with which days can be counted, in UTC."""
    if moment is not None and not 1970 <= moment.year <= LAST_YEAR:
        raise click.BadParameter(
            f"found {moment.year:04}, expected a year from 1970 to {LAST_YEAR}"
        )
    return moment and moment.replace(tzinfo=UTC)


def json_option(function: Function) -> Function:
    """``--json``: one JSON document on stdout instead of words."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for a program.")(
        function
    )


def print_json(document: Any) -> None:
    """One line of JSON on stdout."""
    click.echo(json.dumps(document, ensure_ascii=False, default=str))


def words(value: Any) -> str:
    """A value behind its name: what is nested as JSON."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def table(rows: list[tuple[Any, ...]], header: tuple[str, ...]) -> str:
    """Columns aligned with two spaces between; numbers to the right.

    Names come from the data: line feeds and commands to the terminal in them become spaces.
    """
    cells = [
        header,
        *[tuple("" if c is None else _CONTROL.sub(" ", str(c)) for c in row) for row in rows],
    ]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    right = [
        bool(rows) and all(isinstance(row[i], int | float) for row in rows)
        for i in range(len(header))
    ]
    lines = [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in cells
    ]
    return "\n".join(lines)
