"""A process follows what is published: the newest generation and the live changes over it.

Loading goes on in a thread of its own, once for all calls that wait for it; until it is done calls
answer from what was there before. So they do while a newer generation cannot be loaded: it is tried
again after a pause, and no call waits for what failed before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Any, NamedTuple

import redis
import structlog
from redis.exceptions import RedisClusterException

from scoring.store.client import Client
from scoring.store.errors import RecordError, StoreUnavailable
from scoring.store.keys import Keys
from scoring.store.live import LiveItem, changes
from scoring.store.published import Pointer, PublishedSnapshot, load
from scoring.store.watch import NOBODY, Watch

# how long a call waits for a new snapshot; then it answers from the old one
LOAD_WAIT_S = 0.2
RETRY_AFTER_S = 1.0  # a generation that could not be loaded
log = structlog.get_logger("store")
_TROUBLES = (redis.RedisError, RedisClusterException, OSError, RecordError, StoreUnavailable)


class _Failed(NamedTuple):
    """A ``generation`` that could not be loaded; ``retry_s``: on the clock."""

    generation: str
    retry_s: float


class Following:
    """``folder``: where the processes of this machine share what is large; ``clock``: monotonic
    seconds."""

    def __init__(
        self,
        client: Client,
        keys: Keys,
        folder: Path | None,
        watch: Watch = NOBODY,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._watch = watch
        self._clock = clock
        self._client: Any = client
        self._keys = keys
        self._folder = folder
        self._lock = threading.Lock()
        self._pointer = b"", ""  # as read last, and the generation that it names
        self._live_at: bytes | None = None
        self._behind_since_s: float | None = None
        self._live: dict[str, LiveItem] = {}
        self._refreshing = False
        self._loading: tuple[str, Future[PublishedSnapshot]] | None = None
        self._failed: _Failed | None = None
        self.latest: PublishedSnapshot | None = None

    @property
    def loading(self) -> bool:
        """Whether a snapshot is being loaded for which calls wait a little."""
        return self._loading is not None and self._failed is None

    @property
    def failed(self) -> bool:
        """Whether the snapshot that was asked for last could not be loaded."""
        return self._failed is not None

    def is_current(self, pointer: bytes, published: PublishedSnapshot) -> bool:
        """Whether ``published`` is what this pointer names. Raises RecordError for rubbish."""
        seen, generation = self._pointer
        if pointer != seen:
            generation = Pointer.unpack(pointer).generation
            self._pointer = pointer, generation
        return published.generation == generation

    def holds(
        self, published: PublishedSnapshot, pointer: bytes | None, live: bytes | None
    ) -> bool:
        """Whether ``published`` is what is published, and as live, with nothing to be fetched."""
        seen, generation = self._pointer  # which another call may have seen before it is loaded
        return (
            pointer == seen
            and generation == published.generation
            and live == self._live_at
            and published is self.latest
        )

    def follow(self, generation: str) -> PublishedSnapshot | None:
        """The snapshot of ``generation`` if it can be had in LOAD_WAIT_S, otherwise the latest;
        None if there is no other and it is still being loaded.

        Raises StoreUnavailable, RecordError, OSError or redis.RedisError if there is no other and
        it cannot be loaded.
        """
        with self._lock:
            latest = self.latest
            if latest is not None and latest.generation == generation:
                return latest
            future = self._load_of(generation)
        if future is None:
            if latest is None:
                raise StoreUnavailable("loading", f"generation {generation} could not be loaded")
            return latest
        try:
            return future.result(LOAD_WAIT_S)
        except FutureTimeoutError:
            return latest
        except _TROUBLES:
            if latest is None:
                raise
            return latest

    def with_live(self, published: PublishedSnapshot, counter: bytes | None) -> PublishedSnapshot:
        """``published``, as live as this process knows; has what is newer fetched."""
        if counter == self._live_at:
            return published
        with self._lock:
            if self._behind_since_s is None:
                self._behind_since_s = time.monotonic()
            if not self._refreshing:
                self._refreshing = True
                threading.Thread(target=self._refresh, daemon=True).start()
        return published

    @property
    def behind_s(self) -> float:
        """For how long live changes of items have been known but not had, in seconds."""
        since_s = self._behind_since_s
        return 0.0 if since_s is None else time.monotonic() - since_s

    def _load_of(self, generation: str) -> Future[PublishedSnapshot] | None:
        """The loading that a call of now waits for, begun if need be; None after a failure, where
        it is only begun anew when the pause is over."""
        failed = self._failed
        if failed is not None and failed.generation != generation:
            failed = self._failed = None
        if self._loading is not None and self._loading[0] == generation:
            future = self._loading[1]
        elif failed is not None and self._clock() < failed.retry_s:
            return None
        else:
            future = Future()
            threading.Thread(target=self._load, args=(generation, future), daemon=True).start()
            self._loading = (generation, future)
        return future if failed is None else None

    def _load(self, generation: str, future: Future[PublishedSnapshot]) -> None:
        started = time.monotonic()
        try:
            published = load(self._client, self._keys, generation, self._folder)
            with self._lock:
                self.latest = found = _under(published, self._live)
                self._ended(future)
        except Exception as problem:  # noqa: BLE001 - a thread's end: calls must not wait for ever
            took_s = time.monotonic() - started
            self._watch.loaded(took_s, ok=False)
            self._fail(generation, future, problem, took_s)
            return
        self._watch.loaded(time.monotonic() - started, ok=True)
        future.set_result(found)

    def _fail(
        self,
        generation: str,
        future: Future[PublishedSnapshot],
        problem: Exception,
        took_s: float,
    ) -> None:
        with self._lock:
            again = self._failed is not None and self._failed.generation == generation
            if self._ended(future):
                # what takes long to fail must not take most of the processor
                self._failed = _Failed(generation, self._clock() + max(RETRY_AFTER_S, took_s))
        if isinstance(problem, _TROUBLES):
            future.set_exception(problem)
        else:
            told = f"generation {generation}: {type(problem).__name__}"
            future.set_exception(StoreUnavailable("rubbish", told))
        if not again:  # metrics count each
            log.error(
                "snapshot not loaded",
                workspace=self._keys.workspace,
                generation=generation,
                exc_info=problem,
            )

    def _ended(self, future: Future[PublishedSnapshot]) -> bool:
        """Whether it was what calls wait for; a newer one may have been begun meanwhile."""
        newest = self._loading is not None and self._loading[1] is future
        if newest:
            self._loading = self._failed = None
        return newest

    def _refresh(self) -> None:
        try:
            since = int(self._live_at or 0)
            counter, changed, whole = changes(self._client, self._keys, since)
            with self._lock:
                self._live = changed if whole else self._live | changed
                if self.latest is not None:
                    self.latest = _under(self.latest, self._live)
                self._live_at = b"%d" % counter if counter else None
                self._behind_since_s = None
        except (*_TROUBLES, ValueError):
            pass  # the next call asks again
        finally:
            self._refreshing = False


def _under(published: PublishedSnapshot, live: dict[str, LiveItem]) -> PublishedSnapshot:
    numbers = {published.catalogue.number(item_id): each for item_id, each in live.items()}
    known = {number: each for number, each in numbers.items() if number is not None}
    return published.with_live(known) if known or published.catalogue.live else published
