"""The generated pages of the manual: configuration from its schema, commands from click,
connectors from the registry."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from connectors import document as connectors
from connectors.registry import SCHEMAS, SOURCE_SCHEMAS
from rightsend.cli import cli
from settings import document


def pages() -> dict[str, str]:
    """File name → Markdown."""
    return {
        "configuration.md": document.render(SCHEMAS, SOURCE_SCHEMAS),
        "commands.md": commands(),
        "connectors.md": connectors.render(),
    }


def commands() -> str:
    """Every command with its options and its example."""
    parts = [
        "# Commands",
        "Made from the program by `rightsend docs`. Exit status 0, or non-zero with one sentence "
        "on stderr; `RIGHTSEND_DEBUG=1` shows where an unexpected failure happened.",
    ]
    for words, command in walk(cli, "rightsend"):
        if isinstance(command, click.Group) and words == "rightsend":
            continue
        parts += [f"## {words}", _help(command), *_parameters(command)]
    return "\n\n".join(parts) + "\n"


def walk(command: click.Command, words: str) -> Iterator[tuple[str, click.Command]]:
    """The command and, for a group, all commands below it, with the words that call them."""
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from walk(below, f"{words} {name}")


def _help(command: click.Command) -> str:
    """The docstring as Markdown: what click leaves alone (``\\b``) is an example in a block."""
    text = inspect.cleandoc(command.help or "")
    prose, _, example = text.partition("\b")
    lines = [line for line in inspect.cleandoc(example).splitlines() if line != "Example:"]
    block = inspect.cleandoc("\n".join(lines))
    return prose.strip() + (f"\n\n```\n{block}\n```" if block else "")


def _parameters(command: click.Command) -> list[str]:
    rows = [
        f"| {_name(parameter)} | {getattr(parameter, 'help', None) or ''} |"
        for parameter in command.params
        if not getattr(parameter, "hidden", False)
    ]
    return ["\n".join(["| option | meaning |", "|---|---|", *rows])] if rows else []


def _name(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Argument):
        metavar = parameter.make_metavar(click.Context(click.Command("x")))
        return f"`{metavar}`".replace("|", "\\|")
    flag = isinstance(parameter, click.Option) and parameter.is_flag
    value = "" if flag else f" {parameter.make_metavar(click.Context(click.Command('x')))}"
    names = ", ".join(parameter.opts)
    return f"`{names}{value}`".replace("|", "\\|")
