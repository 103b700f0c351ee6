"""Progress of long work: bars on a terminal, a line a step elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO

from tqdm import tqdm

LINE_EVERY_S = 10.0


class Progress:
    """Callable ``(what, done, total)``; a new ``what`` ends the one before.

    ``total`` None means that nobody knows. A step's time counts from the end of the one before, for
    work is often told of only when it is done. On a terminal there is one bar a step; otherwise one
    line when a step ends, and one every ten seconds while it lasts.
    """

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._what: str | None = None
        self._finished: str | None = None
        self._bar: tqdm[Any] | None = None
        self._started = self._said = time.monotonic()
        self._done = 0

    def __call__(self, what: str, done: int, total: int | None = None) -> None:
        if self._quiet:
            return
        if what != self._what:
            if what == self._finished and total is not None and done >= total:
                return  # said already
            self._begin(what, total)
        self._done = done
        if self._bar is not None:
            self._bar.total = total
            self._bar.update(done - self._bar.n)  # tqdm draws ten times a second at most
        elif time.monotonic() - self._said > LINE_EVERY_S:
            self._line("…")
        if total and done >= total:
            self.close()  # what follows may show no progress: its time is not this step's

    def close(self, end: str = "done") -> None:
        """Ends the last step; ``end`` is said of it."""
        if self._what is None:
            return
        if self._bar is not None:
            self._bar.close()
        else:
            self._line(end)
        self._finished, self._what, self._bar = self._what, None, None
        self._started = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        self.close("done" if failure is None else "stopped")

    def _begin(self, what: str, total: int | None) -> None:
        self.close()
        self._what, self._said = what, time.monotonic()
        if self._stream.isatty():
            self._bar = tqdm(
                desc=f"{what:<24}", total=total, file=self._stream, unit_scale=True, leave=True
            )

    def _line(self, end: str) -> None:
        self._said = time.monotonic()
        count = f"{self._done:,}" if self._done else ""
        seconds = self._said - self._started
        print(f"  {self._what:<28} {count:>12}  {seconds:6.1f} s  {end}", file=self._stream)
        self._stream.flush()
