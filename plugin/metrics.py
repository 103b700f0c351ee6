"""Prometheus metrics of the web workers.

With ``PROMETHEUS_MULTIPROC_DIR`` set (gunicorn with several workers), each worker writes into that
folder and ``/metrics`` adds them up.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from flask import Flask, g, request
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from werkzeug.wrappers import Response

from plugin import logs

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0, 5.0, 20.0)


class Metrics:
    """Counters of one app."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "rightsend_requests",
            "Answered requests",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.latency = Histogram(
            "rightsend_request_seconds",
            "Time from the first line of the request to the answer",
            ("route",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.fallbacks = Counter(
            "rightsend_fallbacks",
            "Content answers that were not personal although they should have been",
            ("route", "reason"),
            registry=self.registry,
        )
        self.events = Counter(
            "rightsend_events",
            "Events received",
            ("outcome",),
            registry=self.registry,
        )

    def content(self, kind: str, seconds: float, reason: str | None) -> None:
        """A content call was answered."""
        if reason is not None:
            self.fallbacks.labels(kind, reason).inc()
        self.latency.labels(kind).observe(seconds)

    def install(self, app: Flask) -> None:
        app.after_request(self._count)

    def _count(self, response: Response) -> Response:
        rule = logs.route()
        self.requests.labels(request.method, rule, str(response.status_code)).inc()
        if "started" in g:
            self.latency.labels(rule).observe(time.perf_counter() - g.started)
        return response

    def render(self, snapshot_age_s: Mapping[str, float], *more: CollectorRegistry) -> bytes:
        """The exposition text, with the age of the published snapshot by workspace (seconds), and
        what ``more`` hold."""
        registry = self.registry
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)
        ages = CollectorRegistry()
        gauge = Gauge(
            "rightsend_snapshot_age_seconds_now",
            "Age of the published snapshot by the workspace's clock",
            ("workspace",),
            registry=None,
        )
        for workspace, age in snapshot_age_s.items():
            gauge.labels(workspace).set(age)
        ages.register(gauge)
        return b"".join(map(generate_latest, (registry, ages, *more)))
