"""One request until it is settled: paced, retried with jitter, halved around a bad record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from connectors.delivery.ledger import Ledger
from connectors.delivery.packing import Record
from connectors.delivery.report import SyncReport
from connectors.delivery.runtime import Runtime, StopAsked, wait
from connectors.errors import Retry, Split, Stop
from connectors.rate import UNKNOWN, Rate
from connectors.tool import Outcome, Target

T = TypeVar("T")

MOST_REJECTS_IN_A_ROW = 300  # four full requests without one good record: it is us, not them


@dataclass(frozen=True)
class Backoff:
    """Wait ``first_s`` doubled each time, at most ``longest_s``, times a chance of 0.5 to 1."""

    attempts: int = 8
    first_s: float = 0.5
    longest_s: float = 60.0

    def wait_s(self, attempt: int, asked_s: float | None, runtime: Runtime) -> float:
        """Seconds before attempt ``attempt`` + 1 (the first is 1); never less than asked for."""
        own_s = min(self.first_s * 2.0 ** (attempt - 1), self.longest_s)
        jittered_s = own_s * (0.5 + runtime.chance.random() / 2)
        return jittered_s if asked_s is None else asked_s + self.first_s * runtime.chance.random()


@dataclass
class Sender:
    """Sends records of one sync and keeps its books; ``stop`` is asked before each request."""

    target: Target
    ledger: Ledger
    report: SyncReport
    stop: StopAsked
    runtime: Runtime = field(default_factory=Runtime)
    backoff: Backoff = field(default_factory=Backoff)
    _rate: Rate = UNKNOWN
    _rejects_in_a_row: int = 0

    def send(self, records: Sequence[Record]) -> None:
        """Deliver one request's worth of records: afterwards each is accepted or quarantined.

        Raises Stop when the tool takes nothing, StopAskedError when asked to stop.
        """
        self.ledger.begin(records)
        self._send(records)

    def insist(self, call: Callable[[], T]) -> T:
        """The result of ``call``, repeated while it raises Retry. Raises Stop after the last."""
        attempt = 1
        while True:
            self._pace()
            self.report.requests += 1
            try:
                return call()
            except Retry as error:
                if attempt == self.backoff.attempts:
                    raise Stop(
                        f"gave up after {attempt} attempts: {error.what}",
                        status=error.status,
                        request_id=error.request_id,
                    ) from error
                self._rate = UNKNOWN  # an old window says nothing once the tool was busy
                self._wait(self.backoff.wait_s(attempt, error.after_s, self.runtime))
                self.report.retries += 1
                attempt += 1

    def _send(self, records: Sequence[Record]) -> None:
        try:
            outcome = self.insist(
                lambda: self.target.write(records[0].lane, [r.body for r in records])
            )
        except Split as error:
            self._isolate(records, error.what)
            return
        self._rate = outcome.rate
        self._settle(records, outcome)

    def _settle(self, records: Sequence[Record], outcome: Outcome) -> None:
        refused = [(records[i], reason) for i, reason in sorted(outcome.rejected.items())]
        rest = [record for i, record in enumerate(records) if i not in outcome.rejected]
        if not outcome.unlocated:
            self._book(rest, refused)
            return
        self._book([], refused)
        if rest:
            self._isolate(rest, outcome.unlocated[0])

    def _isolate(self, records: Sequence[Record], reason: str) -> None:
        """Some of these were refused: send the halves apart until the bad ones stand alone."""
        if len(records) == 1:
            self._book([], [(records[0], reason)])
            return
        half = len(records) // 2
        self._send(records[:half])
        self._send(records[half:])

    def _book(self, accepted: Sequence[Record], refused: Sequence[tuple[Record, str]]) -> None:
        self.ledger.settle(accepted, refused)
        self.report.accepted += len(accepted)
        self.report.data_points += sum(len(record.names) for record in accepted)
        for _, reason in refused:
            self.report.count_reject(reason)
        self._rejects_in_a_row = 0 if accepted else self._rejects_in_a_row + len(refused)
        if self._rejects_in_a_row >= MOST_REJECTS_IN_A_ROW:
            raise Stop(f"the tool refused {self._rejects_in_a_row} records in a row")

    def _pace(self) -> None:
        if self._rate.remaining is not None and self._rate.remaining <= 0:
            reset_s = self._rate.reset_s
            self._rate = UNKNOWN
            self._wait(self.backoff.longest_s if reset_s is None else reset_s)
        wait(0, self.runtime, self.stop)

    def _wait(self, seconds: float) -> None:
        self.report.waited_s += seconds
        wait(seconds, self.runtime, self.stop)
