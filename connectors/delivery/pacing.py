"""When the next request may leave: evenly spaced by the contract, corrected by what answers say.

Tools count requests in windows whose beginning we cannot see. Spaced evenly at 98 % of the rate,
no window of theirs ever holds more than allowed, wherever it begins; what was missed by a hiccup
is made up for only as far as the other 2 % reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from connectors.delivery.runtime import Runtime
from connectors.rate import Rate
from connectors.tool import Window

SHARE = 0.98  # of the contract's rate
CREDIT_SHARE = 0.8 * (1 - SHARE)  # of a window: how far behind may be made up for
MOST_CREDIT_S = 1.0
SLOWER, FASTER = 1.25, 0.95
CALM_S = 60.0  # without a refusal, before the pace is raised again
FEW = 1  # requests left in the tool's window: the rest is for whoever else uses the key


@dataclass
class Pacer:
    """Thread-safe. ``windows`` are the contract's; without any, answers alone set the pace."""

    windows: Sequence[Window]
    runtime: Runtime
    _next: float = 0.0
    _not_before: float = 0.0
    _factor: float = 1.0
    _changed_at: float = 0.0
    _told_s: float = 0.0  # spacing by the newest answer, where there is no contract
    _lock: Lock = field(default_factory=Lock)

    def reserve(self) -> float:
        """Take the next turn; returns the seconds until it."""
        with self._lock:
            now = self.runtime.monotonic()
            if self._factor > 1 and now - self._changed_at > CALM_S:
                self._factor = max(self._factor * FASTER, 1.0)
                self._changed_at = now
            turn = max(self._next, now - self.credit_s, self._not_before)
            self._next = turn + self.interval_s
            return max(turn - now, 0.0)

    def paused_s(self) -> float:
        """Seconds during which nobody may send, whatever turn they have."""
        return max(self._not_before - self.runtime.monotonic(), 0.0)

    @property
    def interval_s(self) -> float:
        """Between two requests."""
        return self._told_s if not self.windows else self._factor * self.fastest_s / SHARE

    @property
    def fastest_s(self) -> float:
        """Between two requests by the contract; 0: it does not say."""
        return max((w.seconds / w.requests for w in self.windows), default=0.0)

    @property
    def credit_s(self) -> float:
        shortest = min((w.seconds for w in self.windows), default=0.0)
        return min(CREDIT_SHARE * shortest, MOST_CREDIT_S)

    def heard(self, rate: Rate) -> None:
        """What an accepted request's answer says of the tool's window."""
        if rate.remaining is None or rate.reset_s is None:
            return
        with self._lock:
            if rate.remaining <= FEW:
                self._pause(rate.reset_s)
            elif not self.windows:
                self._told_s = rate.reset_s / rate.remaining

    def refused(self, after_s: float) -> None:
        """A 429: everybody waits, and goes on more slowly."""
        with self._lock:
            now = self.runtime.monotonic()
            if now >= self._not_before:  # not once more for those that left before it
                self._factor *= SLOWER
                self._changed_at = now
            self._pause(after_s)

    def _pause(self, seconds: float) -> None:
        self._not_before = max(self._not_before, self.runtime.monotonic() + seconds)
