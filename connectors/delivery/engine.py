"""Bring one target to its desired state: spool, compare, pack, send."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from connectors.delivery.ledger import Ledger, State
from connectors.delivery.lock import only_one
from connectors.delivery.packing import Record, pack
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

Prepare = Callable[[Sender, Ledger], None]
States = Iterable[tuple[str, State]]

SPOOL_TICK = 10_000


@dataclass(frozen=True)
class Delivery:
    """One run. ``space`` names the books that are compared and kept (see ledger)."""

    target: Target
    state_path: Path
    space: str
    report: SyncReport
    progress: Progress = no_progress
    stop: StopAsked = never_stop
    runtime: Runtime = field(default_factory=Runtime)
    backoff: Backoff = field(default_factory=Backoff)

    def run(self, desired: States, prepare: Prepare | None = None) -> None:
        """Make the target hold exactly ``desired``; ``prepare`` is called before the first record.

        Fills the report. Raises Busy, and Stop with all that was accepted kept; asked to stop, it
        returns with ``report.finished`` False.
        """
        started = self.runtime.monotonic()
        kind = self.space.partition(":")[0]
        what = "a push of a segment to" if kind == "segment" else "a sync of"
        lock = self.state_path.with_name(f"{self.state_path.name}.{kind}.lock")
        scratch = self.state_path.with_name(f"{self.state_path.name}.{kind}.scratch")
        try:
            with (
                only_one(lock, f"{what} connection {self.report.connection}"),
                Ledger(self.state_path, scratch, self.space) as ledger,
            ):
                self._run(ledger, desired, prepare)
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

    def _run(self, ledger: Ledger, desired: States, prepare: Prepare | None) -> None:
        sender = Sender(self.target, ledger, self.report, self.stop, self.runtime, self.backoff)
        ledger.desire(self._spooled(desired))
        for reason, customers in ledger.problems():
            self.report.count_reject(reason, customers)
        self.report.changed = total = ledger.count_differences()
        batches = pack(self._records(ledger), self.target.limits)
        if self.report.dry_run:
            for batch in batches:
                self.report.requests += 1
                self.report.data_points += sum(len(record.names) for record in batch)
        else:
            if prepare is not None:
                prepare(sender, ledger)
            for batch in batches:
                sender.send(batch)
                self.progress("send", self.report.accepted, total)
            ledger.tidy()
        self.report.waiting = ledger.count_quarantine()

    def _spooled(self, desired: States) -> Iterator[tuple[str, State]]:
        seen = 0
        for seen, (customer_id, state) in enumerate(desired, start=1):
            if seen % SPOOL_TICK == 0:
                self.progress("compare", seen, None)
                if self.stop():
                    raise StopAskedError
            if not _is_text(customer_id):
                self.report.count_reject("the customer id is not text")
            elif not self.target.addressable(customer_id):
                self.report.unaddressable += 1
            else:
                self.report.profiles += 1
                self.report.data_points_full += 0 if isinstance(state, Reject) else len(state)
                yield customer_id, state
        self.progress("compare", seen, seen)

    def _records(self, ledger: Ledger) -> Iterator[Record]:
        for difference in ledger.differences():
            try:
                encoded = self.target.encode(difference.customer_id, difference.change)
                if len(encoded.body) > self.target.limits.item_bytes:
                    raise Reject("the record is larger than the tool takes")
            except Reject as error:
                self.report.count_reject(error.what)
                if not self.report.dry_run:
                    ledger.refuse(difference.customer_id, difference.desired, error.what)
                continue
            yield Record(
                difference.customer_id,
                tuple(difference.change),
                difference.desired,
                encoded.body,
                encoded.lane,
            )


def _is_text(customer_id: str) -> bool:
    """Whether it can be stored and sent: half a surrogate pair cannot."""
    try:
        return bool(customer_id.encode())
    except (AttributeError, UnicodeEncodeError):
        return False
