"""Do calls wait for a thread longer than a messaging tool would? Told without asking anybody.

A worker's threads take connections from one queue. How long the last one in it will wait is its
length times the pace at which calls are answered just now; over ``LONGEST_WAIT_S`` the front
answers the prepared non-personal content, which takes a fraction of the time, until the queue is
short again. That is Little's law, L = λ W, solved for W.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

LONGEST_WAIT_S = 0.15
_SMOOTHING = 0.05  # weight of the newest interval: about the last twenty calls count
_PAUSE_S = 1.0  # an interval longer than this says that nobody called


def _nobody() -> int:
    return 0


class Pressure:
    """One a process. Ask once a call: it also measures the pace by being asked."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: Callable[[], int] = _nobody
        self._few = 0
        self._asked_at = 0.0
        self._interval_s = 0.0  # between two answered calls, smoothed

    def watch(self, waiting: Callable[[], int], threads: int) -> None:
        """``waiting`` tells how many calls have no thread yet, for as good as no time."""
        self._few = threads
        self._waiting = waiting

    @property
    def waiting(self) -> int:
        """How many calls have no thread yet; 0 where no server tells."""
        return self._waiting()

    def overloaded(self) -> bool:
        """Whether a call that came now would wait longer than LONGEST_WAIT_S."""
        waiting = self._waiting()
        if waiting <= self._few:
            return False
        now = self._clock()
        passed_s, self._asked_at = now - self._asked_at, now
        if passed_s < _PAUSE_S:
            self._interval_s += _SMOOTHING * (passed_s - self._interval_s)
        return waiting * self._interval_s > LONGEST_WAIT_S

    def of_gunicorn(self, worker: Any) -> None:
        """Watches a gunicorn worker of threads; others keep no queue that could be seen."""
        if hasattr(worker, "waiting"):
            self.watch(lambda: int(worker.waiting), worker.cfg.threads)
