"""A whole installation in a temporary folder: `rightsend up` with a small shop, and its key."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from plugin.auth import SCOPES, Keys
from rightsend.process import family
from rightsend.store_process import server_of
from scoring.store.client import connect
from scoring.store.keys import Keys as StoreKeys

WORKSPACE = "shop"
START_S = 60.0
_CONFIG = """\
web: {{workers: {workers}}}
sandbox: {{enabled: false}}
log_level: error
workspaces: [shop.yaml]
"""
_WORKSPACE = """\
workspace: shop
sources:
- name: orders
  type: file
  table: events
  path: orders.csv
  columns: {occurred_at: at, identifier: who, event_type: what, item_id: item}
schedule: {nightly: null}
"""


class Installation:
    """A running `up` below ``folder``."""

    def __init__(self, folder: Path, *, workers: int) -> None:
        self.state = folder / "state"
        self.workspace_dir = self.state / "workspaces" / WORKSPACE
        self.port = _free_port()
        self._config = folder / "rightsend.yaml"
        self._config.write_text(_CONFIG.format(workers=workers))
        (folder / "shop.yaml").write_text(_WORKSPACE)
        (folder / "orders.csv").write_text("at,who,what,item\n")
        self.workspace_dir.mkdir(parents=True)
        self.key = Keys(self.workspace_dir).create(SCOPES)[1]
        self._log = (folder / "up.log").open("wb")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = ("up", "--config", str(self._config), "--state", str(self.state))
        self._process = subprocess.Popen(
            (sys.executable, "-m", "rightsend.cli", *words, "--port", str(self.port),
             "--die-with-parent"),
            stdout=self._log, stderr=self._log,
        )  # fmt: skip
        until(lambda: bool(self.pids().get("clock")), "the start of all processes")
        until(self.answers, "an answer")

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)
        self._log.close()

    def pids(self) -> dict[str, int]:
        """Name → process id of what `up` started."""
        try:
            return dict(json.loads((self.state / "run" / "pids.json").read_text()))
        except (OSError, ValueError):
            return {}

    def victims(self, name: str) -> list[int]:
        """Process ids of a program and what it forked, the program's own first."""
        pid = self.pids().get(name)
        return [] if pid is None else family(pid)

    def answers(self) -> bool:
        try:
            with Caller(self.port, self.key) as caller:
                return caller.get("/healthz")[0] == 200
        except OSError:
            return False

    def store(self) -> Any:
        """A client of the embedded store."""
        return connect(server_of(self.state).url)

    def waiting(self) -> int:
        """How many events are not in the lake yet; -1 while the store is away."""
        try:
            with self.store() as client:
                return int(client.xlen(StoreKeys(WORKSPACE).stream))
        except redis.RedisError:
            return -1


class Caller:
    """One connection to the web processes, kept open and made anew when it breaks."""

    def __init__(self, port: int, key: str, *, timeout_s: float = 10.0) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
        self._headers = {"X-Api-Key": key, "Content-Type": "application/json"}

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._http.close()

    def get(self, path: str) -> tuple[int, bytes]:
        return self._call("GET", path, None)

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Raises OSError or http.client.HTTPException when there was no whole answer."""
        return self._call("POST", path, body)

    def _call(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        try:
            if self._http.sock is None:
                self._http.connect()
                self._http.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._http.request(method, path, body, self._headers)
            answer = self._http.getresponse()
            return answer.status, answer.read()
        except BaseException:
            self._http.close()
            raise


@contextmanager
def running(folder: Path, *, workers: int = 2) -> Iterator[Installation]:
    """An installation that runs; ended with all its processes."""
    installation = Installation(folder, workers=workers)
    try:
        installation.start()
        yield installation
    finally:
        installation.stop()


def until(condition: Callable[[], bool], what: str, within_s: float = START_S) -> None:
    """Raises TimeoutError when it does not come true."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {within_s:g} s for {what}")
        time.sleep(0.05)


def kill(pid: int) -> bool:
    """SIGKILL; False if it was gone."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
