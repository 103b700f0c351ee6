"""The decision log of a web process: what each content answer was, on its way to the lake.

An answer only adds to a list. A block of them goes along with a later call's round trip; a thread
sends what no call took. Nothing here waits for the store while somebody waits for an answer, and
what cannot be kept is left out and shows as a gap in the process's count (docs/decisions.md).
"""

from __future__ import annotations

import atexit
import secrets
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis
import structlog
from redis.exceptions import RedisClusterException

from plugin.tally import Tally, left_behind
from scoring.store.decisions import Decision, command, pack_block
from scoring.store.errors import RecordError
from scoring.store.keys import Keys

__all__ = ["Decision", "DecisionLog", "DecisionLogs"]

BLOCK = 256  # decisions
AGE_S = 0.25  # of a block's oldest decision when it goes along with a call
IDLE_S = 0.5  # … and when it is sent without one
TICK_S = 0.25
RETRY_S = 0.5  # after a failure, until the next success
LOOK_EVERY_S = 10.0  # for processes that were killed
MOST_OPEN = 8192  # decisions not in a block yet
MOST_BYTES = 8 * 1024 * 1024  # of blocks that wait for the store, of a process
CLOSE_WITHIN_S = 2.0
Command = tuple[bytes, ...]
log = structlog.get_logger("decisions")


class _Budget:
    """The bytes that waiting blocks of all workspaces may take."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._lock = threading.Lock()

    def take(self, size: int, *, anyway: bool = False) -> bool:
        with self._lock:
            if size > self._left and not anyway:
                return False
            self._left -= size
            return True

    def give_back(self, size: int) -> None:
        with self._lock:
            self._left += size


class DecisionLog:
    """The decisions of one workspace that this process made. Thread-safe; nothing here raises."""

    def __init__(self, workspace: str, folder: Path, logs: DecisionLogs) -> None:
        self.workspace = workspace
        self._folder = folder
        self._keys = Keys(workspace)
        self._logs = logs
        self._budget = logs.budget
        self._monotonic = logs.monotonic
        self._lock = threading.Lock()
        self._process = ""  # named with its first decision, so never before a fork
        self._tally: Tally | None = None
        self._tallied = False
        self._numbered: list[int] | memoryview[int] = [0]
        self._open: list[Decision] = []
        self._first = 0  # the number of the first of them
        self._since = 0.0  # when it came
        self._ready: deque[Command] = deque()
        self._not_before = 0.0

    def add(self, decision: Decision) -> None:
        """Keeps it in memory, for a block."""
        with self._lock:
            waiting, numbered = self._open, self._numbered
            if not waiting:
                if not self._process:
                    self._begin()
                self._first = numbered[0]
                self._since = self._monotonic()
            numbered[0] += 1
            if len(waiting) < MOST_OPEN:
                waiting.append(decision)
                return
        self._logs.drop(1)  # its number shows that there was one

    def start(self) -> None:
        """The thread of all logs, before the first decision: it tells of processes that died."""
        self._logs.start()

    def take(self, age_s: float = AGE_S) -> Command | None:
        """A command for the next round trip, if a block is due; then tell sent() or failed()."""
        if len(self._open) >= BLOCK or (self._open and self._monotonic() - self._since >= age_s):
            self._seal()
        if not self._ready or self._monotonic() < self._not_before:
            return None
        try:
            taken = self._ready.popleft()
        except IndexError:
            return None  # another thread was faster
        self._budget.give_back(len(taken[-1]))
        return taken

    def sent(self, _taken: Command) -> None:
        """The store has it."""
        self.try_again()

    def try_again(self) -> None:
        """Without the pause after a failure."""
        self._not_before = 0.0

    def failed(self, taken: Command) -> None:
        """The store may not have it: it goes again, and the lake knows if it came twice."""
        self._not_before = self._monotonic() + RETRY_S
        self._budget.take(len(taken[-1]), anyway=True)
        self._ready.appendleft(taken)

    def count_on_disk(self) -> None:
        """Lets the count outlive the process; for the thread, as a disk may hang."""
        with self._lock:
            if not self._process or self._tallied:
                return
            self._tallied = True
        try:
            tally = Tally(self._folder, self._process)
        except OSError as problem:
            log.warning("decisions uncounted", workspace=self.workspace, why=problem.strerror)
            return
        with self._lock:
            tally.count[0] = self._numbered[0]
            self._tally, self._numbered = tally, tally.count

    def last(self) -> Command | None:
        """What tells the lake that no more will come; None where nothing ever came."""
        if not self._process:
            return None
        return command(self._keys, pack_block(self._process, self._numbered[0], (), ended=True))

    def end(self, *, told: bool) -> None:
        """Gives up the count; without ``told`` another process will find it and tell."""
        if self._tally is not None:
            (self._tally.remove if told else self._tally.close)()
            self._tally, self._numbered = None, [self._numbered[0]]

    def tell_of_dead(self, send: Callable[[Command], bool]) -> None:
        """Tells the lake how far processes came that were killed."""
        try:
            for process, count, path in left_behind(self._folder):
                if send(command(self._keys, pack_block(process, count, (), ended=True))):
                    path.unlink(missing_ok=True)
        except OSError as problem:
            log.warning("dead uncounted", workspace=self.workspace, why=problem.strerror)

    def _begin(self) -> None:
        self._process = secrets.token_hex(8)
        self._logs.start()

    def _seal(self) -> None:
        with self._lock:
            decisions, self._open = self._open, []
            first, process = self._first, self._process
        for start in range(0, len(decisions), BLOCK):
            part = decisions[start : start + BLOCK]
            try:
                block = pack_block(process, first + start, part)
            except (RecordError, LookupError, OverflowError, TypeError) as problem:
                log.error("decisions unwritable", workspace=self.workspace, why=str(problem))
                self._logs.drop(len(part))
                continue
            if self._budget.take(len(block)):
                self._ready.append(command(self._keys, block))
            else:
                self._logs.drop(len(part))


class DecisionLogs:
    """Those of all workspaces, and the thread behind them. ``client`` gives up at once
    (``connect(…, send_time=True)``); ``dropped`` is told how many decisions had no room or could
    not be written."""

    def __init__(
        self,
        client: Any,
        *,
        dropped: Callable[[int], None] = lambda _count: None,
        monotonic: Callable[[], float] = time.monotonic,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.budget = _Budget(most_bytes)
        self.drop = dropped
        self.monotonic = monotonic
        self._client = client
        self._logs: list[DecisionLog] = []
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._look_at = 0.0

    def log(self, workspace: str, folder: Path) -> DecisionLog:
        """The log of a workspace whose files are in ``folder``."""
        made = DecisionLog(workspace, folder, self)
        self._logs.append(made)
        return made

    def start(self) -> None:
        """The thread, which goes on until close(), the end of the process, or until nobody holds
        this any more. The first decision does it, too."""
        with self._starting:
            if self._thread is None:
                atexit.register(_close, weakref.ref(self))
                self._thread = threading.Thread(
                    target=_run,
                    args=(weakref.ref(self), self._stopped),
                    name="decisions",
                    daemon=True,
                )
                self._thread.start()

    def tick(self, age_s: float = IDLE_S) -> bool:
        """Sends what no call took; whether the store took all of it."""
        for each in self._logs:
            each.count_on_disk()
            while (taken := each.take(age_s)) is not None:
                if not self._send(taken):
                    each.failed(taken)
                    return False
                each.sent(taken)
        if self.monotonic() >= self._look_at:
            self._look_at = self.monotonic() + LOOK_EVERY_S
            for each in self._logs:
                each.tell_of_dead(self._send)
        return True

    def close(self) -> None:
        """After the last answer: sends everything and tells the end of this process."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(CLOSE_WITHIN_S)
        deadline = time.monotonic() + CLOSE_WITHIN_S
        while not (whole := self._empty()) and time.monotonic() < deadline:
            time.sleep(TICK_S)
        for each in self._logs:
            last = each.last()
            each.end(told=whole and last is not None and self._send(last))

    def _empty(self) -> bool:
        for each in self._logs:
            each.try_again()
        return self.tick(age_s=0.0)

    def _send(self, taken: Command) -> bool:
        try:
            self._client.execute_command(*taken)
        except (redis.RedisError, RedisClusterException, OSError):
            return False
        return True


def _run(found: weakref.ref[DecisionLogs], stopped: threading.Event) -> None:
    while not stopped.is_set():
        logs = found()
        if logs is None:
            return
        logs.tick()
        del logs
        stopped.wait(TICK_S)


def _close(found: weakref.ref[DecisionLogs]) -> None:
    logs = found()
    if logs is not None:
        logs.close()
