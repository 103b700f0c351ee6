"""Is the store there? Asked before a request is given to a client that can afford to wait.

Without this, requests that write or queue would keep every thread waiting for a store that hangs,
and content calls, which answer without it, would find no thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import redis
from redis.exceptions import RedisClusterException

from scoring.store.breaker import Breaker
from scoring.store.errors import StoreUnavailable

Answer = TypeVar("Answer")


class Presence:
    """``client`` gives up at once (``connect(…, send_time=True)``)."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._breaker = Breaker()

    def answers(self) -> bool:
        """Whether the store answers a ping now."""
        try:
            return bool(self._client.ping())
        except (redis.RedisError, RedisClusterException, OSError):
            return False

    def require(self) -> None:
        """Raises StoreUnavailable when the store does not answer, or did not a moment ago."""
        self.ask(lambda client: client.ping())

    def ask(self, question: Callable[[Any], Answer]) -> Answer:
        """What the store says to ``question``, which gets the client that gives up at once.

        Raises StoreUnavailable as require() does, also when the store refuses.
        """
        if not self._breaker.allow():
            raise StoreUnavailable("open", "the store failed less than half a second ago")
        try:
            said = question(self._client)
        except (redis.RedisError, RedisClusterException, OSError) as problem:
            self._breaker.failure()
            raise StoreUnavailable("timeout", "the store does not answer") from problem
        self._breaker.success()
        return said
