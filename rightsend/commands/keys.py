"""`rightsend keys`: who may call the plugin, and for what."""

from __future__ import annotations

from datetime import timedelta

import click

from plugin.auth import SCOPES, Keys
from rightsend.auditing import audited
from rightsend.commands.options import (
    installation,
    json_option,
    print_json,
    table,
    workspace_option,
)
from rightsend.commands.spans import Span
from rightsend.context import Context
from rightsend.errors import RightsendError


@click.group()
def keys() -> None:
    """Create, list, rotate and revoke API keys.

    \b
    Example:
      rightsend keys create --scope content
    """


@keys.command()
@click.option(
    "--scope", "scopes", multiple=True, required=True, type=click.Choice(SCOPES), help="Repeatable."
)
@click.option("--label", default="", help="What the key is for.")
@click.option("--expires", type=Span(), help="Ends after so long (90d); default: never.")
@installation
@workspace_option
@json_option
def create(
    context: Context,
    workspace: str | None,
    scopes: tuple[str, ...],
    label: str,
    expires: timedelta | None,
    as_json: bool,
) -> None:
    """Create a key; its text is shown this once.

    \b
    Example:
      rightsend keys create --scope content --scope events --label "Braze, production"
    """
    chosen = context.workspace(workspace)
    with audited(context, chosen, "key.created", scopes=list(scopes)) as about:
        made = Keys(context.workspace_dir(chosen)).create(scopes, label=label, lifetime=expires)
        key_id, key = made
        about["key"] = key_id
    if as_json:
        print_json(
            {"id": key_id, "key": key, "scopes": list(scopes), "workspace": chosen.workspace}
        )
    else:
        _show(key)


@keys.command()
@click.argument("key_id")
@click.option(
    "--overlap",
    type=Span(),
    default="7d",
    show_default=True,
    help="How long the old key goes on: long enough to put the new one in its place.",
)
@installation
@workspace_option
@json_option
def rotate(
    context: Context, workspace: str | None, key_id: str, overlap: timedelta, as_json: bool
) -> None:
    """Create a key that may do the same; the old one ends later.

    \b
    Example:
      rightsend keys rotate 3f9a1c07 --overlap 7d
    """
    chosen = context.workspace(workspace)
    with audited(context, chosen, "key.rotated", key=key_id) as about:
        new_id, key, ends_at = Keys(context.workspace_dir(chosen)).rotate(key_id, overlap)
        about.update(successor=new_id, ends_at=ends_at)
    if as_json:
        print_json({"id": new_id, "key": key, "replaces": key_id, "old_ends_at": ends_at})
    else:
        _show(key)
        click.echo(f"{key_id} ends at {ends_at}.", err=True)


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
    keys_of = Keys(context.workspace_dir(context.workspace(workspace)))
    found = [
        key.to_json() | {"last_used_on": keys_of.last_used_on(key.key_id)} for key in keys_of.list()
    ]
    if as_json:
        print_json({"keys": found})
        return
    header = ("id", "scopes", "created", "ends", "last used", "label")
    names = ("created_at", "expires_at", "last_used_on", "label")
    rows = [(k["id"], ", ".join(k["scopes"]), *(k[name] for name in names)) for k in found]
    click.echo(table(rows, header))


@keys.command()
@click.argument("key_id")
@installation
@workspace_option
def revoke(context: Context, workspace: str | None, key_id: str) -> None:
    """Revoke a key; web workers refuse it within a second.

    \b
    Example:
      rightsend keys revoke 3f9a1c07
    """
    chosen = context.workspace(workspace)
    with audited(context, chosen, "key.revoked", key=key_id):
        if not Keys(context.workspace_dir(chosen)).revoke(key_id):
            raise RightsendError(
                f"workspace {chosen.workspace} has no key {key_id}; `rightsend keys list` shows "
                "them"
            )
    click.echo(f"revoked {key_id}")


def _show(key: str) -> None:
    click.echo(key)
    click.echo("Keep it now: it is stored as a hash and cannot be shown again.", err=True)
