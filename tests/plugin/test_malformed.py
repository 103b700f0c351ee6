"""Malformed requests over sockets through the real server: each has one answer, nobody waits."""

from __future__ import annotations

import json
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.plugin.malformed import CASES, GET, HEALTH, Case

QUIET_S = 0.4  # after the last byte that is expected
_HEAD = re.compile(rb"HTTP/1\.[01] (\d{3}) [^\r\n]+\r\n(?:[^\r\n]+\r\n)*\r\n")
_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)
pytest_plugins = ("tests.plugin.gunicorn_server",)


def answers(raw: bytes) -> list[tuple[int, bytes]]:
    """The (status, body) that follow one another; anything else between them fails."""
    found = []
    while raw:
        match = _HEAD.match(raw)
        assert match, raw[:200]
        length = _LENGTH.search(match[0])
        end = match.end() + (int(length[1]) if length else 0)
        found.append((int(match[1]), raw[match.end() : end]))
        raw = raw[end:]
    return found


def sent(wire, case: Case) -> tuple[bytes, bool]:
    """All that comes back, and whether the server ended the connection."""
    with wire.connect() as connection:
        received = b""
        try:
            connection.sendall(case.raw.replace(b"KEY", wire.key.encode()))
            if case.hangs_up:
                connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it answered before it had everything
        connection.settimeout(4.0)
        try:
            while True:
                if len(re.findall(rb"HTTP/1\.[01] \d{3} ", received)) >= len(case.statuses):
                    connection.settimeout(4.0 if case.closes else QUIET_S)
                chunk = connection.recv(65536)
                if not chunk:
                    return received, True
                received += chunk
        except TimeoutError:
            return received, False
        except ConnectionResetError:
            return received, True


def test_there_are_at_least_80_cases_of_different_names():
    assert len({case.name for case in CASES}) == len(CASES) >= 80


@pytest.mark.slow
def test_bad_input_malformed_requests_have_their_answers(server):
    workers = server.workers()
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda case: sent(server.wire, case), CASES))
    wrong = []
    for case, (raw, closed) in zip(CASES, results, strict=True):
        found = answers(raw)
        if (tuple(status for status, _ in found), closed) != (case.statuses, case.closes):
            wrong.append((case.name, [status for status, _ in found], closed))
        for status, content in found:
            if status >= 400 and content:
                assert set(json.loads(content)) == {"error"}, case.name
    assert not wrong, "\n".join(map(str, wrong))
    assert server.workers() == workers
    assert server.wire.request("GET /healthz")[0] == 200


@pytest.mark.slow
def test_what_was_malformed_is_not_in_the_log(server):
    secret = b"rs_shop_12345678_" + b"5ec7e7" * 6 + b"5ec7"
    for raw in (
        b"GET /v1/customers/anna@example.org  HTTP/1.1\r\nHost: x\r\n\r\n",
        HEALTH + b"X-Api-Key : " + secret + b"\r\n\r\n",
        HEALTH + b"X-Api-Key: " + secret + b"\0\r\n\r\n",
        GET.replace(b"customer-001", b"anna@example.org") + b"Content-Length: x\r\n\r\n",
    ):
        assert re.match(rb"HTTP/1.1 (400|505) ", server.wire.send(raw))
    log = server.log.read_bytes()
    assert log.count(b'"malformed request"') == 4
    assert b"anna" not in log
    assert b"5ec7e7" not in log


HALVES = {
    "idle": b"",
    "half a line": b"GET /heal",
    "half a head": GET + b"X-Name: a",
    "a body that nobody asked for": GET + b"Content-Length: 1000\r\n\r\na",
}


@pytest.mark.slow
@pytest.mark.parametrize("start", HALVES.values(), ids=HALVES)
def test_connections_that_send_nothing_or_half_a_request_hold_up_nobody(server, start):
    """Far more of them than there are threads."""
    held = [server.wire.connect() for _ in range(100)]
    try:
        for connection in held:
            connection.sendall(start.replace(b"KEY", server.wire.key.encode()))
        began = time.monotonic()
        for _ in range(20):
            assert server.wire.request("GET /healthz")[0] == 200
        assert time.monotonic() - began < 2.0
    finally:
        for connection in held:
            connection.close()


@pytest.mark.slow
def test_clients_that_do_not_hang_up_hold_up_nobody(server):
    raw = HEALTH + b"Connection: close\r\n\r\n"
    held = [server.wire.connect() for _ in range(40)]
    try:
        began = time.monotonic()
        for connection in held:
            connection.sendall(raw)
            assert connection.recv(12) == b"HTTP/1.1 200"
        assert time.monotonic() - began < 1.0
    finally:
        for connection in held:
            connection.close()
