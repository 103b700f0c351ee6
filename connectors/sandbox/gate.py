"""What every call of a double passes through: faults, rate window, rate headers, log."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from math import ceil
from threading import Lock

from flask import Blueprint, Response, g, request

from connectors.sandbox.dials import AFTER, BEFORE, INSTEAD, Dials, Fault
from connectors.sandbox.requests_log import Call, RequestLog
from connectors.tool import Window

Refuse = Callable[[int, str], Response]


@dataclass(frozen=True)
class RateHeaders:
    """How a tool spells its rate headers; "" where it has none.

    ``with_429``: whether a 429 carries them beside ``retry_after``.
    """

    limit: str = "X-RateLimit-Limit"
    remaining: str = "X-RateLimit-Remaining"
    reset: str = "X-RateLimit-Reset"
    retry_after: str = "Retry-After"
    with_429: bool = True


NO_RATE_HEADERS = RateHeaders("", "", "", "")


@dataclass(frozen=True)
class Seat:
    """A call's place in the tightest window: ``left`` calls until ``resets_at`` (Unix time)."""

    allowed: bool
    limit: int
    left: int
    resets_at: float


class RateWindows:
    """Windows that start with their first call, or with the clock. Thread-safe."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = Lock()
        self._taken: dict[Window, tuple[float, int]] = {}  # window → (start, calls)

    def take(self, windows: Sequence[Window]) -> Seat | None:
        """A place in all of them, or in none; None when there is no window."""
        with self._lock:
            now = self._now()
            open_ones = [(window, *self._current(window, now)) for window in windows]
            allowed = all(calls < window.requests for window, _, calls in open_ones)
            for window, start, calls in open_ones:
                self._taken[window] = (start, calls + allowed)
            seats = [
                Seat(
                    allowed,
                    window.requests,
                    window.requests - calls - allowed,
                    start + window.seconds,
                )
                for window, start, calls in open_ones
            ]
        return min(seats, key=lambda seat: (seat.left, -seat.resets_at), default=None)

    def _current(self, window: Window, now: float) -> tuple[float, int]:
        start, calls = self._taken.get(window, (now, 0))
        if window.clock:
            opened = now - now % window.seconds
            return opened, calls if start == opened else 0
        return (start, calls) if now < start + window.seconds else (now, 0)


@dataclass(frozen=True)
class Gate:
    """``refuse`` makes an error in the tool's shape, ``other_message`` is a body that says
    something else than success; ``now`` is Unix time."""

    dials: Dials
    log: RequestLog
    now: Callable[[], float]
    refuse: Refuse
    windows: Sequence[Window] = ()
    headers: RateHeaders = RateHeaders()
    other_message: bytes = b"{}"
    prefix: str = ""

    def guard(self, blueprint: Blueprint) -> None:
        """Let all calls of ``blueprint`` pass through here."""
        taken = RateWindows(self.now)
        blueprint.before_request(lambda: self._before(taken))
        blueprint.after_request(self._after)

    def _before(self, taken: RateWindows) -> Response | None:
        g.started = time.monotonic()
        g.fault = self.dials.take(request.path.removeprefix(self.prefix))
        g.seat = taken.take(self.dials.windows(self.windows))
        if g.seat is not None and not g.seat.allowed:
            g.fault = None  # it would hide that the rate was not kept
            return self.refuse(429, "Rate limit exceeded")
        if g.fault is not None and g.fault.kind in BEFORE:
            return self.dials.before(g.fault, self.refuse)
        return None

    def _after(self, response: Response) -> Response:
        fault: Fault | None = g.fault
        now = self.now() + self.dials.clock_skew_s
        response.headers["X-Request-Id"] = f"sandbox-{time.monotonic_ns()}"
        if self.dials.clock_skew_s:
            response.headers["Date"] = formatdate(now, usegmt=True)
        if g.seat is not None and (fault is None or fault.kind not in BEFORE):
            self._tell_rate(response, g.seat, now)  # a told failure has the headers it was told
        self.log.add(
            Call(
                "in",
                datetime.fromtimestamp(self.now(), UTC).isoformat(timespec="seconds"),
                request.method,
                request.path,
                response.status_code,
                int(1000 * (time.monotonic() - g.started)),
                request.content_length or 0,
                "" if fault is None else fault.kind,
            )
        )
        if fault is not None and fault.kind in AFTER:
            return self.dials.after(fault, response, self.other_message)
        return response

    def _tell_rate(self, response: Response, seat: Seat, now: float) -> None:
        names, in_s = self.headers, max(0, ceil(seat.resets_at - self.now()))
        reset = in_s if self.dials.reset_as_seconds else ceil(now + in_s)
        refused = response.status_code == 429
        values: dict[str, int] = {}
        if not refused or names.with_429:
            values = {names.limit: seat.limit, names.remaining: seat.left, names.reset: reset}
        if refused:
            values[names.retry_after] = in_s
        response.headers.update({name: str(value) for name, value in values.items() if name})


def spoiled_items() -> tuple[int, ...]:
    """Indices of the records of this call that a fault wants refused."""
    fault: Fault | None = g.fault
    return fault.items if fault is not None and fault.kind in INSTEAD else ()


def tells_index(dials: Dials) -> bool:
    """Whether this call's answer says which record was refused."""
    return dials.locate_errors and getattr(g.fault, "kind", "") != "item_errors_unlocated"
