"""Have calls waited longer than a messaging tool would? Told without asking anybody.

What has waited for more than ``LONGEST_WAIT_S`` before it is worked on gets the prepared
non-personal content, which takes a fraction of the time, so that the queue is short again soon.
The time that a call has spent in the queue tells a standing queue from a burst, as its length does
not (Nichols and Jacobson, Controlling Queue Delay, 2012).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LONGEST_WAIT_S = 0.15


def _nothing() -> float:
    return 0.0


class Pressure:
    """One a process; without a server that tells, nothing waits."""

    def __init__(self) -> None:
        self._waited_s: Callable[[], float] = _nothing
        self._waiting: Callable[[], float] = _nothing

    def watch(self, waiting: Callable[[], int], waited_s: Callable[[], float]) -> None:
        """``waiting`` tells how many calls are not worked on yet, ``waited_s`` for how long the one
        that asks has waited; both for as good as no time."""
        self._waiting, self._waited_s = waiting, waited_s

    @property
    def waiting(self) -> int:
        """How many calls are not worked on yet."""
        return int(self._waiting())

    def overloaded(self) -> bool:
        """Whether the call that is being answered has waited longer than LONGEST_WAIT_S."""
        return self._waited_s() > LONGEST_WAIT_S

    def of_gunicorn(self, worker: Any) -> None:
        """Watches a worker of ours; others keep no queue that could be seen."""
        if hasattr(worker, "waited_s"):
            self.watch(lambda: int(worker.waiting), worker.waited_s)
