"""A small circuit breaker: after a failure calls fail at once, but one probe each half second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

HOLD_S = 0.5


class Breaker:
    """``clock``: monotonic seconds."""

    def __init__(
        self, hold_s: float = HOLD_S, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._hold_s = hold_s
        self._clock = clock
        self._lock = threading.Lock()
        self._probe_at: float | None = None

    @property
    def closed(self) -> bool:
        return self._probe_at is None

    def allow(self) -> bool:
        """Whether this call may try. While open, one caller per ``hold_s`` is told yes."""
        if self._probe_at is None:
            return True
        with self._lock:
            now = self._clock()
            if self._probe_at is None:
                return True
            if now < self._probe_at:
                return False
            self._probe_at = now + self._hold_s
            return True

    def success(self) -> None:
        self._probe_at = None

    def failure(self) -> None:
        with self._lock:
            self._probe_at = self._clock() + self._hold_s
