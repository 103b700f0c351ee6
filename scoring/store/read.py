"""Reads at send time: one round trip, everything from one snapshot, never late.

Imported by web workers: no numpy, no pyarrow. A Reader is shared by all threads of a process.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Any, NamedTuple

import redis
from redis.exceptions import RedisClusterException

from scoring.store.breaker import Breaker
from scoring.store.client import Client, round_trip
from scoring.store.errors import RecordError, StoreUnavailable
from scoring.store.fallback import NOTHING, Fallback, FallbackFile
from scoring.store.keys import Keys, bucket, customer_hash
from scoring.store.published import Pointer, PublishedSnapshot, load
from scoring.store.reading import Reading
from scoring.store.recent_record import RECENT_EVENTS, unpack_recent
from scoring.store.records import CustomerRecord, alias_target

# how long a call waits for the catalogue of a new snapshot; then it answers from the old one
LOAD_WAIT_S = 0.2


class _Raw(NamedTuple):
    """The answers of one round trip; ``pointer`` was read after ``record``."""

    record: bytes | None
    alias: bytes | None
    recent: list[bytes]
    pointer: bytes | None


class Reader:
    """Reads one workspace. ``secret`` keys the customer hashes; ``workspace_dir`` holds
    fallback.json. Every read raises StoreUnavailable if there is no usable answer in time."""

    def __init__(
        self,
        client: Client,
        workspace: str,
        secret: bytes,
        workspace_dir: Path | None = None,
        *,
        breaker: Breaker | None = None,
    ) -> None:
        self._client = client
        self._workspace = workspace
        self._secret = secret
        self._keys = Keys(workspace)
        self._breaker = breaker or Breaker()
        self._fallback = FallbackFile(workspace_dir) if workspace_dir else None
        self._published: PublishedSnapshot | None = None
        self._lock = threading.Lock()
        self._loading: tuple[bytes, Future[PublishedSnapshot]] | None = None

    def hash_of(self, customer: str) -> bytes:
        """The pseudonym under which Redis (and a landing link) knows the customer, 12 bytes."""
        return customer_hash(self._secret, self._workspace, customer)

    def read(self, customer: str | None = None) -> Reading:
        """Everything for one content call. ``customer`` is an external id or ``kind:identifier``;
        None reads the snapshot alone."""
        return self.customer_by_hash(None if customer is None else self.hash_of(customer))

    def customer_by_hash(self, customer: bytes | None) -> Reading:
        """As read(), for a customer hash (landing links hold one)."""
        if not self._breaker.allow():
            raise StoreUnavailable("open", "Redis failed less than half a second ago")
        try:
            reading = self._read(customer)
        except redis.TimeoutError as problem:
            self._breaker.failure()
            raise StoreUnavailable("timeout", str(problem)) from problem
        except (redis.ConnectionError, RedisClusterException, OSError) as problem:
            self._breaker.failure()
            raise StoreUnavailable("connection", str(problem)) from problem
        except RecordError as problem:
            raise StoreUnavailable("rubbish", str(problem)) from problem
        except redis.RedisError as problem:
            raise StoreUnavailable("error", str(problem)) from problem
        self._breaker.success()
        return reading

    def published(self) -> PublishedSnapshot:
        """The snapshot that readers see now."""
        return self.read().published

    def fallback(self) -> Fallback:
        """The best non-personal content known; never raises, needs no Redis."""
        return self._fallback.read() if self._fallback else NOTHING

    def _read(self, customer: bytes | None) -> Reading:
        published, raw = self._consistent(customer)
        recent = raw.recent
        target = raw.alias
        if target is None and raw.record is not None:
            target = alias_target(raw.record)
        if customer is not None and target and target != customer:  # NOBODY is empty
            published, raw = self._consistent(target)
            recent = sorted([*recent, *raw.recent], key=_at, reverse=True)[:RECENT_EVENTS]
            customer = target
        record = None
        if raw.record is not None and alias_target(raw.record) is None:
            record = CustomerRecord(raw.record, published.widths)
        return Reading(published, customer, record, tuple(map(unpack_recent, recent)))

    def _consistent(self, customer: bytes | None) -> tuple[PublishedSnapshot, _Raw]:
        """A record and the snapshot it belongs to. A record found under a generation belongs to
        it for good; one not found counts only while the pointer still names that generation."""
        published = self._published
        raw = self._fetch(published, customer)
        for _attempt in range(2):
            if raw.pointer is None:
                raise StoreUnavailable("no_snapshot", "nothing is published")
            pointer = Pointer.unpack(raw.pointer)
            if published is not None and pointer.generation == published.generation:
                return published, raw
            newer = self._follow(raw.pointer, pointer, published)
            if newer is published:
                break
            published = newer
            raw = self._fetch(published, customer)
        if published is not None and (raw.record is not None or customer is None):
            return published, raw
        raise StoreUnavailable("loading", "the snapshot is being loaded")

    def _fetch(self, published: PublishedSnapshot | None, customer: bytes | None) -> _Raw:
        keys = self._keys
        if customer is None:
            return _Raw(None, None, [], *round_trip(self._client, [("GET", keys.pointer)]))
        commands: list[tuple[Any, ...]] = [
            ("GET", keys.alias(customer)),
            ("ZRANGE", keys.recent(customer), 0, RECENT_EVENTS - 1, "REV"),
        ]
        if published is not None:
            commands.append(
                ("HGET", keys.customers(published.generation, bucket(customer)), customer)
            )
        commands.append(("GET", keys.pointer))
        alias, recent, *record, pointer = round_trip(self._client, commands)
        return _Raw(record[0] if record else None, alias, recent, pointer)

    def _follow(
        self, raw: bytes, pointer: Pointer, current: PublishedSnapshot | None
    ) -> PublishedSnapshot | None:
        """The snapshot of ``pointer`` if it can be had in LOAD_WAIT_S, otherwise ``current``; the
        loading goes on in a thread of its own, once for all calls that wait for it."""
        with self._lock:
            latest = self._published
            if latest is not None and latest.generation == pointer.generation:
                return latest
            if self._loading is None or self._loading[0] != raw:
                future: Future[PublishedSnapshot] = Future()
                self._loading = (raw, future)
                threading.Thread(
                    target=self._load, args=(pointer.generation, future), daemon=True
                ).start()
            future = self._loading[1]
        try:
            return future.result(LOAD_WAIT_S)
        except FutureTimeoutError:
            return current
        except StoreUnavailable:
            if current is None:
                raise
            return current

    def _load(self, generation: str, future: Future[PublishedSnapshot]) -> None:
        try:
            published = load(self._client, self._keys, generation)
        except (
            redis.RedisError, RedisClusterException, OSError, RecordError, StoreUnavailable,
        ) as problem:  # fmt: skip
            with self._lock:
                self._loading = None
            future.set_exception(problem)
            return
        with self._lock:
            self._published = published
            self._loading = None
        future.set_result(published)


def _at(raw: bytes) -> int:
    return unpack_recent(raw).at_s
