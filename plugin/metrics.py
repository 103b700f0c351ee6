"""Prometheus metrics that the web workers count themselves (docs/monitoring.md lists all).

With ``PROMETHEUS_MULTIPROC_DIR`` set (gunicorn with several workers), each worker writes into that
folder and ``/metrics`` adds them up. Content calls are counted in memory first and brought into
the folder every half second: a call pays for an addition, not for a file.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path

from flask import Flask, g, request
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from werkzeug.wrappers import Response

from plugin import logs, metric_files
from plugin.gunicorn_conf import MULTIPROCESS_VARIABLE

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (
    0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15,
    0.2, 0.3, 0.5, 0.75, 1.0,
)  # fmt: skip
_LONG_BUCKETS = (*BUCKETS, 2.0, 5.0, 10.0, 20.0)
FLUSH_EVERY_S = 0.5
MOST_SERIES = 300  # of content calls; what comes after that is counted as "other"
_OTHER = "other"


class _Batched(Histogram):
    """A histogram that takes many observations at once."""

    def add(self, counts: list[int], total: float) -> None:
        """``counts`` by bucket, the last one beyond the largest bound; ``total``: their sum."""
        for bucket, count in zip(self._buckets, counts, strict=True):
            if count:
                bucket.inc(count)
        self._sum.inc(total)


class _Tally:
    """What one (kind, reason, why not to send) has been since the last flush."""

    __slots__ = ("counts", "labels", "lock", "total")

    def __init__(self, labels: tuple[str, str | None, str | None]) -> None:
        self.labels = labels
        self.lock = threading.Lock()
        self.counts = [0] * (len(BUCKETS) + 1)
        self.total = 0.0

    def take(self) -> tuple[list[int], float]:
        with self.lock:
            taken = self.counts, self.total
            self.counts, self.total = [0] * (len(BUCKETS) + 1), 0.0
        return taken


class Metrics:
    """Counters of one app. Thread-safe. Labels are words of ours: no id, campaign or address."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.content_seconds = _Batched(
            "rightsend_content_seconds",
            "Time that a content call took inside the process",
            ("kind",),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.store_seconds = _Batched(
            "rightsend_store_round_trip_seconds",
            "Time that content calls waited for the store",
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "rightsend_request_seconds",
            "Time that any other request took inside the process",
            ("route",),
            buckets=_LONG_BUCKETS,
            registry=self.registry,
        )
        self.requests = self._counter(
            "requests", "Answered requests but content calls", "method", "route", "status"
        )
        self.fallbacks = self._counter(
            "content_fallbacks",
            "Content answers that were not what was asked for",
            "kind",
            "reason",
        )
        self.unsent = self._counter(
            "content_unsent", "Content answers that said not to send", "kind", "reason"
        )
        self.unknown_parameters = self._counter(
            "content_unknown_parameters",
            "Content calls with parameters that mean nothing, which were ignored",
            "kind",
        )
        self.events = self._counter("events", "Events received", "source", "outcome")
        self.events_ahead = self._counter(
            "events_ahead", "Events over 10 minutes ahead, put to their arrival", "source"
        )
        self.items = self._counter(
            "live_items", "Items told with stock, price or withdrawal", "outcome"
        )
        self.decisions = self._counter(
            "decisions_dropped",
            "Decisions for which there was no room while the store was away",
        )
        self.landings = self._counter(
            "landing", "Landing pages opened, products clicked", "event", "agent"
        )
        self.taps_lost = self._counter(
            "landing_lost", "Opens and clicks that found no room while the store was away"
        )
        self.loads = self._counter(
            "reader_loads", "Catalogues of new snapshots that a worker loaded", "outcome"
        )
        self.load_seconds = self._counter("reader_load_seconds", "Time spent on loading them")
        self.cpu_seconds = self._counter("web_cpu_seconds", "Processor time of the web workers")
        self._gauges: list[tuple[Gauge, Callable[[], float]]] = []
        self._tallies: dict[tuple[str, str | None, str | None], _Tally] = {}
        self._store = _Tally(("", None, None))
        self._unknown: dict[str, int] = {}  # calls with unknown parameters, by kind
        self._counting = threading.Lock()
        self._flushing = threading.Lock()
        self._started: int | None = None
        self._cpu_s = time.process_time()
        self.gauge("web_resident_bytes", "Memory of the web workers (resident)", resident_bytes)

    def content(
        self, kind: str, seconds: float, reason: str | None = None, unsent: str | None = None
    ) -> None:
        """Counts a content call. ``reason``: of the fallback, None for what was asked for;
        ``unsent``: why not to send, None for send."""
        tally = self._tallies.get((kind, reason, unsent)) or self._tally(kind, reason, unsent)
        with tally.lock:
            tally.counts[bisect_left(BUCKETS, seconds)] += 1
            tally.total += seconds

    def unknown_parameter(self, kind: str) -> None:
        """Counts a content call with parameters that mean nothing."""
        with self._counting:
            self._unknown[kind] = self._unknown.get(kind, 0) + 1

    def round_trip(self, seconds: float) -> None:
        """Counts one wait for the store within a content call."""
        tally = self._store
        with tally.lock:
            tally.counts[bisect_left(BUCKETS, seconds)] += 1
            tally.total += seconds

    def loaded(self, seconds: float, *, ok: bool) -> None:
        """Counts the loading of a snapshot's catalogue."""
        self.loads.labels("loaded" if ok else "failed").inc()
        self.load_seconds.inc(seconds)

    def dropped(self, count: int) -> None:
        """Counts decisions that were not kept, of all workspaces: who looks is of one of them."""
        self.decisions.inc(count)

    def landing(self, event: str, *, robot: bool) -> None:
        """Counts an ``open`` or a ``click``."""
        self.landings.labels(event, "robot" if robot else "person").inc()

    def landing_lost(self, count: int) -> None:
        """Counts opens and clicks that no event tells of."""
        self.taps_lost.inc(count)

    def gauge(self, name: str, about: str, read: Callable[[], float], how: str = "livesum") -> None:
        """A number of this process that ``read`` tells whenever it is looked at. ``how`` the
        numbers of several workers become one: prometheus-client's multiprocess_mode."""
        made = Gauge(
            f"rightsend_{name}",
            about,
            registry=self.registry,
            multiprocess_mode=how,  # type: ignore[arg-type]
        )
        self._gauges.append((made, read))

    def install(self, app: Flask) -> None:
        app.after_request(self._count)

    def start(self) -> None:
        """Brings the numbers of this process into the shared folder from now on. Does nothing
        where there is no such folder, or when it was called before."""
        if self._started == os.getpid() or not os.environ.get(MULTIPROCESS_VARIABLE):
            return
        self._started = os.getpid()
        atexit.register(self.flush)
        threading.Thread(target=self._flush_forever, name="metrics", daemon=True).start()

    def flush(self) -> None:
        """Brings what was counted in memory into the metrics."""
        with self._flushing:
            for tally in [*self._tallies.values()]:
                self._add(tally)
            counts, total = self._store.take()
            self.store_seconds.add(counts, total)
            with self._counting:
                unknown, self._unknown = self._unknown, {}
            for kind, calls in unknown.items():
                self.unknown_parameters.labels(kind).inc(calls)
            for gauge, read in self._gauges:
                gauge.set(read())
            cpu_s = time.process_time()
            self.cpu_seconds.inc(max(0.0, cpu_s - self._cpu_s))
            self._cpu_s = cpu_s

    def render(self, *more: CollectorRegistry) -> bytes:
        """The exposition text: all workers added up, and what ``more`` hold."""
        self.flush()
        folder = os.environ.get(MULTIPROCESS_VARIABLE)
        own = metric_files.read(Path(folder)) if folder else generate_latest(self.registry)
        return b"".join((own, *map(generate_latest, more)))

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"rightsend_{name}", about, labels, registry=self.registry)

    def _tally(self, kind: str, reason: str | None, unsent: str | None) -> _Tally:
        """The first call of its sort."""
        self.start()
        labels = (kind, reason, unsent)
        if len(self._tallies) >= MOST_SERIES:
            labels = (_OTHER, reason and _OTHER, unsent and _OTHER)
        return self._tallies.setdefault(labels, _Tally(labels))

    def _add(self, tally: _Tally) -> None:
        kind, reason, unsent = tally.labels
        counts, total = tally.take()
        calls = sum(counts)
        if not calls:
            return
        self.content_seconds.labels(kind).add(counts, total)
        if reason is not None:
            self.fallbacks.labels(kind, reason).inc(calls)
        if unsent is not None:
            self.unsent.labels(kind, unsent).inc(calls)

    def _flush_forever(self) -> None:
        pause = threading.Event()
        while not pause.wait(FLUSH_EVERY_S):
            try:
                self.flush()
            except Exception:  # noqa: BLE001  the thread must outlive what one flush meets
                logs.seldom("background work failed", reason="metrics", exc_info=True)

    def _count(self, response: Response) -> Response:
        rule = logs.route()
        self.requests.labels(request.method, rule, str(response.status_code)).inc()
        if "started" in g:
            self.request_seconds.labels(rule).observe(time.perf_counter() - g.started)
        return response


def resident_bytes() -> float:
    """Memory of this process that is in RAM (proc(5), statm)."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123  every half second
            return int(file.read().split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return 0.0


_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
