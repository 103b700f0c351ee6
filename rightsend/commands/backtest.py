"""`rightsend backtest`."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from rightsend import publishing
from rightsend.commands import output
from rightsend.commands.options import (
    installation,
    json_option,
    print_json,
    within_reason,
    workspace_option,
)
from rightsend.context import Context
from rightsend.errors import RightsendError
from rightsend.event_files import source_types
from rightsend.progress import Progress
from scoring.backtest.page import LANGUAGES, render
from scoring.backtest.report import TARGETS, Choice
from scoring.backtest.run import (
    ABLATIONS,
    BacktestReport,
    CutoffReport,
    Plan,
    check_past,
    check_window,
    earlier,
    of_lake,
    of_snapshot,
)
from scoring.snapshot import Snapshot
from settings.workspace import WorkspaceSettings

LEVELS = ("category", "brand", "item", "any")


def all_within_reason(
    context: click.Context, parameter: click.Parameter, moments: tuple[datetime, ...]
) -> tuple[datetime, ...]:
    """Callback: times with which days can be counted, in UTC; the newest first, each once."""
    checked = [within_reason(context, parameter, moment) for moment in moments]
    return tuple(sorted({moment for moment in checked if moment}, reverse=True))


@dataclass(frozen=True)
class When:
    """Which cut-offs: a night's snapshot, ``cutoffs``, and ``windows`` before the oldest."""

    snapshot: Snapshot | None
    cutoffs: tuple[datetime, ...]
    windows: int


@click.command()
@click.option("--snapshot", help="Judge this night's model (as_of; default: the newest).")
@click.option(
    "--cutoff",
    "cutoffs",
    multiple=True,
    type=click.DateTime(),
    callback=all_within_reason,
    help="Train on what was known then (UTC), judge by what the lake holds since. Repeatable.",
)
@click.option(
    "--windows",
    type=click.IntRange(0, 52),
    default=0,
    metavar="N",
    help="Also judge N earlier cut-offs, one horizon apart.",
)
@click.option(
    "--level",
    "levels",
    multiple=True,
    type=click.Choice(LEVELS),
    help="What is judged. Repeatable (default: all four; items alone are ranked, too).",
)
@click.option(
    "--targets",
    type=click.IntRange(1, 100_000),
    default=TARGETS,
    show_default=True,
    metavar="N",
    help="The best-selling N of each level.",
)
@click.option(
    "--min-buyers",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    help="Instead all targets that N known customers bought in the window.",
)
@click.option(
    "--ablate",
    "ablations",
    multiple=True,
    type=click.Choice(ABLATIONS),
    help="Also train and judge a model without this scorer. Repeatable.",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a page for marketers and engineers, with the same as JSON beside it.",
)
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    help="Of the page (default: the workspace's locale).",
)
@installation
@workspace_option
@json_option
def backtest(
    context: Context,
    workspace: str | None,
    snapshot: str | None,
    cutoffs: tuple[datetime, ...],
    windows: int,
    levels: tuple[str, ...],
    targets: int,
    min_buyers: int | None,
    ablations: tuple[str, ...],
    html: Path | None,
    language: str | None,
    as_json: bool,
) -> None:
    """Show how well buyers are found for each target, beside the rules that shops use.

    In a workspace with as_of the newest snapshot is judged by what the sources hold after it,
    which it never saw. Otherwise, and at every --cutoff, a model is trained on what was known then
    and judged by what came since.

    \b
    Example:
      rightsend backtest --windows 3 --html backtest.html
    """
    if snapshot and cutoffs:
        raise click.UsageError(
            "--snapshot judges that night's model at its own cut-off: leave out --cutoff, or use "
            "--windows for earlier ones"
        )
    chosen = context.workspace(workspace)
    choice = Choice(tuple(dict.fromkeys(levels)) or LEVELS, targets, min_buyers)
    plan = Plan(choice, tuple(dict.fromkeys(ablations)))
    if html is not None:
        _check_writable(html)
    opened = None
    if snapshot or (chosen.as_of and not cutoffs):
        opened = publishing.open_snapshot(context, chosen, snapshot)
        # the window is the one that the night learned, whatever the configuration says by now
        models = replace(chosen.models, horizon_days=opened.meta.horizon_days)
        chosen = replace(chosen, models=models)
    when = When(opened, cutoffs, windows)
    with Progress(quiet=as_json) as progress:
        reports = _reports(context, chosen, when, plan, progress)
    plan = replace(plan, command=_command(when, reports, plan))
    report = BacktestReport(chosen, plan, reports)
    document = report.to_json()
    if html is not None:
        _write(html, document, language or chosen.locale)
    if as_json:
        print_json(document)
    else:
        click.echo(report.table())


def _reports(
    context: Context,
    workspace: WorkspaceSettings,
    when: When,
    plan: Plan,
    progress: Progress,
) -> list[CutoffReport]:
    """Newest first."""
    now, days = context.now(workspace), workspace.models.horizon_days
    folder = context.workspace_dir(workspace)
    reports, cutoffs = [], list(when.cutoffs)
    if when.snapshot is not None:
        first = when.snapshot.meta.cutoff
        if workspace.as_of is None:  # else the sources know the days after as_of already
            check_window(workspace, first, now)
    else:
        cutoffs = cutoffs or [now - timedelta(days=days)]
        first = cutoffs[-1]
    cutoffs += earlier(first, when.windows, days)
    for cutoff in cutoffs:
        check_window(workspace, cutoff, now)
    check_past(folder, cutoffs)
    if when.snapshot is not None:
        reports.append(of_snapshot(workspace, when.snapshot, progress, plan, source_types()))
    secret = context.secret
    return reports + [
        of_lake(workspace, folder, each, progress, plan, secret=secret) for each in cutoffs
    ]


def _command(when: When, reports: Sequence[CutoffReport], plan: Plan) -> str:
    """What judges the same again, whatever time it is then."""
    words, choice = ["rightsend", "backtest"], plan.choice
    if reports[0].snapshot:
        words += ["--snapshot", reports[0].snapshot]
    explicit = [each.cutoff for each in reports if each.snapshot is None]
    for cutoff in explicit[: len(explicit) - when.windows]:
        words += ["--cutoff", f"{cutoff:%Y-%m-%dT%H:%M:%S}"]
    if when.windows:
        words += ["--windows", str(when.windows)]
    for level in choice.levels if choice.levels != LEVELS else ():
        words += ["--level", level]
    if choice.min_buyers is not None:
        words += ["--min-buyers", str(choice.min_buyers)]
    elif choice.targets != TARGETS:
        words += ["--targets", str(choice.targets)]
    for name in plan.ablations:
        words += ["--ablate", name]
    return shlex.join(words)


def _check_writable(html: Path) -> None:
    """Before hours of work, not after. Raises RightsendError."""
    if html.suffix == ".json":
        raise RightsendError(f"{html}: the JSON is written there; name the page otherwise")
    if (beside := html.with_suffix(".json")).is_dir():
        raise RightsendError(f"{html}: its JSON cannot be written: {beside} is a directory")
    if not os.access(html.resolve().parent, os.W_OK):
        raise RightsendError(
            f"{html}: cannot be written: the folder is not there or may not be written to"
        )


def _write(html: Path, document: dict[str, Any], language: str) -> None:
    """The page, and its JSON beside it; nothing lies beside a device or a pipe."""
    alone = html.exists() and not html.is_file()
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    pages = {html: render(document, language), html.with_suffix(".json"): text}
    for path, content in list(pages.items())[: 1 if alone else 2]:
        with output.target(path) as file:
            file.write(content.encode("utf-8", "replace"))
