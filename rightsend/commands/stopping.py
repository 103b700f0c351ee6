"""Ctrl-C for work that can be gone on with."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

STOPPED = 128 + signal.SIGINT  # exit status


@contextmanager
def stopped_by_signal() -> Iterator[Event]:
    """The first Ctrl-C or SIGTERM asks to stop; a second one ends the process as ever."""
    asked = Event()
    before: dict[int, Any] = {}

    def ask(number: int, _frame: object) -> None:
        asked.set()
        signal.signal(number, before[number])

    for number in map(int, (signal.SIGINT, signal.SIGTERM)):
        before[number] = signal.signal(number, ask)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
