"""Stops, reloads, takes over and recycles its workers under load: nobody's request is dropped."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
pytest_plugins = ("tests.plugin.gunicorn_server",)
CALLERS = 12
WITHIN_S = 30.0
REQUEST = b"GET /v1/content/for-you?customer=customer-001&limit=3 HTTP/1.1\r\nHost: x\r\n"


class Caller(threading.Thread):
    """Asks over a connection that it keeps as long as the server does, ``pause_s`` apart.

    ``answered`` whole 200 answers; ``refused``: nobody listened; ``dropped``: what became of
    requests that were sent and not answered.
    """

    def __init__(self, wire, pause_s: float = 0.0) -> None:
        super().__init__()
        self._wire = wire
        self._pause_s = pause_s
        self._stopped = threading.Event()
        self._connection: socket.socket | None = None
        self._raw = REQUEST + b"X-Api-Key: " + wire.key.encode() + b"\r\n\r\n"
        self.answered = self.refused = 0
        self.dropped: list[str] = []

    def run(self) -> None:
        while not self._stopped.wait(self._pause_s):
            try:
                if self._connection is None:
                    self._connection = self._wire.connect()
            except (ConnectionRefusedError, FileNotFoundError):
                self.refused += 1
                self._stopped.wait(0.01)
                continue
            try:
                self._ask(self._connection)
            except (OSError, AssertionError) as problem:
                self.dropped.append(repr(problem))
                self._hang_up()
        self._hang_up()

    def _ask(self, connection: socket.socket) -> None:
        connection.sendall(self._raw)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._some(connection)
        head, _, body = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        while len(body) < length:
            body += self._some(connection)
        assert body.startswith(b'{"ok":true') and len(body) == length
        self.answered += 1
        if b"connection: close" in head.lower():
            self._hang_up()

    def _some(self, connection: socket.socket) -> bytes:
        data = connection.recv(65536)
        if not data:
            raise ConnectionResetError("closed without an answer")
        return data

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def stop(self) -> None:
        self._stopped.set()


class Load:
    def __init__(self, wire, pause_s: float = 0.0) -> None:
        self.callers = [Caller(wire, pause_s) for _ in range(CALLERS)]
        for caller in self.callers:
            caller.start()

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_error: object) -> None:
        for caller in self.callers:
            caller.stop()
        for caller in self.callers:
            caller.join()

    @property
    def answered(self) -> int:
        return sum(caller.answered for caller in self.callers)

    @property
    def refused(self) -> int:
        return sum(caller.refused for caller in self.callers)

    @property
    def dropped(self) -> list[str]:
        return [problem for caller in self.callers for problem in caller.dropped]

    def goes_on(self, more: int = 300) -> None:
        """Until so many more are answered."""
        wanted = self.answered + more
        until(lambda: self.answered >= wanted)


def until(true) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


def test_a_stop_answers_what_was_sent(server):
    with Load(server.wire) as load:
        load.goes_on()
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.process.poll() is not None)
        until(lambda: load.refused > CALLERS)
    assert load.dropped == []
    assert server.process.returncode == 0


def test_a_stop_does_not_wait_for_connections_that_are_idle(server):
    held = [server.wire.connect() for _ in range(20)]
    server.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    until(lambda: server.process.poll() is not None)
    assert time.monotonic() - began < 10
    for connection in held:
        connection.close()


def test_a_reload_drops_nothing_and_refuses_nobody(server):
    workers = server.workers()
    with Load(server.wire) as load:
        load.goes_on()
        server.process.send_signal(signal.SIGHUP)
        until(lambda: not set(workers) & set(server.workers()) and len(server.workers()) == 2)
        load.goes_on()
    assert (load.dropped, load.refused) == ([], 0)


def test_a_reload_keeps_callers_that_pause_between_calls(server):
    workers = server.workers()
    with Load(server.wire, pause_s=0.1) as load:
        load.goes_on(50)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: not set(workers) & set(server.workers()) and len(server.workers()) == 2)
        load.goes_on(50)
    assert (load.dropped, load.refused) == ([], 0)


@pytest.mark.parametrize("server", [{"TEST_MAX_REQUESTS": "150"}], indirect=True)
def test_workers_that_are_replaced_now_and_then_drop_nothing(server):
    seen = set(server.workers())
    with Load(server.wire) as load:
        for _ in range(10):
            load.goes_on(200)
            seen |= set(server.workers())
    assert (load.dropped, load.refused) == ([], 0)
    assert len(seen) >= 6


def test_a_new_server_takes_over_from_a_running_one(server):
    """A deployment: USR2 starts the new code beside the old, which is then stopped."""
    with Load(server.wire) as load:
        load.goes_on()
        server.process.send_signal(signal.SIGUSR2)
        until(lambda: len(server.workers()) == 3)  # the third child is the new master
        new = max(server.workers())
        children = Path(f"/proc/{new}/task/{new}/children")
        until(lambda: len(children.read_text().split()) == 2)
        load.goes_on()
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.process.poll() is not None)
        load.goes_on()
    os.kill(new, signal.SIGTERM)
    until(lambda: not Path(f"/proc/{new}").exists() or "Z" in stat(new))
    assert (load.dropped, load.refused) == ([], 0)


def stat(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except OSError:
        return "Z"
