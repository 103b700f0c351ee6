"""Records of segment jobs: what was asked, how far it is, how it ended. Members are on disk.

A job's end is written once: done, failed and cancelled never change, whoever comes later.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import redis

from scoring.store.client import Client
from scoring.store.keys import Keys

TTL_S = 30 * 86_400
IDEMPOTENCY_TTL_S = 86_400
QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
FINAL = (DONE, FAILED, CANCELLED)
STATES = (QUEUED, RUNNING, *FINAL)


class SegmentJobs:
    """The segment jobs of one workspace. Methods raise redis.RedisError when Redis does not
    answer. A job is a dict: id, state, request, progress (0 … 1 or None), summary, error,
    cancel_requested, created_at, started_at, finished_at (ISO 8601 UTC or None)."""

    def __init__(self, client: Client, workspace: str) -> None:
        self._client: Any = client
        self._keys = Keys(workspace)

    def create(
        self, request: Mapping[str, Any], *, now: datetime, idempotency_key: str | None = None
    ) -> tuple[dict[str, Any], bool]:
        """Notes a queued job; its id sorts by time and is safe as a file name.

        Returns (job, whether it is new): the same ``idempotency_key`` gives the same job for a
        day, whatever is asked then.
        """
        segment_id = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        if idempotency_key is not None:
            once = self._keys.once(idempotency_key)
            # get() after a lost set: the id of the first call holds, even if that call died
            self._client.set(once, segment_id, nx=True, ex=IDEMPOTENCY_TTL_S)
            segment_id = self._client.get(once).decode()
            job = self.get(segment_id)
            if job is not None:
                return job, False
        self._write(segment_id, request, now)
        return self._existing(segment_id), True

    def _write(self, segment_id: str, request: Mapping[str, Any], at: datetime) -> None:
        fields = {
            "state": QUEUED,
            "request": orjson.dumps(dict(request)),
            "created_at": at.isoformat(),
        }
        pipe = self._client.pipeline(transaction=True)
        pipe.hset(self._keys.segment(segment_id), mapping=fields)
        pipe.expire(self._keys.segment(segment_id), TTL_S)
        pipe.zadd(self._keys.segments, {segment_id: at.timestamp()})
        pipe.zremrangebyscore(self._keys.segments, "-inf", f"({at.timestamp() - TTL_S}")
        pipe.expire(self._keys.segments, TTL_S)
        pipe.execute()

    def get(self, segment_id: str) -> dict[str, Any] | None:
        """The job, or None if there is none (or it was forgotten after 30 days)."""
        return _job(segment_id, self._client.hgetall(self._keys.segment(segment_id)))

    def list(self, limit: int = 50, offset: int = 0) -> list[dict[str, Any]]:
        """Jobs, newest first."""
        ids = self._client.zrange(self._keys.segments, offset, offset + limit - 1, desc=True)
        names = [segment_id.decode() for segment_id in ids] if limit > 0 else []
        pipe = self._client.pipeline(transaction=False)
        for name in names:
            pipe.hgetall(self._keys.segment(name))
        jobs = map(_job, names, pipe.execute())
        return [job for job in jobs if job is not None]

    def count(self) -> int:
        return int(self._client.zcard(self._keys.segments))

    def set_state(
        self,
        segment_id: str,
        state: str,
        *,
        summary: Mapping[str, Any] | None = None,
        error: str | None = None,
        now: datetime | None = None,
    ) -> str | None:
        """Returns the state that holds afterwards: a job that has ended stays as it ended, so a
        worker that is told ``cancelled`` on starting must stop. None: there is no such job.

        Raises ValueError for an unknown state.
        """
        if state not in STATES:
            raise ValueError(f"state {state!r}, expected one of {', '.join(STATES)}")
        key = self._keys.segment(segment_id)
        if not self._client.exists(key):
            return None
        at = (now or datetime.now(UTC)).isoformat()
        if state not in FINAL:
            self._client.hset(key, mapping={"state": state, "started_at": at})
        else:
            end = {
                "state": state, "at": at, "error": error,
                "summary": None if summary is None else dict(summary),
            }  # fmt: skip
            self._client.hsetnx(key, "end", orjson.dumps(end))
        return self._state(segment_id)

    def set_progress(self, segment_id: str, share: float) -> None:
        """How much of the work is done, 0 … 1."""
        share = min(1.0, max(0.0, share))
        self._client.hset(self._keys.segment(segment_id), "progress", orjson.dumps(share))

    def cancel(self, segment_id: str) -> str | None:
        """Asks a job to stop; one that still waits ends at once. Returns its state, None if there
        is no such job."""
        state = self._state(segment_id)
        if state is None or state in FINAL:
            return state
        self._client.hset(self._keys.segment(segment_id), "cancel", 1)
        return self.set_state(segment_id, CANCELLED) if state == QUEUED else state

    def cancelled(self, segment_id: str) -> bool:
        """Whether a running job should stop."""
        return bool(self._client.hexists(self._keys.segment(segment_id), "cancel"))

    def delete(self, segment_id: str) -> None:
        """Forgets the job."""
        pipe = self._client.pipeline(transaction=True)
        pipe.zrem(self._keys.segments, segment_id)
        pipe.unlink(self._keys.segment(segment_id))
        pipe.execute()

    def _state(self, segment_id: str) -> str | None:
        job = self.get(segment_id)
        return None if job is None else str(job["state"])

    def _existing(self, segment_id: str) -> dict[str, Any]:
        job = self.get(segment_id)
        if job is None:
            raise redis.ConnectionError("Redis was emptied while the job was written")
        return job


def _job(segment_id: str, fields: Mapping[bytes, bytes]) -> dict[str, Any] | None:
    if b"request" not in fields:
        return None
    end = orjson.loads(fields.get(b"end", b"{}"))
    return {
        "id": segment_id,
        "state": end.get("state") or fields[b"state"].decode(),
        "request": orjson.loads(fields[b"request"]),
        "progress": orjson.loads(fields.get(b"progress", b"null")),
        "summary": end.get("summary"),
        "error": end.get("error"),
        "cancel_requested": b"cancel" in fields,
        "created_at": fields[b"created_at"].decode(),
        "started_at": fields[b"started_at"].decode() if b"started_at" in fields else None,
        "finished_at": end.get("at"),
    }
