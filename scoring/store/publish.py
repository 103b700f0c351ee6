"""Publishes a snapshot: everything beside the old one, then one pointer, then the old one goes.

Killed anywhere, readers stay on what they had; the next publish removes what was half written.
"""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import redis
from redis.exceptions import RedisClusterException

from scoring.snapshot import Snapshot, SnapshotError, SnapshotMeta
from scoring.store.client import Client
from scoring.store.content import Content
from scoring.store.customers import customer_buckets
from scoring.store.errors import PublishError, RecordError
from scoring.store.fallback import write_fallback
from scoring.store.keys import Keys
from scoring.store.published import Layout, Pointer

Progress = Callable[[str, int, int | None], None]
COMMANDS_A_TRIP = 256
# records outlive the pointer, so that no customer is unknown while the pointer still stands
RECORD_MARGIN_S = 3600
GRACE_S = 60  # readers that still load the new catalogue answer from the old snapshot


class Publisher:
    """Publishes snapshots of one workspace; one process at a time (a lock file in
    ``workspace_dir``, so that a killed publisher blocks nobody)."""

    def __init__(self, client: Client, workspace: str, secret: bytes, workspace_dir: Path) -> None:
        self._client: Any = client  # redis-py's types say str or bytes everywhere
        self._keys = Keys(workspace)
        self._secret = secret
        self._workspace_dir = workspace_dir

    def active(self) -> SnapshotMeta | None:
        """What readers see now; None if nothing is published, or nothing that can be read.

        Raises redis.RedisError if Redis does not answer.
        """
        pointer = self._pointer()
        raw = pointer and self._client.get(self._keys.meta(pointer.generation))
        if raw is None:
            return None
        try:
            return SnapshotMeta.from_json(Layout.unpack(raw).meta)
        except (RecordError, SnapshotError):
            return None

    def previous(self) -> str | None:
        """The id of the snapshot that was active before this one."""
        pointer = self._pointer()
        return pointer and pointer.previous

    def published(self) -> list[str]:
        """Snapshot ids of all generations in Redis, also half-written and parting ones."""
        return sorted({entry["snapshot"] for entry in self._generations().values()})

    def publish(
        self,
        snapshot: Snapshot,
        *,
        ttl_s: int,
        now: datetime,
        progress: Progress = lambda _step, _done, _total: None,
        grace_s: int = GRACE_S,
        without: Collection[bytes] = (),
    ) -> str:
        """Makes ``snapshot`` what readers see; returns the new generation.

        ``without``: customer hashes to leave out (erased customers). The snapshot before leaves
        Redis after ``grace_s`` (0: at once). Raises PublishError, with nothing moved, if Redis
        fails or refuses, or if the scores cannot be packed.
        """
        with self._alone():
            try:
                return self._publish(snapshot, ttl_s, now, progress, grace_s, frozenset(without))
            except (redis.RedisError, RedisClusterException) as problem:
                raise PublishError(f"Redis failed or refused: {problem}") from problem
            except (RecordError, SnapshotError) as problem:
                name = snapshot.meta.snapshot
                raise PublishError(f"snapshot {name} cannot be published: {problem}") from problem

    def _publish(
        self,
        snapshot: Snapshot,
        ttl_s: int,
        now: datetime,
        progress: Progress,
        grace_s: int,
        without: frozenset[bytes],
    ) -> str:
        before = self._pointer()
        for generation in self._generations():
            if before is None or generation != before.generation:
                self._remove(generation)
        content = Content(snapshot)
        generation = secrets.token_hex(4)
        self._register(generation, snapshot.meta.snapshot, content.chunks, ttl_s, now)
        try:
            self._write_content(content, generation, ttl_s)
            self._write_customers(snapshot, content, generation, ttl_s, progress, without)
        except (redis.ResponseError, RecordError, SnapshotError):
            self._remove(generation)
            raise
        write_fallback(self._workspace_dir, snapshot.meta.to_json(), content.fallback())
        self._move_pointer(generation, snapshot.meta.snapshot, before, ttl_s)
        if before is not None:
            self._retire(before.generation, grace_s)
        return generation

    def _write_content(self, content: Content, generation: str, ttl_s: int) -> None:
        expiry_s = ttl_s + RECORD_MARGIN_S
        pipe = self._client.pipeline(transaction=False)
        for chunk in range(content.chunks):
            pipe.set(self._keys.items(generation, chunk), content.items(chunk), ex=expiry_s)
            pipe.set(self._keys.related(generation, chunk), content.relations(chunk), ex=expiry_s)
            if len(pipe) >= COMMANDS_A_TRIP // 8:
                pipe.execute()
        pipe.set(self._keys.meta(generation), content.layout(generation).pack(), ex=expiry_s)
        pipe.execute()

    def _write_customers(
        self,
        snapshot: Snapshot,
        content: Content,
        generation: str,
        ttl_s: int,
        progress: Progress,
        without: frozenset[bytes],
    ) -> None:
        pipe = self._client.pipeline(transaction=False)
        buckets = customer_buckets(snapshot, content, self._keys.workspace, self._secret, without)
        for done, bucket, fields in buckets:
            key = self._keys.customers(generation, bucket)
            pipe.hset(key, mapping=fields)
            pipe.expire(key, ttl_s + RECORD_MARGIN_S)
            if len(pipe) >= COMMANDS_A_TRIP:
                pipe.execute()
                progress("publish", done, snapshot.meta.customers)
        pipe.execute()
        progress("publish", snapshot.meta.customers, snapshot.meta.customers)

    def _move_pointer(
        self, generation: str, snapshot: str, before: Pointer | None, ttl_s: int
    ) -> None:
        previous = before and (before.previous if before.snapshot == snapshot else before.snapshot)
        pipe = self._client.pipeline(transaction=True)
        pipe.set(self._keys.pointer, Pointer(generation, snapshot, previous).pack(), ex=ttl_s)
        pipe.expire(self._keys.generations, ttl_s + 2 * RECORD_MARGIN_S)
        pipe.execute()

    def _register(
        self, generation: str, snapshot: str, chunks: int, ttl_s: int, now: datetime
    ) -> None:
        """Before the first key is written: what a killed publisher leaves is known by name."""
        entry = {"snapshot": snapshot, "chunks": chunks, "started_at": now.isoformat()}
        pipe = self._client.pipeline(transaction=True)
        pipe.hset(self._keys.generations, generation, orjson.dumps(entry))
        pipe.expire(self._keys.generations, ttl_s + 2 * RECORD_MARGIN_S)
        pipe.execute()

    def _retire(self, generation: str, grace_s: int) -> None:
        if grace_s <= 0:
            self._remove(generation)
            return
        for pipe, key in self._each_key(generation):
            pipe.expire(key, grace_s)

    def _remove(self, generation: str) -> None:
        for pipe, key in self._each_key(generation):
            pipe.unlink(key)
        self._client.hdel(self._keys.generations, generation)

    def _each_key(self, generation: str) -> Iterator[tuple[redis.client.Pipeline, str]]:
        """Yields (pipeline, key); a full pipeline is executed before the next key, the last one
        at the end."""
        entry = self._generations().get(generation, {"chunks": 0})
        pipe = self._client.pipeline(transaction=False)
        for key in self._keys.generation(generation, entry["chunks"]):
            yield pipe, key
            if len(pipe) >= COMMANDS_A_TRIP:
                pipe.execute()
        pipe.execute()

    def _pointer(self) -> Pointer | None:
        """None also for a damaged one: publishing puts a good one in its place."""
        raw = self._client.get(self._keys.pointer)
        try:
            return None if raw is None else Pointer.unpack(raw)
        except RecordError:
            return None

    def _generations(self) -> dict[str, dict[str, Any]]:
        entries = self._client.hgetall(self._keys.generations)
        return {name.decode(): orjson.loads(entry) for name, entry in entries.items()}

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._workspace_dir.mkdir(parents=True, exist_ok=True)
        with (self._workspace_dir / ".publish.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
