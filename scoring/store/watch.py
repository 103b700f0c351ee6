"""Who wants to know how reading goes: the metrics of a web process, in most other places nobody."""

from __future__ import annotations

from typing import Protocol


class Watch(Protocol):
    """Told often, by many threads: it must not take long, and never raise."""

    def round_trip(self, seconds: float) -> None:
        """The store answered."""

    def loaded(self, seconds: float, *, ok: bool) -> None:
        """The catalogue of a snapshot was loaded, or could not be."""


class Nobody:
    """Wants to know nothing."""

    def round_trip(self, seconds: float) -> None:
        """Not counted."""

    def loaded(self, seconds: float, *, ok: bool) -> None:
        """Not counted."""


NOBODY = Nobody()
