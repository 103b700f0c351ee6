"""Jobs for the worker processes: enqueued by name, arguments as plain JSON, never pickled."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import Any

from rq import Queue, Retry
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from scoring.store.client import Client, queue_server

INTERACTIVE = "interactive"
_TIMEOUT_S = 3600
_RESULT_TTL_S = 86_400
_RETRY_AFTER_S = [1, 10, 60]
_POLL_S = 0.05


@dataclass(frozen=True)
class Outcome:
    """How a job stands. ``result`` is what the function returned once ``state`` is done."""

    job_id: str
    state: str  # queued, running, done, failed
    result: Any = None


_STATES = {
    JobStatus.FINISHED: "done",
    JobStatus.FAILED: "failed",
    JobStatus.STOPPED: "failed",
    JobStatus.CANCELED: "failed",
    JobStatus.STARTED: "running",
}


class Jobs:
    """The interactive queue of one workspace; job ids carry the workspace's name."""

    def __init__(self, client: Client, workspace: str) -> None:
        self._client = client
        self._workspace = workspace

    def enqueue(self, function: str, *arguments: Any) -> str:
        """Start ``rightsend.jobs.<function>(workspace, *arguments)``; returns the job's id.

        Raises redis.RedisError when the queue is away.
        """
        job_id = f"{self._workspace}-{uuid.uuid4().hex}"
        self._enqueue(job_id, function, arguments)
        return job_id

    def enqueue_once(self, name: str, function: str, *arguments: Any) -> str:
        """As enqueue(), but a job of this name that is still known is not started again."""
        job_id = f"{self._workspace}-{name}"
        if self._job(job_id) is None:
            self._enqueue(job_id, function, arguments)
        return job_id

    def _enqueue(self, job_id: str, function: str, arguments: tuple[Any, ...]) -> None:
        self._queue().enqueue_call(
            f"rightsend.jobs.{function}",
            args=(self._workspace, *arguments),
            timeout=_TIMEOUT_S,
            result_ttl=_RESULT_TTL_S,
            failure_ttl=_RESULT_TTL_S,
            description=f"{function} {self._workspace}",  # arguments may name a person
            job_id=job_id,
            retry=Retry(max=len(_RETRY_AFTER_S), interval=_RETRY_AFTER_S),
        )

    def wait(self, job_id: str, timeout_s: int) -> Outcome | None:
        """The outcome, as soon as there is one or after ``timeout_s``; None for an unknown job."""
        job = self._job(job_id)
        if job is None:
            return None
        deadline = time.monotonic() + timeout_s
        # asking again and again, as a blocking read would outlast the client's socket time-out
        while (outcome := _outcome(job)).state in ("queued", "running"):
            if time.monotonic() >= deadline:
                break
            time.sleep(_POLL_S)
        return outcome

    def _job(self, job_id: str) -> Job | None:
        if not job_id.startswith(f"{self._workspace}-"):
            return None  # another workspace's job does not exist for this one
        return self._queue().fetch_job(job_id)

    def _queue(self) -> Queue:
        return Queue(INTERACTIVE, connection=queue_server(self._client), serializer=JSONSerializer)


def _outcome(job: Job) -> Outcome:
    state = _STATES.get(job.get_status(refresh=True), "queued")
    if state != "done":
        return Outcome(job.id, state)
    result = job.latest_result()
    return Outcome(job.id, state, result.return_value if result else None)
