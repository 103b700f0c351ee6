"""`rightsend snippet`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from connectors.registry import SNIPPETS
from connectors.snippets import KINDS, LOCALES, TOP_ITEMS, Request
from rightsend.commands.options import installation, json_option, workspace_option
from rightsend.commands.output import target
from rightsend.context import Context
from rightsend.errors import RightsendError
from settings.workspace import WorkspaceSettings


@click.command()
@click.argument("tool")
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--campaign", default="", help="Id that comes back in the landing link, or a tag.")
@click.option("--item", default="", help="What related and bought-together are about: id or tag.")
@click.option("--items", default="", help="What rank puts in order: ids with commas, or a tag.")
@click.option("--channel", default="", help="push, sms, …; decides whether it may come at night.")
@click.option(
    "--with",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="One more parameter of the call, such as brand=National; may be repeated.",
)
@click.option("--limit", default=3, show_default=True, help="How many items at most.")
@click.option(
    "--otherwise",
    default="",
    help="Shown where no answer came, or none that is personal; never where it says not to send.",
)
@click.option("--text", is_flag=True, help="Plain text, for push and SMS, in place of HTML.")
@click.option("--retry", is_flag=True, help="Ask again when the answer is lost (Braze).")
@click.option("--address", help="Where the tool reaches Rightsend (default: web.public_url).")
@click.option("--locale", type=click.Choice(LOCALES), help="Default: the workspace's.")
@click.option("--output", type=click.Path(path_type=Path), help="File (default: stdout).")
@installation
@workspace_option
@json_option
def snippet(
    context: Context,
    workspace: str | None,
    tool: str,
    text: bool,
    address: str | None,
    locale: str | None,
    output: Path | None,
    as_json: bool,
    parameters: tuple[str, ...],
    **wanted: Any,
) -> None:
    """Print a template to paste into the messaging tool; it asks for content at send time.

    TOOL is a connection of the workspace, or a kind of tool. The template's first comment says what
    to set up. Whom the answer says not to send to gets no message; without --otherwise neither does
    whom there is nothing personal to say to, where the tool can leave somebody out.

    \b
    Example:
      rightsend snippet braze for-you --limit 4
      rightsend snippet braze cart --text --channel push --with low_stock=3
      rightsend snippet iterable related --item '{{lastViewedId}}' --otherwise 'See what is new.'
    """
    chosen = context.workspace(workspace)
    kind_of_tool, top_items = _tool(chosen, tool)
    made = SNIPPETS[kind_of_tool](
        Request(
            base_url=address or context.settings.public_url,
            locale=locale or chosen.locale,
            html=not text,
            top_items=top_items,
            parameters=tuple(map(_parameter, parameters)),
            **wanted,
        )
    )
    document = json.dumps(asdict(made), ensure_ascii=False) + "\n"
    with target(output) as out:
        out.write((document if as_json else made.template).encode())


def _parameter(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found:
        raise RightsendError(f"--with {text}: expected NAME=VALUE, such as brand=National")
    return name, value


def _tool(workspace: WorkspaceSettings, name: str) -> tuple[str, str]:
    """(kind of tool, user attribute with a customer's item ids) of a connection or of a kind."""
    for connection in workspace.connections:
        if connection.name == name and connection.type in SNIPPETS:
            lists = [each.name for each in connection.attributes if each.score == "top_items"]
            return connection.type, lists[0] if lists else TOP_ITEMS
    if name in SNIPPETS:
        return name, TOP_ITEMS
    known = ", ".join(SNIPPETS)
    raise RightsendError(
        f"{name} is neither a connection of workspace {workspace.workspace} nor a tool that asks "
        f"for content at send time; such are {known}"
    )
