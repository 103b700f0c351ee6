from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rightsend import process
from rightsend.supervisor import FIRST_BACKOFF_S, Program, Supervisor, how_it_ended
from tests.rightsend.waiting import until

SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True);"
    "time.sleep(600)",
)
# Supervises two sleepers, one of which has a child of its own; prints all process ids.
SUPERVISING = """
import sys
from pathlib import Path
from rightsend.supervisor import Program, Supervisor
sleeper = (sys.executable, "-c", "import time; time.sleep(600)")
parent = (sys.executable, "-c", '''
import functools, os, subprocess, sys, time
from rightsend.process import die_with_parent
start = functools.partial(die_with_parent, parent=os.getpid())
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], preexec_fn=start)
time.sleep(600)
''')
programs = [Program("one", sleeper), Program("two", parent)]
sys.exit(Supervisor(programs, say=print).run())
"""


@pytest.fixture
def running(monkeypatch):
    """Runs a supervisor in a thread of this process, without touching its signal handlers."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    started = []

    def run(*programs: Program) -> tuple[Supervisor, list[str], threading.Thread, list[int]]:
        said: list[str] = []
        codes: list[int] = []
        supervisor = Supervisor(programs, say=said.append)
        thread = threading.Thread(target=lambda: codes.append(supervisor.run()))
        thread.start()
        started.append((supervisor, thread))
        return supervisor, said, thread, codes

    yield run
    for supervisor, thread in started:
        supervisor.request_stop()
        thread.join(20)


def gone(pid: int) -> bool:
    return process.started_at(pid) is None


def test_a_process_that_dies_starts_again_and_the_reason_is_said(running) -> None:
    supervisor, said, _, _ = running(Program("web", SLEEPER))
    first = until(lambda: supervisor.pids().get("web"))
    os.kill(first, signal.SIGKILL)
    until(lambda: supervisor.pids().get("web") not in (None, first))
    assert said == [f"web was ended by SIGKILL, starts again in {FIRST_BACKOFF_S:g} s"]


def test_a_process_that_keeps_failing_is_started_ever_more_slowly(running) -> None:
    _, said, _, _ = running(Program("web", (sys.executable, "-c", "raise SystemExit(3)")))
    until(lambda: len(said) >= 3)
    pauses = [line.split(" in ")[1].split(" s")[0] for line in said[:3]]
    assert pauses == ["0.5", "1", "2"]
    assert "failed with exit status 3" in said[0]


def test_what_a_process_says_goes_into_its_log(running, tmp_path: Path) -> None:
    log = tmp_path / "logs" / "web.log"
    running(Program("web", (sys.executable, "-c", "print('hello')"), log=log))
    until(lambda: log.exists() and "hello" in log.read_text())


def test_stopping_ends_even_a_process_that_ignores_being_asked(running, tmp_path: Path) -> None:
    log = tmp_path / "log"
    supervisor, _, thread, codes = running(Program("deaf", STUBBORN, log=log, grace_s=0.2))
    until(lambda: log.exists() and "up" in log.read_text())
    pid = supervisor.pids()["deaf"]
    supervisor.request_stop()
    thread.join(10)
    assert codes == [0]
    assert gone(pid)


def test_a_failing_one_time_program_ends_all_and_is_the_exit_status(running) -> None:
    supervisor, said, thread, codes = running(
        Program("web", SLEEPER), Program("demo", (sys.executable, "-c", "1/0"), once=True)
    )
    pid = until(lambda: supervisor.pids().get("web"))
    thread.join(20)
    assert codes == [1]
    assert said[-1] == "demo failed with exit status 1"
    assert gone(pid)


def test_a_one_time_program_that_succeeds_leaves_the_others_running(running) -> None:
    supervisor, said, thread, _ = running(
        Program("web", SLEEPER), Program("demo", (sys.executable, "-c", ""), once=True)
    )
    until(lambda: list(supervisor.pids()) == ["web"])
    assert thread.is_alive()
    assert said == []


def test_a_program_that_never_gets_ready_ends_all(running) -> None:
    _, said, thread, codes = running(
        Program("store", SLEEPER, ready=lambda: False, ready_s=0.2), Program("web", SLEEPER)
    )
    thread.join(20)
    assert codes == [1]
    assert said == ["store did not get ready within 0.2 s"]


def test_those_marked_last_end_after_the_others(running) -> None:
    supervisor, _, thread, _ = running(
        Program("store", SLEEPER, last=True), Program("web", SLEEPER)
    )
    pids = until(lambda: len(supervisor.pids()) == 2 and supervisor.pids())
    seen = []
    supervisor.request_stop()
    while thread.is_alive():
        store_gone = gone(pids["store"])  # looked at first: it must never be ahead
        seen.append((store_gone, gone(pids["web"])))
    assert (True, False) not in seen


@pytest.mark.parametrize("sig", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_end_of_the_supervisor_is_the_end_of_all(sig: signal.Signals) -> None:
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISING])
    try:
        until(lambda: len(process.family(supervisor.pid)) == 4)
        family = process.family(supervisor.pid)
        supervisor.send_signal(sig)
        supervisor.wait(20)
        until(lambda: all(gone(pid) for pid in family), what="the end of all")
    finally:
        supervisor.kill()


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "ended"), (2, "failed with exit status 2"), (-9, "was ended by SIGKILL")],
)
def test_how_a_process_ended_in_words(code: int, words: str) -> None:
    assert how_it_ended(code) == words
