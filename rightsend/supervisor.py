"""Keeps a few processes running: starts them in order, restarts what dies, ends all together.

Every child is put into a session of its own, so that Ctrl-C reaches the supervisor alone, and gets
SIGKILL from the kernel when the supervisor dies, however it dies. Children must therefore be
started from the supervisor's main thread (prctl(2) counts threads, not processes).
"""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from rightsend.process import die_with_parent

POLL_S = 0.1
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 30.0
STEADY_S = 30.0  # a process that lived this long starts again without waiting
LARGEST_LOG_BYTES = 10_000_000


@dataclass(frozen=True)
class Program:
    """One process to run.

    ``once``: ends by itself; its failure ends everything. ``log`` None writes to the terminal.
    ``start`` replaces the command for a process that has its own way to start. ``ready`` is polled
    (at most ``ready_s``) before the next program starts. ``last`` programs end after all others.
    """

    name: str
    command: Sequence[str] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None
    once: bool = False
    last: bool = False
    start: Callable[[], subprocess.Popen[bytes]] | None = None
    ready: Callable[[], bool] | None = None
    ready_s: float = 30.0
    grace_s: float = 8.0


@dataclass
class _Child:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float | None = None  # when to start (again)
    backoff_s: float = FIRST_BACKOFF_S


class Supervisor:
    """Runs programs until a signal, or until a ``once`` program fails.

    ``say`` gets one line a happening; ``tick`` is called about ten times a second.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        say: Callable[[str], None],
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._children = [_Child(program) for program in programs]
        self._say = say
        self._tick = tick
        self._stop_requested = False
        self._exit_code = 0

    def run(self) -> int:
        """Starts everything and stays until it is over; returns the exit code."""
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sig, self.request_stop)
        try:
            self._start_all()
            while not self._stop_requested:
                self._look()
                self._tick()
                time.sleep(POLL_S)
        finally:
            self.stop()
        return self._exit_code

    def request_stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        self._stop_requested = True

    def pids(self) -> dict[str, int]:
        """Name → process id of what runs now."""
        return {
            child.program.name: child.process.pid
            for child in self._children
            if child.process is not None and child.process.poll() is None
        }

    def stop(self) -> None:
        """Asks all to end, then ends them; those marked ``last`` after the others."""
        for last in (False, True):
            children = [child for child in self._children if child.program.last is last]
            for child in children:
                _signal(child, signal.SIGTERM)
            deadline = time.monotonic() + max((c.program.grace_s for c in children), default=0)
            for child in children:
                _wait(child, deadline - time.monotonic())
                _signal(child, signal.SIGKILL)
                _wait(child, 5)

    def _start_all(self) -> None:
        for child in self._children:
            if self._stop_requested:
                return
            self._start(child)
            self._wait_ready(child)

    def _wait_ready(self, child: _Child) -> None:
        program = child.program
        if program.ready is None:
            return
        deadline = time.monotonic() + program.ready_s
        while not self._stop_requested and not program.ready():
            if time.monotonic() > deadline:
                self._fail(f"{program.name} did not get ready within {program.ready_s:g} s")
                return
            self._look()
            time.sleep(POLL_S)

    def _start(self, child: _Child) -> None:
        program = child.program
        child.started, child.due = time.monotonic(), None
        child.process = program.start() if program.start else spawn(program)

    def _look(self) -> None:
        for child in self._children:
            if child.due is not None and time.monotonic() >= child.due:
                self._start(child)
            elif child.process is not None and child.process.poll() is not None:
                self._ended(child, child.process.returncode)

    def _ended(self, child: _Child, code: int) -> None:
        program, child.process = child.program, None
        if program.once:
            if code != 0 and not self._stop_requested:
                self._fail(f"{program.name} {how_it_ended(code)}")
            return
        if time.monotonic() - child.started >= STEADY_S:
            child.backoff_s = FIRST_BACKOFF_S
        child.due = time.monotonic() + child.backoff_s
        where = f"; its words: {program.log}" if program.log else ""
        self._say(
            f"{program.name} {how_it_ended(code)}, starts again in {child.backoff_s:g} s{where}"
        )
        child.backoff_s = min(child.backoff_s * 2, LONGEST_BACKOFF_S)

    def _fail(self, sentence: str) -> None:
        self._say(sentence)
        self._exit_code = 1
        self._stop_requested = True


def spawn(program: Program) -> subprocess.Popen[bytes]:
    """Starts a program in a session of its own; it dies with the calling process."""
    log = _open_log(program.log)
    try:
        return subprocess.Popen(  # noqa: S603  the command is our own
            program.command,
            env={**os.environ, **program.environ},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT if log else None,
            start_new_session=True,
            # two system calls, bound before the fork
            preexec_fn=functools.partial(die_with_parent, parent=os.getpid()),  # noqa: PLW1509
        )
    finally:
        if log:
            log.close()


def how_it_ended(code: int) -> str:
    """Popen's return code in words."""
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return "ended" if code == 0 else f"failed with exit status {code}"


def _open_log(path: Path | None) -> IO[bytes] | None:
    if path is None:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LARGEST_LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def _signal(child: _Child, sig: signal.Signals) -> None:
    if child.process is None or child.process.poll() is not None:
        return
    if sig is signal.SIGKILL:
        try:
            os.killpg(child.process.pid, sig)  # with the children that it has not ended itself
        except (ProcessLookupError, PermissionError):
            child.process.kill()  # not a group of its own
    else:
        child.process.send_signal(sig)


def _wait(child: _Child, seconds: float) -> None:
    if child.process is not None:
        try:
            child.process.wait(timeout=max(seconds, 0))
        except subprocess.TimeoutExpired:
            return
