"""Metrics of landing pages."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter


class TapCounts:
    """What became of opens and clicks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._taps = Counter(
            "rightsend_landing_taps",
            "Landing pages opened and links followed; sign: what betrayed a program, else empty",
            ("kind", "sign"),
            registry=registry,
        )
        self._lost = Counter(
            "rightsend_landing_taps_lost",
            "Opens and clicks for which there was no room while the store was away",
            registry=registry,
        )

    def tapped(self, kind: str, sign: str) -> None:
        """``kind``: open or click."""
        self._taps.labels(kind, sign).inc()

    def lost(self, taps: int) -> None:
        self._lost.inc(taps)
