"""Through the real server: clients that are slow, many, or mean. No worker ends, nobody waits."""

from __future__ import annotations

import random
import socket
import struct
import time
from contextlib import ExitStack, suppress

import pytest

pytest_plugins = ("tests.plugin.gunicorn_server",)
pytestmark = pytest.mark.slow

NO_KEY = b"GET /v1/content/for-you HTTP/1.1\r\nHost: x\r\n\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def content(server, customer: str = "customer-001") -> bytes:
    line = f"GET /v1/content/for-you?customer={customer}&limit=5 HTTP/1.1"
    return f"{line}\r\nHost: x\r\nX-Api-Key: {server.wire.key}\r\n\r\n".encode()


def answers(connection: socket.socket, count: int) -> bytes:
    taken = b""
    while taken.count(b"HTTP/1.1 ") < count:
        more = connection.recv(65_536)
        if not more:
            break
        taken += more
    return taken


def still_the_same(server, workers: list[int]) -> None:
    assert server.workers() == workers
    began = time.monotonic()
    with server.wire.connect() as connection:
        connection.sendall(content(server))
        assert answers(connection, 1).startswith(b"HTTP/1.1 200")
    assert time.monotonic() - began < 2
    assert b"exception" not in server.log.read_bytes()


def test_pipelines_that_are_cut_anywhere_end_no_worker(server):
    workers = server.workers()
    rng = random.Random(5)
    kinds = [NO_KEY, HEALTH, content(server), b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"]
    deadline = time.monotonic() + 4
    while time.monotonic() < deadline:
        raw = b"".join(rng.choices(kinds, k=rng.randint(1, 12)))
        time.sleep(0.001)  # or more of them wait than the kernel keeps
        with server.wire.connect() as connection:
            cuts = sorted(rng.sample(range(len(raw)), k=min(len(raw), rng.randint(1, 5))))
            for begin, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
                try:
                    connection.sendall(raw[begin:end])
                except OSError:
                    break
            if rng.random() < 0.5:  # a reset in the middle
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    still_the_same(server, workers)


def test_pipelined_requests_are_answered_in_their_order(server):
    rng = random.Random(6)
    kinds = {NO_KEY: b"401", HEALTH: b"200", b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n": b"404"}
    for _ in range(20):
        asked = rng.choices(list(kinds), k=12)
        with server.wire.connect() as connection:
            connection.sendall(b"".join(asked))
            connection.shutdown(socket.SHUT_WR)  # which is not taken for the end
            found = answers(connection, 12).split(b"HTTP/1.1 ")[1:]
        assert [each[:3] for each in found] == [kinds[each] for each in asked]


@pytest.mark.parametrize("server", [{"TEST_CONNECTIONS": "40"}], indirect=True)
def test_at_the_limit_of_connections_those_idle_longest_go(server):
    workers = server.workers()
    with ExitStack() as open_:
        old = [open_.enter_context(server.wire.connect()) for _ in range(90)]
        for connection in old:
            with suppress(OSError):  # it is closed already
                connection.sendall(NO_KEY)
                answers(connection, 1)
        time.sleep(0.2)
        new = [open_.enter_context(server.wire.connect()) for _ in range(20)]
        time.sleep(0.1)
        for connection in new:
            connection.sendall(content(server))
        assert all(answers(each, 1).startswith(b"HTTP/1.1 200") for each in new)
    still_the_same(server, workers)


@pytest.mark.parametrize("server", [{"TEST_FILES": "200"}], indirect=True)
def test_fault_more_connections_than_open_files(server):
    workers = server.workers()
    with ExitStack() as open_:
        for _ in range(300):
            open_.enter_context(server.wire.connect())
        still_the_same(server, workers)


def test_clients_that_take_nothing_hold_up_nobody(server):
    """Large answers that need no key, one after the other, on more connections than threads."""
    call = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    with ExitStack() as open_:
        for _ in range(40):
            slow = open_.enter_context(server.wire.connect())
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.sendall(call * 10)
        for raw in (HEALTH, content(server)):
            worst_s = 0.0
            for _ in range(10):
                began = time.monotonic()
                with server.wire.connect() as connection:
                    connection.sendall(raw)
                    assert answers(connection, 1).startswith(b"HTTP/1.1 200")
                worst_s = max(worst_s, time.monotonic() - began)
            assert worst_s < 1.5


def test_bursts_are_answered_personally(server):
    """Each of many connections asks at once, then none for a while."""
    with ExitStack() as open_:
        connections = [open_.enter_context(server.wire.connect()) for _ in range(40)]
        answers_of = []
        for _ in range(5):
            time.sleep(0.4)
            for connection in connections:
                connection.sendall(content(server))
            answers_of += [answers(connection, 1) for connection in connections]
    assert len(answers_of) == 200
    assert all(b'"fallback":false' in each for each in answers_of)


def test_floods_of_what_is_no_http_are_sampled_in_the_log(server):
    for _ in range(300):
        with server.wire.connect() as connection:
            connection.sendall(b"\n\n")
            answers(connection, 1)
    lines = server.log.read_bytes().count(b"malformed request")
    assert 1 <= lines < 200
