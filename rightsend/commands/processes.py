"""The single processes, for a Procfile or a container each: web, worker, clock, sandbox."""

from __future__ import annotations

import click

from plugin import logs
from rightsend import web as server
from rightsend.auditing import note_configuration
from rightsend.commands.options import installation
from rightsend.context import QUEUES, Context
from scoring.store.client import queue_server


@click.command()
@installation
def web(context: Context) -> None:
    """Run the web process (gunicorn): content, landing pages, events, segments.

    \b
    Example:
      rightsend web --config shop.yaml
    """
    note_configuration(context)
    settings = context.settings
    server.fresh_metrics_folder(settings.state_dir / "run" / "metrics")
    # prometheus-client chooses at import whether to share its counts between processes
    from plugin.app import create_app
    from rightsend import warming, webhooks

    with context.store():
        url = context.redis_url
        server.serve(
            lambda: create_app(settings, redis_url=url, translators=webhooks.translators()),
            host=settings.web.host,
            port=settings.web.port,
            workers=settings.web.workers,
            threads=settings.web.threads,
            ready=warming.start,
        )


@click.command()
@click.option(
    "--queue", type=click.Choice(QUEUES), default=QUEUES[0], show_default=True, help="What to do."
)
@installation
def worker(context: Context, queue: str) -> None:
    """Run a worker: segments, previews, pushes and erasures, or nightly jobs and syncs.

    \b
    Example:
      rightsend worker --queue nightly --config shop.yaml
    """
    from rightsend import jobs
    from rightsend import worker as process

    logs.configure(context.settings.log_level)
    note_configuration(context)
    with context.store(), jobs.installed(context):
        process.run(queue_server(context.client()), queue, given_up=jobs.given_up)


@click.command()
@installation
def clock(context: Context) -> None:
    """Run the clock: starts nightly jobs and syncs on schedule, drains the event stream.

    \b
    Example:
      rightsend clock --config shop.yaml
    """
    from rightsend import timekeeping

    logs.configure(context.settings.log_level)
    note_configuration(context)
    with context.store():
        timekeeping.run(context)


@click.command()
@installation
def sandbox(context: Context) -> None:
    """Run the sandbox messaging tool, which stands in for a real one on this machine.

    \b
    Example:
      rightsend sandbox --state ./state
    """
    from rightsend.sandbox import application

    settings = context.settings
    server.serve(
        lambda: application(context),
        host="127.0.0.1",
        port=settings.sandbox_port,
        workers=1,
        threads=8,
    )
