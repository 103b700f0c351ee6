from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from rightsend import process
from rightsend.store_process import embedded_store, owning
from tests.rightsend import shop
from tests.rightsend.waiting import until

pytestmark = pytest.mark.slow
NAMES = {"store", "sandbox", "web", "worker", "nightly", "clock"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Up:
    """A running `rightsend up`."""

    def __init__(self, config: Path, state: Path, port: int, *, starter: str = "") -> None:
        self.state = state
        self.url = f"http://127.0.0.1:{port}"
        words = [sys.executable, "-m", "rightsend.cli", "up", "--config", str(config)]
        words += ["--state", str(state), "--port", str(port), "--die-with-parent"]
        if starter:
            words = [sys.executable, "-c", starter, *words]
        self.process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)

    def pids(self) -> dict[str, int]:
        try:
            return dict(json.loads((self.state / "run" / "pids.json").read_text()))
        except (OSError, ValueError):
            return {}

    def wait(self) -> dict[str, int]:
        until(lambda: set(self.pids()) == NAMES, within_s=60, what="start of all processes")
        until(lambda: self.answers("/healthz"), within_s=60, what="an answer")
        return self.pids()

    def answers(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=30)


@pytest.fixture
def start(tmp_path: Path) -> Iterator:
    config = shop.write(tmp_path / "shop")
    running: list[Up] = []

    def starter(state: str = "state", port: int | None = None, **options) -> Up:
        running.append(Up(config, tmp_path / state, port or free_port(), **options))
        return running[-1]

    yield starter
    for each in running:
        each.end()


def gone(pids: list[int]) -> bool:
    return all(process.started_at(pid) is None for pid in pids)


def test_sigterm_ends_every_process_in_order(start) -> None:
    up = start()
    up.wait()
    family = process.family(up.process.pid)
    assert len(family) > len(NAMES)  # gunicorn's workers as well
    up.process.terminate()
    assert up.process.wait(30) == 0
    assert gone(family)
    with owning(up.state):
        pass  # nothing is held any more


def test_sigkill_of_the_supervisor_ends_every_process(start) -> None:
    up = start()
    up.wait()
    family = process.family(up.process.pid)
    up.process.kill()
    until(lambda: gone(family), within_s=10, what="the end of all")


STARTER = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:]); time.sleep(600)"


def test_sigkill_of_the_caller_ends_every_process(start) -> None:
    up = start(starter=STARTER)  # as make does; SIGKILL to make must not leave orphans
    up.wait()
    family = process.family(up.process.pid)
    up.process.kill()
    until(lambda: gone(family), within_s=30, what="the end of all")


@pytest.mark.parametrize("name", ["web", "worker", "store"])
def test_a_process_that_is_killed_comes_back(start, name: str) -> None:
    up = start()
    before = up.wait()[name]
    os.kill(before, signal.SIGKILL)
    until(lambda: up.pids().get(name) not in (None, before), within_s=30)
    until(lambda: up.answers("/healthz"), within_s=30)


def test_two_installations_stand_side_by_side(start) -> None:
    port = free_port()
    first, second = start("one", port), start("two")
    first.wait()
    second.wait()
    assert not set(first.pids().values()) & set(second.pids().values())


def test_bad_input_a_state_folder_in_use_is_refused(start) -> None:
    first = start()
    first.wait()
    second = start()
    _, error = second.process.communicate(timeout=30)
    assert second.process.returncode == 1
    assert error.splitlines()[-1].startswith("rightsend: the state folder ")
    assert "--state" in error
    assert first.process.poll() is None


def test_bad_input_a_port_that_is_taken_is_refused_at_once(start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        up = start(port=taken.getsockname()[1])
        _, error = up.process.communicate(timeout=30)
    assert up.process.returncode == 1
    assert "is taken by another program; choose another one with --port" in error
    assert not (up.state / "valkey").exists()


def test_bad_input_a_state_folder_that_a_command_uses_is_refused(start, tmp_path: Path) -> None:
    with embedded_store(tmp_path / "state"):
        up = start()
        _, error = up.process.communicate(timeout=30)
    assert up.process.returncode == 1
    assert "is in use by another `rightsend` process" in error
