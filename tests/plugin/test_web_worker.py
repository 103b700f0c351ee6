"""gunicorn's worker of ours, one connection at a time: who is closed, who is answered, what is
logged. Through the real server: test_server.py, test_malformed.py, test_draining.py."""

from __future__ import annotations

import json
import selectors
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger

from plugin import logs, web_worker
from plugin.web_worker import Worker

CALL = b"GET /v1/content/x HTTP/1.1\r\nHost: x\r\nX-Request-Id: %b\r\n\r\n"
PLAIN = b"Content-Length: 2\r\n\r\nok"


class Bench:
    """A worker, its listener and its clients; ``turn`` is a round of its loop."""

    def __init__(self, folder: Path) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(folder / "s"))
        self.listener.listen(16)
        self.listener.setblocking(False)
        config = Config()
        config.set("threads", 1)
        config.set("worker_connections", 3)
        self.app: Callable[..., Any] = _never_asked
        wsgi = SimpleNamespace(wsgi=lambda: self._by_app)
        self.worker = Worker(1, 1, [], wsgi, 30, config, Logger(config))
        self.worker.poller = selectors.DefaultSelector()
        self.worker.method_queue = SimpleNamespace(defer=lambda *_given: None)
        self.worker.load_wsgi()
        self.clients: list[socket.socket] = []

    def _by_app(self, environ: Any, start_response: Any) -> Any:
        return self.app(environ, start_response)

    def connect(self) -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(2.0)
        client.connect(self.listener.getsockname())
        self.clients.append(client)
        self.worker.accept(self.listener)
        return client

    def turn(self) -> None:
        self.worker.wait_for_and_dispatch_events(0.2)

    def close(self) -> None:
        taken_in = [key.fileobj for key in self.worker.poller.get_map().values()]
        for each in (*self.clients, *taken_in, self.listener):
            each.close()
        self.worker.poller.close()
        self.worker.tmp.close()


def _never_asked(_environ: Any, _start_response: Any) -> Any:
    raise AssertionError("not this way")


@pytest.fixture
def bench(tmp_path, monkeypatch) -> Iterator[Bench]:
    """Answers in the loop."""
    logs.configure("info")
    made = Bench(tmp_path)
    monkeypatch.setattr(made.worker, "quick", lambda _head: True)
    monkeypatch.setattr(made.worker, "answer_plain", lambda _asked: PLAIN)
    yield made
    made.close()
    logs.end()


@pytest.fixture
def lines(capsys):
    def read() -> list[dict]:
        return [json.loads(line) for line in capsys.readouterr().err.splitlines() if line[0] == "{"]

    return read


def answer(client: socket.socket) -> bytes:
    """What the client gets; empty when it was closed."""
    try:
        return client.recv(65_536)
    except ConnectionResetError:
        return b""


def open_of(bench: Bench, clients: list[socket.socket]) -> list[bool]:
    found = []
    for client in clients:
        try:
            client.sendall(CALL % b"abcdefgh")
        except BrokenPipeError:
            found.append(False)
            continue
        bench.turn()
        found.append(answer(client).startswith(b"HTTP/1.1 200"))
    return found


# too many connections


def test_of_too_many_connections_the_one_that_was_idle_longest_goes(bench):
    kept = [bench.connect(), bench.connect()]
    assert open_of(bench, kept) == [True, True]
    fresh = bench.connect()  # there are three now, one too many
    assert open_of(bench, [fresh, kept[1], kept[0]]) == [True, True, False]


def test_one_that_never_asked_anything_goes_before_one_that_just_did(bench):
    silent, busy = bench.connect(), bench.connect()
    assert open_of(bench, [busy]) == [True]
    fresh = bench.connect()
    assert open_of(bench, [fresh, busy, silent]) == [True, True, False]


# faults of the app


def faulty(problem: Exception) -> Callable[..., Any]:
    def app(*_given: Any) -> Any:
        logs.begin({"HTTP_X_REQUEST_ID": "a-caller-id"})
        raise problem

    return app


FAULTS = {
    "of a file": PermissionError(13, "Permission denied", "/secret/path"),
    "that looks like a connection's": ConnectionResetError(104, "of the store"),
    "that looks like a slow client": TimeoutError("of a disk"),
    "of a value": ValueError("anna@example.org"),
}


@pytest.mark.parametrize("problem", FAULTS.values(), ids=FAULTS)
def test_a_fault_in_the_loop_is_answered_and_logged(bench, lines, monkeypatch, problem):
    monkeypatch.setattr(bench.worker, "answer_plain", faulty(problem))
    client = bench.connect()
    client.sendall(CALL % b"abcdefgh")
    bench.turn()
    got = answer(client)
    assert got.startswith(b"HTTP/1.1 500 ")
    assert json.loads(got.partition(b"\r\n\r\n")[2])["error"]["code"] == "internal_error"
    (line,) = lines()
    assert (line["event"], line["level"]) == ("exception", "error")
    assert line["request_id"] == "a-caller-id"
    assert type(problem).__name__ in line["exception"]
    assert "secret" not in str(line)
    assert "anna" not in str(line)


@pytest.mark.parametrize("problem", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("plain", [True, False])
def test_a_fault_of_the_app_in_a_thread_is_answered_and_logged(
    bench, lines, monkeypatch, problem, plain
):
    monkeypatch.setattr(bench.worker, "quick", lambda _head: False)
    monkeypatch.setattr(
        bench.worker, "answer_plain", faulty(problem) if plain else lambda _asked: None
    )
    bench.app = faulty(problem)
    results = []
    monkeypatch.setattr(
        bench.worker, "enqueue_req", lambda conn: results.append(bench.worker.handle(conn))
    )
    client = bench.connect()
    client.sendall(CALL % b"abcdefgh")
    bench.turn()
    assert answer(client).startswith(b"HTTP/1.1 500 ")
    assert results == [False]
    (line,) = lines()
    assert (line["event"], line["request_id"]) == ("exception", "a-caller-id")


# whose line it is


def test_a_refused_head_is_not_logged_under_the_call_before_it(bench, lines, monkeypatch):
    def plain(_asked: Any) -> bytes:
        logs.begin({"HTTP_X_REQUEST_ID": "a-caller-id"})
        return PLAIN

    monkeypatch.setattr(bench.worker, "answer_plain", plain)
    first, second = bench.connect(), bench.connect()
    first.sendall(CALL % b"abcdefgh")
    bench.turn()
    assert answer(first)
    second.sendall(b"GET / HTTP/1.1\n\n")
    bench.turn()
    assert answer(second).startswith(b"HTTP/1.1 400 ")
    (line,) = lines()
    assert line["event"] == "malformed request"
    assert "request_id" not in line


def test_a_head_that_never_ends_is_not_logged_under_another_call(bench, lines, monkeypatch):
    monkeypatch.setattr(web_worker, "HEAD_S", -1.0)
    client = bench.connect()
    client.sendall(b"GET /")
    bench.turn()
    logs.begin({"HTTP_X_REQUEST_ID": "a-caller-id"})
    bench.worker.murder_pending()
    assert answer(client).startswith(b"HTTP/1.1 408 ")
    (line,) = lines()
    assert "request_id" not in line
