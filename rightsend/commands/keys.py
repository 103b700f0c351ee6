"""`rightsend keys`: who may call the plugin, and for what."""

from __future__ import annotations

import click

from plugin.auth import SCOPES, Keys
from rightsend.commands.options import (
    installation,
    json_option,
    print_json,
    table,
    workspace_option,
)
from rightsend.context import Context
from rightsend.errors import RightsendError


@click.group()
def keys() -> None:
    """Create, list and revoke API keys.

    \b
    Example:
      rightsend keys create --scope content
    """


@keys.command()
@click.option(
    "--scope", "scopes", multiple=True, required=True, type=click.Choice(SCOPES), help="Repeatable."
)
@click.option("--label", default="", help="What the key is for.")
@installation
@workspace_option
@json_option
def create(
    context: Context, workspace: str | None, scopes: tuple[str, ...], label: str, as_json: bool
) -> None:
    """Create a key; its text is shown this once.

    \b
    Example:
      rightsend keys create --scope content --scope events --label "Braze, production"
    """
    chosen = context.workspace(workspace)
    key_id, key = Keys(context.workspace_dir(chosen)).create(scopes, label=label)
    if as_json:
        print_json(
            {"id": key_id, "key": key, "scopes": list(scopes), "workspace": chosen.workspace}
        )
    else:
        click.echo(key)
        click.echo("Keep it now: it is stored as a hash and cannot be shown again.", err=True)


@keys.command("list")
@installation
@workspace_option
@json_option
def list_(context: Context, workspace: str | None, as_json: bool) -> None:
    """List the keys of a workspace, without their secrets.

    \b
    Example:
      rightsend keys list --json
    """
    found = [
        key.to_json() for key in Keys(context.workspace_dir(context.workspace(workspace))).list()
    ]
    if as_json:
        print_json({"keys": found})
        return
    rows = [(k["id"], ", ".join(k["scopes"]), k["created_at"], k["label"]) for k in found]
    click.echo(table(rows, ("id", "scopes", "created", "label")))


@keys.command()
@click.argument("key_id")
@installation
@workspace_option
def revoke(context: Context, workspace: str | None, key_id: str) -> None:
    """Revoke a key; web workers refuse it from the next request on.

    \b
    Example:
      rightsend keys revoke 3f9a1c07
    """
    chosen = context.workspace(workspace)
    if not Keys(context.workspace_dir(chosen)).revoke(key_id):
        raise RightsendError(
            f"workspace {chosen.workspace} has no key {key_id}; `rightsend keys list` shows them"
        )
    click.echo(f"revoked {key_id}")
