"""`rightsend secret`: putting a new secret in the place of the installation's."""

from __future__ import annotations

from pathlib import Path

import click

from plugin import secret as secrets
from rightsend.auditing import audited
from rightsend.commands.options import config_option, installation, state_option
from rightsend.context import Context
from rightsend.progress import Progress


@click.group()
def secret() -> None:
    """Rotate the installation's secret, forget former ones.

    It signs landing links and keys customer hashes, erasures and the audit trail; docs/security.md
    says what a new one changes.

    \b
    Example:
      rightsend secret rotate
    """


@secret.command()
@config_option
@state_option
def rotate(config: Path | None, state: Path | None) -> None:
    """Make a new secret and publish the active snapshots under it.

    The former one stays known, so that links sent before go on opening. Best after a nightly job;
    restart all processes at once when it is done, as until then answers are not personal.

    \b
    Example:
      rightsend secret rotate
    """
    # publishing needs pyarrow, which forgetting does not
    from rightsend import publishing
    from scoring import snapshot as snapshots

    before = Context.load(config, state)
    secrets.rotate(before.settings)
    context = Context.load(config, state)
    with context.store(), Progress() as progress:
        for name in context.settings.workspaces:
            workspace = context.workspace(name)
            with audited(context, workspace, "secret.rotated") as about:
                about["former"] = len(context.secret.former)
                if snapshots.kept(context.workspace_dir(workspace)):
                    snapshot = publishing.active_snapshot(context, workspace)
                    publishing.publish(context, workspace, snapshot, progress)
    click.echo("a new secret is in place: restart all processes now", err=True)


@secret.command()
@installation
def forget(context: Context) -> None:
    """Forget former secrets: links from before the rotation show best sellers from now on.

    Who was erased before the rotation is no longer known by an import: do not forget while the
    sources still hold them.

    \b
    Example:
      rightsend secret forget
    """
    number = secrets.forget_former(context.settings)
    click.echo(f"forgot {number} former secrets: restart all processes now", err=True)
