"""The clock process of an installation: its schedules, its event streams, its missing snapshots."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import redis
import structlog
from rq import Queue

from rightsend import clock, live_items
from rightsend.context import Context
from scoring.store.keys import CLOCK, CLOCK_TTL_S, Keys

log = structlog.get_logger("clock")


def run(context: Context) -> None:
    """Runs until the process is told to stop."""
    workspaces = [context.workspace(name) for name in context.settings.workspaces]
    for workspace in workspaces:
        context.queue("interactive").enqueue_call(
            "rightsend.jobs.publish_missing",
            args=(workspace.workspace,),
            timeout=3600,
            result_ttl=0,
        )
    clock.run(
        [line for workspace in workspaces for line in clock.schedule_of(workspace)],
        context.queue("nightly"),
        drains={
            drainer(context): clock.DRAIN_EVERY_S,
            decision_drainer(context): clock.DRAIN_DECISIONS_EVERY_S,
        },
    )


def drainer(context: Context) -> Callable[[], None]:
    """Asks for a draining of each workspace that has events or live items waiting."""

    def waits(client: Any, keys: Keys) -> bool:
        return bool(client.xlen(keys.stream)) or live_items.waiting(client, keys)

    return _asking(context, waits, clock.enqueue_drain)


def decision_drainer(context: Context) -> Callable[[], None]:
    """Asks for a draining of each workspace that has decisions waiting."""
    return _asking(
        context,
        lambda client, keys: bool(client.xlen(keys.decisions)),
        clock.enqueue_drain_decisions,
    )


def _asking(
    context: Context,
    waits: Callable[[Any, Keys], bool],
    enqueue: Callable[[str, Queue], bool],
) -> Callable[[], None]:
    """Says that the clock lives, too."""
    client, queue = context.client(), context.queue("interactive")

    def drain() -> None:
        try:
            client.set(CLOCK, time.time(), ex=CLOCK_TTL_S)
            for workspace in context.settings.workspaces:
                if waits(client, Keys(workspace)):
                    enqueue(workspace, queue)
        except redis.RedisError as error:
            log.warning("store away", error=type(error).__name__)  # the next round tries again

    return drain
