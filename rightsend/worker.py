"""The worker process: one queue, one job at a time, each job in a forked work-horse.

On top of RQ: work of a worker that died is taken up again within seconds (RQ alone fails it after
more than a minute), and a work-horse dies with its worker. A job that was abandoned
``MAX_ATTEMPTS`` times is given up, since it is most likely the job that kills its worker.

A worker serves a single queue: then RQ moves a job from queue to work in one step and none can be
lost between the two.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

import redis
import structlog
from rq import Queue, Worker
from rq.exceptions import InvalidJobOperation
from rq.executions import Execution
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job, JobStatus
from rq.registry import FailedJobRegistry, ScheduledJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer

from rightsend import process

MONITOR_EVERY_S = 2  # how often a busy worker says that it lives
HEARTBEAT_TTL_S = 15  # silent this long: dead
MAINTENANCE_EVERY_S = 3
MAX_ATTEMPTS = 3
_ATTEMPTS = "attempts"  # in a job's meta
log = structlog.get_logger("worker")


class RightsendWorker(Worker):
    """RQ's worker with quick recovery. ``given_up`` is told of jobs that are abandoned for good."""

    max_connection_wait_time = 2.0  # s between tries when the store is away

    def __init__(
        self, queue: Queue, *, given_up: Callable[[str, list[Any], str], None], **options: Any
    ) -> None:
        super().__init__(
            [queue],
            name=worker_name(os.getpid()),
            connection=queue.connection,
            serializer=JSONSerializer,
            worker_ttl=HEARTBEAT_TTL_S + MAINTENANCE_EVERY_S,  # RQ waits for jobs 15 s less
            maintenance_interval=MAINTENANCE_EVERY_S,
            job_monitoring_interval=MONITOR_EVERY_S,
            **options,
        )
        self._given_up = given_up

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """Seconds until a silent work-horse counts as dead (RQ: more than a minute)."""
        return HEARTBEAT_TTL_S

    def clean_registries(self) -> None:
        """Maintenance: first take up what others left, then as RQ does."""
        for queue in self.queues:
            recover(queue, given_up=self._given_up)
        super().clean_registries()

    def execute_job(self, job: Job, queue: Queue) -> None:
        """One line a job: RQ's own would tell its arguments, which may name a person."""
        started = time.monotonic()
        super().execute_job(job, queue)
        seconds = round(time.monotonic() - started, 2)
        with contextlib.suppress(InvalidJobOperation):  # its result was not to be kept
            state = job.get_status()
            log.info("job", job=job.description, state=state and state.value, seconds=seconds)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """In the forked child."""
        process.die_with_parent(signal.SIGKILL, parent=self.pid)
        super().main_work_horse(job, queue)

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: Any) -> None:
        """The work-horse alone was killed (out of memory, say): try again, a few times."""
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)
        job.retries_left = 1 if _may_try_again(job) else 0
        job.retry_intervals = None

    def handle_job_failure(
        self,
        job: Job,
        queue: Queue,
        started_job_registry: StartedJobRegistry | None = None,
        exc_string: str = "",
        execution: Execution | None = None,
    ) -> None:
        """After a failure: tells who wants to know when there is no further try."""
        for_good = not job.should_retry
        super().handle_job_failure(job, queue, started_job_registry, exc_string, execution)
        if for_good:
            self._given_up(job.func_name or "", list(job.args), _reason(job, exc_string))


def run(
    connection: redis.Redis, queue_name: str, *, given_up: Callable[[str, list[Any], str], None]
) -> None:
    """Works until SIGTERM or SIGINT; then the job at hand is finished first."""
    queue = Queue(queue_name, connection=connection, serializer=JSONSerializer)
    RightsendWorker(queue, given_up=given_up).work(logging_level="WARNING")


def recover(queue: Queue, *, given_up: Callable[[str, list[Any], str], None]) -> int:
    """Puts back into the queue what dead workers held, and what waited for its retry.

    Returns how many jobs. Any number of workers may do this at once: taking an entry out of its
    registry decides who goes on with it.
    """
    return _abandoned(queue, given_up) + _stuck_between(queue) + _due_retries(queue)


def worker_name(pid: int) -> str:
    """Host, process id and start time: enough to tell whether the worker still lives."""
    return f"{socket.gethostname()}.{pid}.{process.started_at(pid)}"


def lives(name: str) -> bool | None:
    """Whether the worker of this name lives; None when it is on another machine."""
    host, _, rest = name.rpartition(".")[0].rpartition(".")
    started = name.rpartition(".")[2]
    if host != socket.gethostname() or not rest.isdigit():
        return None
    return str(process.started_at(int(rest))) == started


def _abandoned(queue: Queue, given_up: Callable[[str, list[Any], str], None]) -> int:
    registry = StartedJobRegistry(queue=queue)
    expired = set(registry.get_expired_job_ids())
    count = 0
    for job_id, execution_id in registry.get_job_and_execution_ids(cleanup=False):
        composite = f"{job_id}:{execution_id}"
        if job_id not in expired and not _worker_is_dead(queue, job_id, execution_id):
            continue
        if not queue.connection.zrem(registry.key, composite):
            continue  # another worker was quicker
        job = queue.fetch_job(job_id)
        if job is None or job.get_status() not in (JobStatus.STARTED, JobStatus.QUEUED):
            continue
        IntermediateQueue(queue.key, queue.connection).remove(job_id)
        # RQ asks for every execution of a job that is done, and would not find this one
        queue.connection.zrem(job.execution_registry.key, execution_id)
        if _may_try_again(job):
            _put_back(queue, job)
            log.info("taken up again", job=job.description, attempts=job.meta[_ATTEMPTS])
            count += 1
        else:
            job.set_status(JobStatus.FAILED)
            # with its time to live: a job that is there only once must not be in its own way
            FailedJobRegistry(queue=queue).add(job, ttl=job.failure_ttl)
            given_up(job.func_name or "", list(job.args), _too_often(job))
    return count


def _worker_is_dead(queue: Queue, job_id: str, execution_id: str) -> bool:
    try:
        name = Execution.fetch(execution_id, job_id, queue.connection).worker_name
    except ValueError:
        return True  # its record is gone: it was not kept alive
    return lives(name) is False


def _stuck_between(queue: Queue) -> int:
    """Jobs taken from the queue by a worker that died before it began."""
    intermediate = IntermediateQueue(queue.key, queue.connection)
    started = set(StartedJobRegistry(queue=queue).get_job_ids(cleanup=False))
    count = 0
    for job_id in intermediate.get_job_ids():
        if job_id in started or intermediate.set_first_seen(job_id):
            continue
        age = _age_s(intermediate, job_id)
        if age is None or age < HEARTBEAT_TTL_S:
            continue
        if queue.connection.lrem(intermediate.key, 1, job_id):
            queue.connection.delete(intermediate.get_first_seen_key(job_id))
            job = queue.fetch_job(job_id)
            if job is not None and job.get_status() == JobStatus.QUEUED:
                _put_back(queue, job)
                count += 1
    return count


def _age_s(intermediate: IntermediateQueue, job_id: str) -> float | None:
    raw = intermediate.connection.get(intermediate.get_first_seen_key(job_id))
    if raw is None:
        return None
    seconds, microseconds = intermediate.connection.time()
    return seconds + microseconds / 1e6 - float(raw)


def _due_retries(queue: Queue) -> int:
    """Jobs whose pause after a failure is over (what RQ would run another process for)."""
    registry = ScheduledJobRegistry(queue=queue)
    count = 0
    for job_id in registry.get_jobs_to_schedule():
        if queue.connection.zrem(registry.key, job_id):
            job = queue.fetch_job(job_id)
            if job is not None:
                _put_back(queue, job)
                count += 1
    return count


def _put_back(queue: Queue, job: Job) -> None:
    with queue.connection.pipeline() as pipeline:
        queue._enqueue_job(job, pipeline=pipeline)
        pipeline.execute()


def _may_try_again(job: Job) -> bool:
    job.meta[_ATTEMPTS] = int(job.get_meta().get(_ATTEMPTS, 0)) + 1
    job.save_meta()
    return bool(job.meta[_ATTEMPTS] < MAX_ATTEMPTS)


def _reason(job: Job, exc_string: str) -> str:
    """The last line of a traceback says what was wrong; without one the process died."""
    lines = [line for line in (exc_string or "").splitlines() if line.strip()]
    return lines[-1].strip() if len(lines) > 1 else _too_often(job)


def _too_often(job: Job) -> str:
    return f"the process that worked on it died {job.get_meta().get(_ATTEMPTS, 1)} times"
