"""What a scrape tells besides the workers' own counts: read from the store and from the disk.

Read at most every ``FRESH_S`` a workspace, whoever asks; without the store the scrape is shorter
and says so (``rightsend_store_up 0``), it never fails and never waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import redis
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisClusterException
from rq import Queue, Worker
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.registry import BaseRegistry, FailedJobRegistry, ScheduledJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer

from plugin import documents, syncs
from plugin.runtime import Workspace
from scoring import decision_ledger
from scoring.store.client import Client, queue_server
from scoring.store.errors import StoreUnavailable
from scoring.store.keys import CLOCK, Keys

FRESH_S = 5.0
QUEUES = ("interactive", "nightly")
_JOB_STATES: dict[str, type[BaseRegistry]] = {
    "running": StartedJobRegistry,
    "retrying": ScheduledJobRegistry,
    "failed": FailedJobRegistry,
}
_ENDED = ("done", "gated", "failed")
_AWAY = (redis.RedisError, RedisClusterException, OSError)


class Told(NamedTuple):
    """One number."""

    name: str  # without rightsend_
    value: float
    labels: tuple[str, ...] = ()


TOLD: dict[str, tuple[str, tuple[str, ...]]] = {
    "store_up": ("1 when the store answers", ()),
    "store_ping_seconds": ("How long it took to answer", ()),
    "store_used_bytes": ("Memory that it uses", ()),
    "store_limit_bytes": ("Memory that it may use (maxmemory), 0 without a limit", ()),
    "snapshot_age_seconds": ("Age of the published snapshot", ("workspace",)),
    "snapshot_customers": ("Customers in the published snapshot", ("workspace",)),
    "snapshot_items": ("Items in the published snapshot", ("workspace",)),
    "stream_entries": ("Entries on their way to the lake", ("workspace", "stream")),
    "stream_oldest_age_seconds": ("Age of the oldest of them", ("workspace", "stream")),
    "decisions_logged_total": ("Decisions that came to the lake", ("workspace",)),
    "decisions_late": ("Decisions that are missing there but may come", ("workspace",)),
    "decisions_lost": ("Decisions that did not come in time; may fall", ("workspace",)),
    "live_changes_total": ("Changes of items' stock, price or withdrawal", ("workspace",)),
    "jobs": ("Jobs of the worker processes", ("queue", "state")),
    "jobs_oldest_age_seconds": ("How long the oldest waiting job has waited", ("queue",)),
    "workers": ("Worker processes that live", ("queue",)),
    "clock_age_seconds": ("Since the clock process gave a sign of life", ()),
    "night_finished_timestamp_seconds": ("When the last night ended", ("workspace",)),
    "night_duration_seconds": ("How long it took", ("workspace",)),
    "night_outcome": ("1 for how it ended: done, gated or failed", ("workspace", "outcome")),
    "night_running": ("1 while a night is at work", ("workspace",)),
}  # fmt: skip


class _Families(Collector):
    """Numbers as Prometheus wants them."""

    def __init__(self, told: list[Told]) -> None:
        self._told = told

    def collect(self) -> Iterator[Metric]:
        by_name: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}
        for name, value, labels in self._told:
            if name not in by_name:
                about, names = TOLD[name]
                kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
                by_name[name] = kind(f"rightsend_{name}", about, labels=names)
            by_name[name].add_metric(labels, value)
        return iter(by_name.values())


class Scrape:
    """``client`` gives up at once (``connect(…, send_time=True)``). Thread-safe."""

    def __init__(
        self,
        client: Client,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self._client: Any = client
        self._clock = clock
        self._wall_s = wall_s
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, list[Told]]] = {}

    def registries(self, workspace: Workspace) -> tuple[CollectorRegistry, ...]:
        """What is known about the installation and this workspace, FRESH_S old at most."""
        name = workspace.settings.workspace
        with self._lock:
            read_at, told = self._known.get(name, (0.0, []))
            if not told or self._clock() - read_at >= FRESH_S:
                told = [*self._store(workspace), *_night(workspace), *self._decisions(workspace)]
                self._known[name] = (self._clock(), told)
        found = CollectorRegistry()
        found.register(_Families(told))
        return found, syncs.registry({name: syncs.reports(workspace.folder)})

    def _store(self, workspace: Workspace) -> list[Told]:
        told: list[Told] = []
        try:
            began = self._clock()
            self._client.ping()
            told.append(Told("store_ping_seconds", self._clock() - began))
            told += self._memory()
            told += _snapshot(workspace)
            told += self._streams(workspace.settings.workspace)
            told += self._jobs()
            told.append(Told("store_up", 1))
        except _AWAY:
            told.append(Told("store_up", 0))
        return told

    def _memory(self) -> Iterator[Told]:
        try:
            found = self._client.info("memory")
        except redis.ResponseError:
            return  # not everybody may ask that
        if "used_memory" in found:  # a cluster answers by node
            yield Told("store_used_bytes", found["used_memory"])
            yield Told("store_limit_bytes", found.get("maxmemory", 0))

    def _streams(self, workspace: str) -> Iterator[Told]:
        keys = Keys(workspace)
        for name, key in (("events", keys.stream), ("decisions", keys.decisions)):
            labels = (workspace, name)
            oldest = self._client.xrange(key, count=1)
            age_s = self._wall_s() - int(oldest[0][0].split(b"-")[0]) / 1000 if oldest else 0
            yield Told("stream_entries", self._client.xlen(key), labels)
            yield Told("stream_oldest_age_seconds", max(0.0, age_s), labels)
        yield Told("live_changes_total", int(self._client.get(keys.live) or 0), (workspace,))

    def _decisions(self, workspace: Workspace) -> Iterator[Told]:
        try:
            counts = decision_ledger.read(workspace.folder / "lake").counts(self._wall_s())
        except decision_ledger.LedgerError:
            return  # the worker says so
        name = (workspace.settings.workspace,)
        yield Told("decisions_logged_total", counts.logged, name)
        yield Told("decisions_late", counts.late, name)
        yield Told("decisions_lost", counts.lost, name)

    def _jobs(self) -> Iterator[Told]:
        server = queue_server(self._client)
        for name in QUEUES:
            queue = Queue(name, connection=server, serializer=JSONSerializer)
            yield Told("jobs", queue.count, (name, "waiting"))
            for state, registry in _JOB_STATES.items():
                count = registry(queue=queue).get_job_count(cleanup=False)
                yield Told("jobs", count, (name, state))
            yield Told("jobs_oldest_age_seconds", self._waited_s(queue), (name,))
            yield Told("workers", len(Worker.all(queue=queue)), (name,))
        seen = server.get(CLOCK)
        if seen is not None:
            yield Told("clock_age_seconds", max(0.0, self._wall_s() - float(seen)))

    def _waited_s(self, queue: Queue) -> float:
        first = queue.get_job_ids(0, 1)
        try:
            job = Job.fetch(first[0], connection=queue.connection, serializer=JSONSerializer)
        except (IndexError, NoSuchJobError):
            return 0.0
        since = job.enqueued_at
        if since is None:
            return 0.0
        aware = since if since.tzinfo else since.replace(tzinfo=UTC)
        return max(0.0, self._wall_s() - aware.timestamp())


def _snapshot(workspace: Workspace) -> Iterator[Told]:
    """Nothing when nothing is published."""
    try:
        meta = workspace.reader.published().meta
    except StoreUnavailable:
        return
    name = (workspace.settings.workspace,)
    age = workspace.now() - datetime.fromisoformat(meta["created_at"])
    yield Told("snapshot_age_seconds", age.total_seconds(), name)
    yield Told("snapshot_customers", meta["customers"], name)
    yield Told("snapshot_items", meta["items"], name)


def _night(workspace: Workspace) -> Iterator[Told]:
    """From the newest run report that tells an end, and whether there is a newer one."""
    name = workspace.settings.workspace
    runs = documents.runs(workspace.folder)
    running = runs[:1] and runs[0].get("state") == "running"
    yield Told("night_running", 1 if running else 0, (name,))
    for run in runs:
        try:
            began, ended = (datetime.fromisoformat(run[f"{k}_at"]) for k in ("started", "finished"))
        except (KeyError, TypeError, ValueError):
            continue  # at work, or damaged
        yield Told("night_finished_timestamp_seconds", ended.timestamp(), (name,))
        yield Told("night_duration_seconds", (ended - began).total_seconds(), (name,))
        for outcome in _ENDED:
            yield Told("night_outcome", float(run.get("state") == outcome), (name, outcome))
        return
