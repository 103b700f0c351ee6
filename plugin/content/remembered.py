"""What depends only on a generation and the arguments, made once and kept for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from scoring.store.published import PublishedSnapshot

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """At most ``size`` values; the oldest one makes room. Threads may make a value twice,
    never see half of one; reading takes no lock."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: dict[Hashable, Value] = {}
        self._lock = threading.Lock()

    def of(
        self, published: PublishedSnapshot, make: Callable[[], Value], key: Hashable = None
    ) -> Value:
        """What ``make`` gives for this generation and ``key``; what it raises is not kept. Nor is
        anything of the items on disk, which are few and belong to no generation."""
        if not published.generation:
            return make()
        place = (published.generation, key)
        try:
            return self._values[place]
        except KeyError:
            value = make()
        with self._lock:
            while len(self._values) >= self._size:
                del self._values[next(iter(self._values))]
            self._values[place] = value
        return value

    def __len__(self) -> int:
        return len(self._values)
