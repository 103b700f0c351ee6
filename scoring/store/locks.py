"""A lock that several machines respect; whoever dies loses it after its time to live."""

from __future__ import annotations

from typing import Any

from redis.exceptions import LockError
from redis.lock import Lock

from scoring.store.client import Client
from scoring.store.keys import Keys


class StoreLock:
    """``with StoreLock(…) as held:`` — ``held`` is False if another process has it.

    Give the lock a ``ttl_s`` longer than the work between two refresh() calls.
    """

    def __init__(self, client: Client, workspace: str, name: str, ttl_s: float) -> None:
        key = Keys(workspace).lock(name)
        # redis-py's lock compares its token before it releases or refreshes
        self._lock: Any = Lock(client, key, timeout=ttl_s, blocking=False, thread_local=False)

    def acquire(self) -> bool:
        """Takes the lock if nobody has it."""
        return bool(self._lock.acquire())

    def refresh(self) -> bool:
        """Starts the time to live anew; False if the lock was lost meanwhile."""
        try:
            return bool(self._lock.reacquire())
        except LockError:
            return False

    def release(self) -> None:
        """Gives the lock back; nothing happens if it was lost."""
        try:
            self._lock.release()
        except LockError:
            return

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_exception: object) -> None:
        if self._lock.local.token is not None:
            self.release()
