"""Start a campaign for many people, and never twice for anybody.

The books are one SQLite file. Recipients are noted as lost before a request leaves and as sent
once it was answered: after a crash, and when an answer was lost, they stand there as lost, which
means that they may have got the message. Only a person decides to send to those again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.delivery.lock import only_one
from connectors.delivery.runtime import (
    Progress,
    Runtime,
    StopAsked,
    StopAskedError,
    never_stop,
    no_progress,
    wait,
)
from connectors.delivery.sending import Backoff
from connectors.errors import ConnectorError, Lost, Reject, Retry, Split, Stop
from connectors.registry import open_tool
from connectors.tool import Outcome, Recipient, Tool, in_batches
from settings.workspace import ConnectionSettings

LOST, SENT, REFUSED = "lost", "sent", "refused"
MOST_LOST_IN_A_ROW = 3  # requests: the tool is not well, and each may cost its recipients
MOST_REFUSED_IN_A_ROW = 20  # people: it is the campaign, not them

SCHEMA = """
CREATE TABLE IF NOT EXISTS recipient(
    connection TEXT, campaign_id TEXT, customer_id TEXT, state TEXT NOT NULL, reason TEXT NOT NULL,
    at TEXT NOT NULL, PRIMARY KEY(connection, campaign_id, customer_id)) WITHOUT ROWID;
"""


@dataclass
class TriggerReport:
    """Numbers of one run. ``lost`` and ``refused`` are all that stand in the books; ``already``
    were sent to by an earlier run, or lost by it and left alone."""

    connection: str
    campaign_id: str
    finished: bool = False
    sent: int = 0
    already: int = 0
    unaddressable: int = 0
    lost: int = 0
    refused: dict[str, int] = field(default_factory=dict)  # reason → recipients
    requests: int = 0
    retries: int = 0
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Books:
    """What became of each recipient of one campaign of a connection."""

    def __init__(self, path: Path, connection: str, campaign_id: str) -> None:
        self._key = (connection, campaign_id)
        self._db = sqlite3.connect(path, timeout=60, isolation_level=None)
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            # FULL: what is noted as lost must be on the disk before the request leaves.
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(SCHEMA)
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise Stop(_unusable(path, error)) from error

    def close(self) -> None:
        self._db.close()

    def states(self, customer_ids: Sequence[str]) -> dict[str, str]:
        """Customer → state of those who stand in the books."""
        found = {}
        for customer_id in customer_ids:
            row = self._db.execute(
                "SELECT state FROM recipient WHERE (connection, campaign_id, customer_id)"
                " = (?, ?, ?)",
                (*self._key, customer_id),
            ).fetchone()
            if row:
                found[customer_id] = row[0]
        return found

    def note(self, recipients: Sequence[Recipient], state: str, reason: str = "") -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        with self._transaction():
            self._db.executemany(
                "INSERT OR REPLACE INTO recipient VALUES (?, ?, ?, ?, ?, ?)",
                [(*self._key, r.customer_id, state, reason, at) for r in recipients],
            )

    def forget(self, recipients: Sequence[Recipient]) -> None:
        """They surely got nothing."""
        with self._transaction():
            self._db.executemany(
                "DELETE FROM recipient WHERE (connection, campaign_id, customer_id) = (?, ?, ?)",
                [(*self._key, r.customer_id) for r in recipients],
            )

    def lost(self) -> list[str]:
        """Customers who may have got the message, and may not."""
        rows = self._db.execute(
            "SELECT customer_id FROM recipient WHERE (connection, campaign_id, state) = (?, ?, ?)"
            " ORDER BY 1",
            (*self._key, LOST),
        )
        return [customer_id for (customer_id,) in rows]

    def refused(self) -> dict[str, int]:
        """Reason → recipients."""
        rows = self._db.execute(
            "SELECT reason, count(*) FROM recipient WHERE (connection, campaign_id, state)"
            " = (?, ?, ?) GROUP BY 1 ORDER BY 2 DESC, 1",
            (*self._key, REFUSED),
        )
        return dict(rows.fetchall())

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:  # a full disk ends it by itself
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def trigger_campaign(
    connection: ConnectionSettings,
    campaign_id: str,
    recipients: Iterable[Recipient],
    *,
    state_path: Path,
    resend_lost: bool = False,
    progress: Progress = no_progress,
    stop: StopAsked = never_stop,
    runtime: Runtime | None = None,
) -> TriggerReport:
    """Start a campaign for each recipient who has not got it yet, as the books at ``state_path``
    say; with ``resend_lost`` also for those of whom nobody knows.

    Raises Busy and Stop; a rerun goes on where this one ended.
    """
    report = TriggerReport(connection.name, campaign_id)
    with open_tool(connection) as tool:
        run = Triggering(
            tool, report, state_path, resend_lost, progress, stop, runtime or Runtime()
        )
        run.run(recipients)
    return report


def _unusable(path: Path, error: sqlite3.Error) -> str:
    return f"the file {path} cannot be used: {error}"


def erase_recipients(path: Path, customer_ids: Iterable[str]) -> None:
    """Take people out of a file of books, whatever the campaign; no file is fine."""
    if not path.exists():
        return
    db = sqlite3.connect(path, timeout=60, isolation_level=None)
    try:
        db.execute("PRAGMA secure_delete = ON")  # the freed bytes, too
        db.executemany(
            "DELETE FROM recipient WHERE customer_id = ?", [(each,) for each in customer_ids]
        )
    except sqlite3.Error as error:
        raise Stop(_unusable(path, error)) from error
    finally:
        db.close()


@dataclass
class Triggering:
    """One run."""

    tool: Tool
    report: TriggerReport
    state_path: Path
    resend_lost: bool = False
    progress: Progress = no_progress
    stop: StopAsked = never_stop
    runtime: Runtime = field(default_factory=Runtime)
    backoff: Backoff = field(default_factory=Backoff)
    _lost_in_a_row: int = 0
    _refused_in_a_row: int = 0
    _lost_before: frozenset[str] = frozenset()  # of the batch

    def run(self, recipients: Iterable[Recipient]) -> None:
        """Fills the report. Raises Busy, and Stop; a rerun goes on where this one ended."""
        started = self.runtime.monotonic()
        report = self.report
        lock = self.state_path.with_name(f"{self.state_path.name}.lock")
        try:
            with only_one(lock, f"a send of campaign {report.campaign_id}"):
                books = Books(self.state_path, report.connection, report.campaign_id)
                try:
                    self._run(books, recipients)
                    report.finished = True
                except StopAskedError:
                    report.finished = False
                finally:
                    report.lost, report.refused = len(books.lost()), books.refused()
                    books.close()
        except sqlite3.Error as error:
            raise Stop(_unusable(self.state_path, error), report=report) from error
        except ConnectorError as error:
            error.report = report
            raise
        finally:
            report.seconds = self.runtime.monotonic() - started

    def _run(self, books: Books, recipients: Iterable[Recipient]) -> None:
        left_alone = {SENT} if self.resend_lost else {SENT, LOST}
        for batch in in_batches(self._addressable(recipients), self.tool.most_recipients):
            once = {recipient.customer_id: recipient for recipient in batch}
            states = books.states(list(once))
            waiting = [r for each, r in once.items() if states.get(each) not in left_alone]
            self._lost_before = frozenset(each for each in states if states[each] == LOST)
            self.report.already += len(batch) - len(waiting)
            if waiting:
                self._send(books, waiting)
            self.progress("send", self.report.sent + self.report.already, None)

    def _addressable(self, recipients: Iterable[Recipient]) -> Iterator[Recipient]:
        addressable = self.tool.attributes().addressable
        for recipient in recipients:
            if addressable(recipient.customer_id):
                yield recipient
            else:
                self.report.unaddressable += 1

    def _send(self, books: Books, recipients: Sequence[Recipient]) -> None:
        books.note(recipients, LOST)
        try:
            outcome = self._insist(recipients)
        except Lost as error:
            books.note(recipients, LOST, error.what)
            self._lost_in_a_row += 1
            if self._lost_in_a_row >= MOST_LOST_IN_A_ROW:
                raise Stop(f"{MOST_LOST_IN_A_ROW} requests in a row were lost: {error}") from error
        except (Split, Reject) as error:
            self._forget(books, recipients)
            self._isolate(books, recipients, error.what)
        except (Stop, StopAskedError):
            self._forget(books, recipients)
            raise
        else:
            self._settle(books, recipients, outcome)

    def _settle(self, books: Books, recipients: Sequence[Recipient], outcome: Outcome) -> None:
        """The request was accepted, though perhaps not for everybody."""
        self._lost_in_a_row = 0
        for index, reason in outcome.rejected.items():
            books.note([recipients[index]], REFUSED, reason)
        rest = [r for index, r in enumerate(recipients) if index not in outcome.rejected]
        if not outcome.unlocated:
            books.note(rest, SENT)
            self.report.sent += len(rest)
            self._refused_in_a_row = 0 if rest else self._refused_in_a_row
        elif len(rest) == 1:
            books.note(rest, REFUSED, outcome.unlocated[0])
        else:  # one of them got nothing, and nobody says who
            books.note(rest, LOST, outcome.unlocated[0])

    def _forget(self, books: Books, recipients: Sequence[Recipient]) -> None:
        """They got nothing now; of whom an earlier run does not know stands there as before."""
        books.forget([each for each in recipients if each.customer_id not in self._lost_before])

    def _isolate(self, books: Books, recipients: Sequence[Recipient], reason: str) -> None:
        """Nobody got anything because of somebody: send to the halves apart."""
        if len(recipients) == 1:
            books.note(recipients, REFUSED, reason)
            self._refused_in_a_row += 1
            if self._refused_in_a_row >= MOST_REFUSED_IN_A_ROW:
                raise Stop(f"the tool refused {self._refused_in_a_row} in a row: {reason}")
            return
        half = len(recipients) // 2
        self._send(books, recipients[:half])
        self._send(books, recipients[half:])

    def _insist(self, recipients: Sequence[Recipient]) -> Outcome:
        """Repeat only what surely was not carried out. Raises Lost, Split, Stop, StopAskedError."""
        attempt = 1
        wait(0, self.runtime, self.stop)
        while True:
            self.report.requests += 1
            try:
                return self.tool.trigger(self.report.campaign_id, recipients)
            except Retry as error:
                if attempt == self.backoff.attempts:
                    raise Stop(
                        f"gave up after {attempt} attempts: {error.what}", status=error.status
                    ) from error
                wait(
                    self.backoff.wait_s(attempt, error.after_s, self.runtime),
                    self.runtime,
                    self.stop,
                )
                self.report.retries += 1
                attempt += 1
