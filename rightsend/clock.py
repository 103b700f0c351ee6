"""The clock process: starts nightly jobs and syncs on schedule, and drains the streams.

Two clocks never run one job twice: a job's id holds the minute it was scheduled for, and the
queue takes an id once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.cron import CronTrigger
from rq import Queue
from rq.exceptions import DuplicateJobError

from settings.workspace import WorkspaceSettings

LATE_S = 3600  # a clock that was away for less than this starts what it missed
DRAIN_EVERY_S = 5
DRAIN_DECISIONS_EVERY_S = 30  # nobody waits for them; each time is a commit
NIGHTLY_TIMEOUT_S = 12 * 3600
_DONE_TTL_S = 2 * LATE_S  # a finished job's id stays taken for longer than a clock may be late
log = structlog.get_logger("clock")


@dataclass(frozen=True)
class Scheduled:
    """One line of a workspace's schedule."""

    workspace: str
    job: str  # function in rightsend.jobs
    trigger: CronTrigger


def schedule_of(workspace: WorkspaceSettings) -> list[Scheduled]:
    """The cron lines of a workspace, in its own time zone."""
    lines = (("run_nightly", workspace.schedule.nightly), ("sync", workspace.schedule.sync))
    return [
        Scheduled(workspace.workspace, job, trigger_of(line, workspace.timezone))
        for job, line in lines
        if line
    ]


def trigger_of(cron: str, timezone: str) -> CronTrigger:
    """Raises ValueError for a line that is no cron expression."""
    return CronTrigger.from_crontab(cron, timezone=ZoneInfo(timezone))


def last_due(trigger: CronTrigger, now: datetime) -> datetime | None:
    """The latest scheduled time up to ``now`` and not more than ``LATE_S`` ago."""
    due, at = None, now - timedelta(seconds=LATE_S)
    while (following := trigger.get_next_fire_time(None, at)) is not None and following <= now:
        due, at = following, following + timedelta(seconds=1)
    return due


def enqueue_due(line: Scheduled, queue: Queue, *, now: datetime) -> str | None:
    """Enqueues the job for its scheduled minute; None when it was enqueued before, or not due."""
    due = last_due(line.trigger, now)
    if due is None:
        return None
    job_id = f"{line.workspace}-{line.job}-{due.astimezone(UTC):%Y%m%dT%H%MZ}"
    try:
        queue.enqueue_call(
            f"rightsend.jobs.{line.job}",
            args=(line.workspace,),
            timeout=NIGHTLY_TIMEOUT_S,
            result_ttl=_DONE_TTL_S,
            failure_ttl=_DONE_TTL_S,
            description=f"{line.job} {line.workspace}",
            job_id=job_id,
            unique=True,
        )
    except DuplicateJobError:
        return None
    log.info("enqueued", job=job_id)
    return job_id


def enqueue_drain(workspace: str, queue: Queue) -> bool:
    """Enqueues the draining of the event stream unless it is waiting or running already."""
    return _enqueue_once(f"{workspace}-drain", "drain_events", workspace, queue)


def enqueue_drain_decisions(workspace: str, queue: Queue) -> bool:
    """Enqueues the draining of the decisions unless it is waiting or running already."""
    return _enqueue_once(f"{workspace}-drain-decisions", "drain_decisions", workspace, queue)


def _enqueue_once(job_id: str, job: str, workspace: str, queue: Queue) -> bool:
    try:
        queue.enqueue_call(
            f"rightsend.jobs.{job}",
            args=(workspace,),
            timeout=600,
            result_ttl=0,
            failure_ttl=DRAIN_EVERY_S,
            description=f"{job} {workspace}",
            job_id=job_id,
            unique=True,
        )
    except DuplicateJobError:
        return False
    return True


def run(
    lines: list[Scheduled],
    queue: Queue,
    *,
    drains: Mapping[Callable[[], None], int],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Runs until the process is told to stop. ``drains``: what empties streams → every so many
    seconds."""
    scheduler = BlockingScheduler(
        timezone=UTC,
        job_defaults={"coalesce": True, "misfire_grace_time": LATE_S, "max_instances": 1},
    )
    for line in lines:
        enqueue_due(line, queue, now=now())  # what was missed while no clock ran
        scheduler.add_job(lambda line=line: enqueue_due(line, queue, now=now()), line.trigger)
    for drain, every_s in drains.items():
        scheduler.add_job(drain, "interval", seconds=every_s)
    scheduler.start()
