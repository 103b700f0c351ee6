"""A durable queue: what is on it comes to a worker until the worker acknowledges it."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from typing import Any, NamedTuple

import redis

from scoring.store.client import Client

GROUP = "lake"
CLAIM_AFTER_S = 30.0
A_TRIP = 1000  # entries: the server answers nobody else meanwhile
TTL_S = 30 * 86_400  # nobody has drained for so long: the workspace is dead


class Entry(NamedTuple):
    """``id`` is what acknowledge() wants back."""

    id: bytes
    fields: dict[bytes, bytes]


class Stream:
    """A Redis stream and its one group of consumers. Methods raise redis.RedisError when the store
    does not answer; the same call may be repeated."""

    def __init__(self, client: Client, key: str) -> None:
        self._client: Any = client
        self._key = key

    def depth(self) -> int:
        """How many entries wait, those that are being worked on included."""
        return int(self._client.xlen(self._key))

    def take(
        self, consumer: str, count: int, *, claim_after_s: float = CLAIM_AFTER_S
    ) -> list[Entry]:
        """Up to ``count`` entries: first those that another consumer took ``claim_after_s`` ago
        and never acknowledged, then new ones, oldest first."""
        try:
            return self._take(consumer, count, claim_after_s)
        except redis.ResponseError as problem:
            if "NOGROUP" not in str(problem):
                raise
        self._create_group()
        return self._take(consumer, count, claim_after_s)

    def acknowledge(self, entries: Collection[bytes]) -> None:
        """Takes entries off the queue."""
        remaining = iter(entries)
        while some := list(islice(remaining, A_TRIP)):
            # at once: an entry that is acknowledged but not deleted would stay for ever
            pipe = self._client.pipeline(transaction=True)
            pipe.xack(self._key, GROUP, *some)
            pipe.xdel(self._key, *some)
            pipe.expire(self._key, TTL_S)
            pipe.execute()

    def leave(self, consumer: str) -> None:
        """A consumer that owes no acknowledgement is forgotten: every process has its own name."""
        owed = self._client.xpending_range(
            self._key, GROUP, min="-", max="+", count=1, consumername=consumer
        )
        if not owed:
            self._client.xgroup_delconsumer(self._key, GROUP, consumer)

    def _take(self, consumer: str, count: int, claim_after_s: float) -> list[Entry]:
        entries = self._claim(consumer, count, int(claim_after_s * 1000))
        while len(entries) < count:
            some = min(count - len(entries), A_TRIP)
            fresh = self._client.xreadgroup(GROUP, consumer, {self._key: ">"}, count=some)
            found = [entry for _stream, part in fresh or [] for entry in part]
            entries += found
            if len(found) < some:
                break
        if not entries:
            self.leave(consumer)
        return [Entry(entry, fields) for entry, fields in entries]

    def _claim(self, consumer: str, count: int, idle_ms: int) -> list[tuple[bytes, Any]]:
        """What others left unacknowledged for so long."""
        entries: list[tuple[bytes, Any]] = []
        start: bytes | None = b"0-0"
        while start is not None and len(entries) < count:
            some = min(count - len(entries), A_TRIP)
            following, part, *_ = self._client.xautoclaim(
                self._key, GROUP, consumer, idle_ms, start_id=start, count=some
            )
            entries += part
            start = following if following != b"0-0" else None
        return entries

    def _create_group(self) -> None:
        try:
            self._client.xgroup_create(self._key, GROUP, id="0", mkstream=True)
        except redis.ResponseError as problem:
            if "BUSYGROUP" not in str(problem):  # another worker was faster
                raise
