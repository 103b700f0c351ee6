"""The newest calls that the sandbox took and made; kept in memory, without bodies or keys."""

from __future__ import annotations

import itertools
import threading
from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 2_000


@dataclass(frozen=True)
class Call:
    """``direction`` is "in" (Braze's API) or "out" (Connected Content)."""

    direction: str
    at: str
    method: str
    target: str  # path or URL, without the query string, which may name a person
    status: int | None  # None: no answer
    ms: int
    bytes: int
    note: str = ""


class RequestLog:
    """Thread-safe; also counts what went in since the start."""

    def __init__(self) -> None:
        self._calls: deque[tuple[int, Call]] = deque(maxlen=KEPT)
        self._numbers = itertools.count(1)
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, call: Call) -> None:
        with self._lock:
            self._calls.append((next(self._numbers), call))
            self._counts[f"calls_{call.direction}"] += 1

    def count(self, **amounts: int) -> None:
        with self._lock:
            self._counts.update(amounts)

    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)

    def newest(self, count: int) -> list[dict[str, Any]]:
        with self._lock:
            kept = list(self._calls)
        return [{"number": number, **asdict(call)} for number, call in kept[: -count - 1 : -1]]
