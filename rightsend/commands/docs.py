"""`rightsend docs`: the pages of the manual that are made from the program itself."""

from __future__ import annotations

from pathlib import Path

import click

from rightsend import manual


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("docs"),
    show_default=True,
    help="Where the pages are written.",
)
def docs(folder: Path) -> None:
    """Write docs/configuration.md and docs/commands.md anew.

    \b
    Example:
      rightsend docs --folder docs
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in manual.pages().items():
        (folder / name).write_text(text, encoding="utf-8")
        click.echo(folder / name)
