"""Reads at send time: one round trip, everything from one snapshot, never late.

Imported by web workers: no numpy, no pyarrow. A Reader is shared by all threads of a process.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import redis
from redis.exceptions import RedisClusterException

from scoring.store.breaker import Breaker
from scoring.store.client import Client
from scoring.store.errors import RecordError, StoreUnavailable
from scoring.store.fallback import FallbackFile
from scoring.store.following import Following
from scoring.store.keys import Keys, bucket, customer_hash
from scoring.store.published import Pointer, PublishedSnapshot, nothing_published
from scoring.store.reading import Reading
from scoring.store.recent_record import RECENT_EVENTS, unpack_recent
from scoring.store.records import CustomerRecord, alias_target
from scoring.store.wire import Wire

Command = tuple[bytes, ...]
_LAST = str(RECENT_EVENTS - 1).encode()


class _Raw(NamedTuple):
    """The answers of one round trip; ``pointer`` was read after ``record``."""

    record: bytes | None
    alias: bytes | None
    recent: list[bytes]
    pointer: bytes | None
    live: bytes | None
    carried: bool


class Reader:
    """Reads one workspace. ``secret`` keys the customer hashes; ``workspace_dir`` holds
    fallback.json and the files that processes share. Every read raises StoreUnavailable if there
    is no usable answer in time."""

    def __init__(
        self,
        client: Client,
        workspace: str,
        secret: bytes,
        workspace_dir: Path | None = None,
        *,
        breaker: Breaker | None = None,
    ) -> None:
        self._wire = Wire(client)
        self._workspace = workspace
        self._secret = secret
        self._keys = Keys(workspace)
        self._newest = (b"MGET", self._keys.pointer.encode(), self._keys.live.encode())
        self._breaker = breaker or Breaker()
        self._fallback = FallbackFile(workspace_dir) if workspace_dir else None
        self._following = Following(
            client, self._keys, workspace_dir and workspace_dir / "published"
        )

    def hash_of(self, customer: str) -> bytes:
        """The pseudonym under which Redis (and a landing link) knows the customer, 12 bytes."""
        return customer_hash(self._secret, self._workspace, customer)

    def read(self, customer: str | None = None) -> Reading:
        """Everything for one content call. ``customer`` is an external id or ``kind:identifier``;
        None reads the snapshot alone."""
        return self.customer_by_hash(None if customer is None else self.hash_of(customer))

    def customer_by_hash(self, customer: bytes | None, carry: Command | None = None) -> Reading:
        """As read(), for a customer hash (landing links hold one). ``carry``: a command that
        travels along; that it failed fails nothing else."""
        if not self._breaker.allow():
            raise StoreUnavailable("open", "Redis failed less than half a second ago")
        try:
            reading = self._read(customer, carry)
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

    def fallback(self) -> PublishedSnapshot:
        """The best that is known without Redis: the snapshot this process saw last, else the
        popular items on disk; never raises."""
        latest = self._following.latest
        if latest is not None:
            return latest
        return self._fallback.read() if self._fallback else nothing_published()

    def _read(self, customer: bytes | None, carry: Command | None) -> Reading:
        published, raw = self._consistent(customer, carry)
        carried = raw.carried
        recent = raw.recent
        target = raw.alias
        if target is None and raw.record is not None:
            target = alias_target(raw.record)
        if customer is not None and target and target != customer:  # NOBODY is empty
            published, raw = self._consistent(target, None)
            recent = sorted([*recent, *raw.recent], key=_at, reverse=True)[:RECENT_EVENTS]
            customer = target
        record = None
        if raw.record is not None and alias_target(raw.record) is None:
            record = CustomerRecord(raw.record, published.widths)
        events = tuple(map(unpack_recent, recent)) if recent else ()
        return Reading(published, customer, record, events, carried=carried)

    def _consistent(
        self, customer: bytes | None, carry: Command | None
    ) -> tuple[PublishedSnapshot, _Raw]:
        """A record and the snapshot it belongs to. A record found under a generation belongs to
        it for good; one not found counts only while the pointer still names that generation."""
        following = self._following
        published = following.latest
        raw = self._fetch(published, customer, carry)
        for _attempt in range(2):
            if raw.pointer is None:
                raise StoreUnavailable("no_snapshot", "nothing is published")
            if published is not None and following.is_current(raw.pointer):
                return following.with_live(published, raw.live), raw
            newer = following.follow(Pointer.unpack(raw.pointer).generation)
            if newer is None or newer is published:
                break
            published = newer
            raw = self._fetch(published, customer, None)._replace(carried=raw.carried)
        if published is not None and (raw.record is not None or customer is None):
            return published, raw
        raise StoreUnavailable("loading", "the snapshot is being loaded")

    def _fetch(
        self, published: PublishedSnapshot | None, customer: bytes | None, carry: Command | None
    ) -> _Raw:
        commands = [carry] if carry else []
        if customer is not None:
            keys = self._keys
            generation = published.generation if published is not None else ""
            commands += (
                (b"HGET", keys.customers(generation, bucket(customer)).encode(), customer),
                (b"GET", keys.alias(customer).encode()),
                (b"ZRANGE", keys.recent(customer).encode(), b"0", _LAST, b"REV"),
            )
        commands.append(self._newest)
        answers = self._wire.ask(commands)
        carried = False
        if carry:
            carried = not isinstance(answers.pop(0), redis.RedisError)
        for answer in answers:
            if isinstance(answer, redis.RedisError):
                raise answer
        pointer, live = answers[-1]
        if customer is None:
            return _Raw(None, None, [], pointer, live, carried)
        record, alias, recent = answers[:-1]
        return _Raw(record, alias, recent, pointer, live, carried)


def _at(raw: bytes) -> Any:
    return unpack_recent(raw).at_s
