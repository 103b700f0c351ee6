"""`rightsend up`."""

from __future__ import annotations

from pathlib import Path

import click

from rightsend import up as processes
from rightsend.commands.options import config_option, state_option
from rightsend.context import Context


@click.command()
@config_option
@state_option
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the web process.")
@click.option("--die-with-parent", is_flag=True, help="Stop when the calling process ends.")
def up(config: Path | None, state: Path | None, port: int | None, die_with_parent: bool) -> int:
    """Run all processes with embedded defaults, in the foreground.

    Store, web, two workers, clock and, unless it is switched off, the sandbox messaging tool. What
    dies is started again; Ctrl-C ends all. Logs are in STATE/run/logs.

    \b
    Example:
      rightsend up --config shop.yaml --state /var/lib/rightsend --port 8000
    """
    context = Context.load(config, state, port)
    return processes.run(
        context,
        say=lambda line: click.echo(f"rightsend: {line}", err=True),
        greeting=f"starts at {context.settings.public_url} (docs: /docs); "
        f"logs: {processes.log_folder(context.settings.state_dir)}; Ctrl-C ends it",
        follow_parent=die_with_parent,
    )
