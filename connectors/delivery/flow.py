"""How many requests may be under way: as many as fill the rate, no more than the tool can serve.

What is under way when the process dies is in doubt and will be sent once more, so it is kept small.
Requests that wait inside the tool bring nothing: when answers take much longer than the fastest
did, fewer are sent at a time (as in TCP Vegas, Brakmo and Peterson 1995).
"""

from __future__ import annotations

from dataclasses import dataclass

START = 2.0
SLACK_S = 0.015  # of our own threads: says nothing of the tool
QUICK, SLOW = 2.0, 3.0  # times the fastest answer
FEWER = 0.9
SMOOTHING = 0.2


@dataclass
class Flow:
    """``limit`` grows by one for every ``limit`` quick answers and shrinks with a slow one."""

    most: int
    limit: float = START
    _fastest_s: float = float("inf")
    _usual_s: float = 0.0

    @property
    def allowed(self) -> int:
        return min(int(self.limit), self.most)

    def answered(self, seconds: float) -> None:
        """An answer took this long."""
        self._fastest_s = min(self._fastest_s, seconds)
        self._usual_s += SMOOTHING * (seconds - self._usual_s) if self._usual_s else seconds
        if self._usual_s < QUICK * self._fastest_s + SLACK_S:
            self.limit = min(self.limit + 1 / self.limit, float(self.most))
        elif self._usual_s > SLOW * self._fastest_s + SLACK_S:
            self.limit = max(self.limit * FEWER, 1.0)
