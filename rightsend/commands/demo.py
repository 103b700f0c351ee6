"""`rightsend demo`: what `make run` starts."""

from __future__ import annotations

from pathlib import Path

import click

from rightsend import up as processes
from rightsend.context import Context

_FILE = click.Path(path_type=Path)


@click.command()
@click.option("--config", type=_FILE, help="A workspace with a sandbox connection (built-in demo).")
@click.option("--state", type=_FILE, help="State folder (default: ./state).")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the web process.")
@click.option("--die-with-parent", is_flag=True, help="Stop when the calling process ends.")
@click.option("--story", is_flag=True, hidden=True, help="Only the story; the processes run.")
def demo(
    config: Path | None, state: Path | None, port: int | None, die_with_parent: bool, story: bool
) -> int:
    """Run everything with a year of real purchases, and show what it does.

    The first time: imports, trains, publishes, syncs and sends a campaign through the sandbox
    messaging tool. Later: starts in seconds from what is there. Stays in the foreground.

    \b
    Example:
      rightsend demo --state ./state --port 8000
    """
    context = Context.load(config, state, port)
    if story:
        return _tell(context)
    first = not (context.settings.state_dir / "run" / "demo.json").exists()
    return processes.run(
        context,
        say=lambda line: click.echo(f"rightsend: {line}", err=True),
        greeting=f"the demo starts at {context.settings.public_url}, "
        f"state in {context.settings.state_dir}{'; it takes a few minutes once' if first else ''}",
        story=("demo", "--story"),
        follow_parent=die_with_parent,
    )


def _tell(context: Context) -> int:
    # the model libraries are loaded here only: the supervisor stays small
    from rightsend.demo import Story
    from rightsend.progress import Progress

    with context.store(), Progress() as progress:
        Story(context, progress=progress, say=click.echo).run()
    return 0
