"""Bring one target to its desired state: plan, then send."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from connectors.delivery.ledger import Ledger
from connectors.delivery.lock import only_one
from connectors.delivery.pacing import Pacer
from connectors.delivery.plan import Plan, Policy, Wish
from connectors.delivery.report import SyncReport
from connectors.delivery.runtime import (
    Progress,
    Runtime,
    StopAsked,
    StopAskedError,
    never_stop,
    no_progress,
)
from connectors.delivery.sending import Backoff, Sender
from connectors.errors import ConnectorError, Reject, Stop
from connectors.tool import Target

Prepare = Callable[[Sender, Ledger, Plan], None]

PLAIN = Policy()  # everything that differs is written
TICK = 10_000


@dataclass(frozen=True)
class Delivery:
    """One run. ``space`` names the books that are compared and kept (see ledger)."""

    target: Target
    state_path: Path
    space: str
    report: SyncReport
    policy: Policy = PLAIN
    progress: Progress = no_progress
    stop: StopAsked = never_stop
    runtime: Runtime = field(default_factory=Runtime)
    backoff: Backoff = field(default_factory=Backoff)

    def run(self, desired: Iterable[Wish], prepare: Prepare | None = None) -> None:
        """Make the target hold exactly ``desired``; ``prepare`` is called before the first record.

        Fills the report. Raises Busy, and Stop with all that was accepted kept; asked to stop, it
        returns with ``report.finished`` False.
        """
        started = self.runtime.monotonic()
        kind = self.space.partition(":")[0]
        lock = self.state_path.with_name(f"{self.state_path.name}.{kind}.lock")
        scratch = self.state_path.with_name(f"{self.state_path.name}.{kind}.scratch")
        try:
            with (
                only_one(lock, f"{_what(kind)} connection {self.report.connection}"),
                Ledger(self.state_path, self.space) as ledger,
                Plan(ledger, scratch, self.target, self.policy) as plan,
            ):
                self._plan(ledger, plan, desired)
                if self.report.dry_run:
                    self._foretell(plan)
                else:
                    self._send(ledger, plan, prepare)
                self.report.waiting = ledger.count_quarantine()
            self.report.finished = True
        except StopAskedError:
            self.report.finished = False
        except sqlite3.Error as error:
            problem = f"the state file {self.state_path} cannot be used: {error}"
            raise Stop(problem, report=self.report) from error
        except ConnectorError as error:
            error.report = self.report
            raise
        finally:
            self.report.seconds = self.runtime.monotonic() - started

    def _plan(self, ledger: Ledger, plan: Plan, desired: Iterable[Wish]) -> None:
        ledger.recover()
        plan.desire(self._known(desired))
        for reason, keys in plan.problems():
            self.report.count_reject(reason, keys)
        refused = plan.compare(self._tick)
        for unfit in refused:
            self.report.count_reject(unfit.reason)
            if not self.report.dry_run:
                ledger.refuse(*unfit)
        self.report.changed = plan.totals()[0] + len(refused)
        self.report.postponed, self.report.data_points_postponed = plan.postpone()

    def _foretell(self, plan: Plan) -> None:
        self.report.requests = plan.pack()
        self.report.data_points = plan.totals()[1]
        pace = Pacer(self.target.windows, self.runtime)
        self.report.sending_s = self.report.requests * pace.interval_s

    def _send(self, ledger: Ledger, plan: Plan, prepare: Prepare | None) -> None:
        sender = Sender(
            self.target,
            ledger,
            self.report,
            self.stop,
            self.progress,
            self.runtime,
            self.backoff,
        )
        try:
            if prepare is not None:
                prepare(sender, ledger, plan)
            plan.pack()
            with ledger.tended():
                sender.deliver(plan.requests(), plan.totals()[0])
        except (ConnectorError, StopAskedError):
            with suppress(ConnectorError):  # the next run does it
                self._finish()
            raise
        self._finish()
        self.report.rate_used = _rate_used(self.report, sender.fastest_s)
        plan.tidy()

    def _finish(self) -> None:
        finish = getattr(self.target, "finish", None)
        if finish is not None:
            finish()

    def _known(self, desired: Iterable[Wish]) -> Iterator[Wish]:
        """Those that the tool can know, counted."""
        report, addressable = self.report, self.target.addressable
        seen = 0
        for seen, wish in enumerate(desired, start=1):
            if seen % TICK == 0:
                self.progress("read", seen, None)
                self._stop_if_asked()
            if not _is_text(wish.key):
                report.count_reject("the customer id is not text")
            elif not addressable(wish.key):
                report.unaddressable += 1
            else:
                report.profiles += 1
                report.data_points_full += 0 if isinstance(wish.state, Reject) else len(wish.state)
                yield wish
        self.progress("read", seen, seen)

    def _tick(self, done: int) -> None:
        self.progress("compare", done, None)
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        if self.stop():
            raise StopAskedError


def _rate_used(report: SyncReport, fastest_s: float) -> float | None:
    """Share of the contract's requests in the time of sending; None: it does not say."""
    if not fastest_s or report.sending_s <= 0:
        return None
    return report.requests * fastest_s / report.sending_s


def _what(kind: str) -> str:
    return {
        "attributes": "a sync of",
        "segment": "a push of a segment to",
        "catalog": "a sync of a catalog with",
    }.get(kind, f"a run of {kind} with")


def _is_text(key: str) -> bool:
    """Whether it can be stored and sent: half a surrogate pair cannot."""
    try:
        return bool(key.encode())
    except (AttributeError, UnicodeEncodeError):
        return False
