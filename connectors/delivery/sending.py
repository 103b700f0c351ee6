"""Requests until they are settled: paced, several at a time, retried with jitter, halved around a
bad record."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from connectors.delivery.flow import Flow
from connectors.delivery.ledger import Ledger, Refusal
from connectors.delivery.pacing import Pacer
from connectors.delivery.packing import Record
from connectors.delivery.report import SyncReport
from connectors.delivery.runtime import (
    LONGEST_NAP_S,
    Progress,
    Runtime,
    StopAsked,
    StopAskedError,
    wait,
)
from connectors.delivery.workers import Workers
from connectors.errors import ConnectorError, Retry, Split, Stop
from connectors.tool import Outcome, Target

T = TypeVar("T")

MOST_REJECTS_IN_A_ROW = 300  # four full requests without one good record: it is us, not them
TOO_MANY = 429
NAP_S = 0.02  # between two looks for answers


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


class Job(NamedTuple):
    """A request under way, by its number in the ledger. ``uncertain``: its records may have been
    written by a request before it."""

    request: int
    records: Sequence[Record]
    uncertain: bool = False


class Done(NamedTuple):
    """What became of a job after ``tries``. ``result`` is an exception of any kind or an answer."""

    job: Job
    result: Outcome | BaseException
    tries: int
    waited_s: float
    answer_s: float  # of the last try


@dataclass
class Sender:
    """Sends the records of one run and keeps its books; ``stop`` is asked before each request."""

    target: Target
    ledger: Ledger
    report: SyncReport
    stop: StopAsked
    progress: Progress
    runtime: Runtime = field(default_factory=Runtime)
    backoff: Backoff = field(default_factory=Backoff)

    def __post_init__(self) -> None:
        self._pacer = Pacer(self.target.windows, self.runtime)
        self.fastest_s = self._pacer.fastest_s  # seconds a request, by the contract
        self._parts: deque[Job] = deque()  # halves of refused requests, begun already
        self._flow = Flow(self.runtime.workers)
        self._rejects_in_a_row = 0
        self._problem: ConnectorError | StopAskedError | None = None

    def deliver(self, batches: Iterable[Sequence[Record]], total: int) -> None:
        """Send; afterwards each record is accepted or quarantined.

        Raises Stop when the tool takes nothing, StopAskedError when asked to stop; what was under
        way is awaited and booked before.
        """
        started = self.runtime.monotonic()
        workers = Workers(self._try, self.runtime.workers)
        source = iter(batches)
        try:
            while self._problem is None:
                if self._parts:
                    self._await_turn(workers)
                    workers.submit(self._parts.popleft())
                elif (batch := next(source, None)) is not None:
                    self._await_turn(workers)
                    if (job := self._begun(batch, workers)) is not None:
                        workers.submit(job)
                elif workers.busy:
                    self._take(workers, wait_for_one=True)
                else:
                    break
                if workers.busy >= self._flow.allowed:
                    self._take(workers, wait_for_one=True)
                self.progress("send", self.report.accepted, total)
            while workers.busy:
                self._take(workers, wait_for_one=True)
        finally:
            workers.close()
            self.report.sending_s += self.runtime.monotonic() - started
        if self._problem is not None:
            raise self._problem

    def insist(self, call: Callable[[], T]) -> T:
        """The result of ``call``, repeated while it raises Retry. Raises Stop after the last."""
        wait(self._pacer.reserve(), self.runtime, self.stop)
        result, tries, waited_s, _ = self._insist(call)
        self._count(tries, waited_s)
        if isinstance(result, BaseException):
            raise result
        return result

    def _try(self, job: Job) -> Done:
        lane, bodies = job.records[0].lane, [record.body for record in job.records]
        return Done(job, *self._insist(lambda: self.target.write(lane, bodies)))

    def _insist(self, call: Callable[[], T]) -> tuple[T | BaseException, int, float, float]:
        """(result or exception, tries, seconds waited in between, seconds of the last try)."""
        waited_s = 0.0
        for attempt in range(1, self.backoff.attempts + 1):
            began = self.runtime.monotonic()
            try:
                return call(), attempt, waited_s, self.runtime.monotonic() - began
            except Retry as error:
                last = error
            except BaseException as error:  # noqa: BLE001 - raised where the job is booked
                return error, attempt, waited_s, self.runtime.monotonic() - began
            if attempt < self.backoff.attempts:
                pause_s = self.backoff.wait_s(attempt, last.after_s, self.runtime)
                if last.status == TOO_MANY:
                    self._pacer.refused(pause_s)
                waited_s += pause_s
                try:
                    wait(pause_s, self.runtime, self.stop)
                    wait(self._pacer.reserve(), self.runtime, self.stop)
                except StopAskedError as error:
                    return error, attempt, waited_s, 0.0
        what = f"gave up after {self.backoff.attempts} attempts: {last.what}"
        stopped = Stop(what, status=last.status, request_id=last.request_id)
        return stopped, self.backoff.attempts, waited_s, 0.0

    def _await_turn(self, workers: Workers[Job, Done]) -> None:
        """Answers are booked meanwhile."""
        left_s = self._pacer.reserve()
        while self._problem is None:
            if self.stop():
                self._problem = StopAskedError()
                return
            left_s = max(left_s, self._pacer.paused_s())
            if left_s <= 0:
                return
            nap_s = min(left_s, NAP_S if workers.busy else LONGEST_NAP_S)
            self.runtime.sleep(nap_s)
            left_s -= nap_s
            self.report.waited_s += nap_s
            if nap_s == NAP_S:  # soon enough otherwise
                self._take(workers, wait_for_one=False)

    def _begun(self, batch: Sequence[Record], workers: Workers[Job, Done]) -> Job | None:
        """The next job; None when there is a problem. What was answered is booked with it, at the
        cost of one write."""
        with self.ledger.transaction():
            self._take(workers, wait_for_one=False)
            return Job(self.ledger.begin(batch), batch) if self._problem is None else None

    def _take(self, workers: Workers[Job, Done], *, wait_for_one: bool) -> None:
        while (done := workers.result(wait=wait_for_one)) is not None:
            wait_for_one = False
            self._count(done.tries, done.waited_s)
            job = done.job
            if done.tries > 1:  # an answer may have been lost
                job = job._replace(uncertain=True)
            if done.answer_s:
                self._flow.answered(done.answer_s)
            if isinstance(done.result, Outcome):
                self._pacer.heard(done.result.rate)
                self._settle(job, done.result)
            elif isinstance(done.result, Split):
                self._book(job, [], [], job.records, done.result.what)
            elif isinstance(done.result, (ConnectorError, StopAskedError)):
                self._problem = self._problem or done.result
            else:
                raise done.result

    def _settle(self, job: Job, outcome: Outcome) -> None:
        records = job.records
        refused = [(records[i], reason) for i, reason in sorted(outcome.rejected.items())]
        rest = (
            [r for i, r in enumerate(records) if i not in outcome.rejected] if refused else records
        )
        if outcome.unlocated:
            taken = job._replace(uncertain=True)  # all but some of them were
            self._book(taken, [], refused, rest, outcome.unlocated[0])
        else:
            self._book(job, rest, refused, [], "")

    def _book(
        self,
        job: Job,
        accepted: Sequence[Record],
        refused: list[Refusal],
        suspects: Sequence[Record],
        reason: str,
    ) -> None:
        """``suspects``: some of these were refused for ``reason``; their halves are sent apart
        until the bad ones stand alone."""
        if len(suspects) == 1:
            refused, suspects = [*refused, (suspects[0], reason)], []
        half = len(suspects) // 2
        parts = [suspects[:half], suspects[half:]] if suspects else []
        numbers = self.ledger.settle(job.request, accepted, refused, parts, job.uncertain)
        jobs = [Job(n, part, job.uncertain) for n, part in zip(numbers, parts, strict=True)]
        self._parts.extendleft(reversed(jobs))
        self.report.accepted += len(accepted)
        self.report.data_points += sum(record.points for record in accepted)
        for _, why in refused:
            self.report.count_reject(why)
        self._rejects_in_a_row = 0 if accepted else self._rejects_in_a_row + len(refused)
        if self._rejects_in_a_row >= MOST_REJECTS_IN_A_ROW:
            what = f"the tool refused {self._rejects_in_a_row} records in a row"
            self._problem = self._problem or Stop(what)

    def _count(self, tries: int, waited_s: float) -> None:
        self.report.requests += tries
        self.report.retries += tries - 1
        self.report.waited_s += waited_s
