"""Time and chance, passed in, so that tests need neither."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

Progress = Callable[[str, int, int | None], None]  # step, done, of how many (None: unknown)
StopAsked = Callable[[], bool]

LONGEST_NAP_S = 0.5  # a sync that is asked to stop does so within this
MOST_WORKERS = 64  # requests under way: at 1,000 a second answers may take 64 ms


def no_progress(step: str, done: int, total: int | None) -> None:
    """A progress callback that shows nothing."""


def never_stop() -> bool:
    return False


@dataclass(frozen=True)
class Runtime:
    """``monotonic`` and ``sleep`` in seconds; ``chance`` jitters the waits; at most ``workers``
    requests are under way at a time."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: random.Random = field(default_factory=random.Random)
    workers: int = MOST_WORKERS


class StopAskedError(Exception):
    """The caller asked to stop while delivery was waiting."""


def waiting(runtime: Runtime, stop: StopAsked) -> Callable[[float], None]:
    """``wait`` as a tool takes it."""
    return lambda seconds: wait(seconds, runtime, stop)


def wait(seconds: float, runtime: Runtime, stop: StopAsked) -> None:
    """Sleep in short naps. Raises StopAskedError as soon as ``stop()`` is true, also for 0 s."""
    left = seconds
    while not stop():
        if left <= 0:
            return
        nap = min(left, LONGEST_NAP_S)
        runtime.sleep(nap)
        left -= nap
    raise StopAskedError
