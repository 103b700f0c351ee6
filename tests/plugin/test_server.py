"""Through the real server: what arrives well formed on the wire. The rest: test_malformed.py."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from urllib.parse import quote

import pytest

from tests.conftest import WORKSPACE

pytest_plugins = ("tests.plugin.gunicorn_server",)


@pytest.mark.slow
def test_what_is_well_formed_is_answered(server):
    wire = server.wire
    path = f"GET /v1/content/for-you?customer={quote('customer-001')}&limit=2"
    status, content = wire.request(path)
    assert (status, len(json.loads(content)["items"])) == (200, 2)
    odd = quote("ü/ñ 한국 🛒" * 20)
    assert wire.request(f"GET /v1/content/for-you?customer={odd}&campaign={odd}")[0] == 200
    assert wire.request(f"GET /v1/customers/{quote('a/b', safe='')}")[0] == 404
    event = json.dumps({"identifier": "a", "event_type": "view", "item_id": "item-03"}).encode()
    head = f"Content-Type: application/json\r\nContent-Length: {len(event)}\r\n"
    assert wire.request("POST /v1/events", head, event)[0] == 202
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(event), event)
    head = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    assert wire.request("POST /v1/events", head, chunked)[0] == 202
    deadline = time.monotonic() + 10
    while (counted := _content_calls(wire)) != 2:  # of both workers, within half a second
        assert time.monotonic() < deadline, counted
        time.sleep(0.1)


@pytest.mark.slow
def test_one_connection_takes_plain_calls_and_others_in_their_order(server):
    content = "GET /v1/content/for-you?customer=customer-001&limit="
    lines = [f"{content}{number}" for number in (1, 2, 3)] + ["GET /v1/content/nothing"]
    calls = [f"{line} HTTP/1.1\r\nHost: x\r\nX-Api-Key: {server.wire.key}\r\n" for line in lines]
    plain = [f"{call}\r\n".encode() for call in calls]
    odd = [f"{call}Connection: keep-alive, TE\r\n\r\n".encode() for call in calls]
    with server.wire.connect() as connection:
        for each in (plain[0], odd[0], plain[1]):
            connection.sendall(each)
            assert _status(connection) == 200
        connection.sendall(b"".join([plain[0], plain[3], odd[1], plain[2]]))  # before any answer
        assert [_status(connection) for _ in range(4)] == [200, 404, 200, 200]
        connection.sendall(plain[1][:40])
        time.sleep(0.1)
        connection.sendall(plain[1][40:])
        assert _status(connection) == 200


@pytest.mark.slow
def test_a_client_that_takes_its_answers_late_gets_them_whole(server):
    """More of them than the kernel keeps for it."""
    head = f"Host: x\r\nX-Api-Key: {server.wire.key}\r\n\r\n"
    call = f"GET /v1/content/for-you?customer=customer-001&limit=20 HTTP/1.1\r\n{head}".encode()
    with server.wire.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        calls = 200
        sender = threading.Thread(target=connection.sendall, args=(call * calls,))
        sender.start()
        taken = b""
        while taken.count(b"HTTP/1.1 200 OK") < calls and len(taken) < 8_000_000:
            time.sleep(0.001)
            taken += connection.recv(8192)
        sender.join()
    answers = taken.split(b"HTTP/1.1 200 OK")[1:]
    bodies = {each.partition(b"\r\n\r\n")[2] for each in answers[:-1]}
    assert len(answers) == calls
    assert len(bodies) == 1
    assert len(json.loads(bodies.pop())["items"]) == 20


def _status(connection: socket.socket) -> int:
    """Of the next answer, all of which is taken."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    found = re.search(rb"(?i)content-length: (\d+)", head)
    left = int(found[1]) if found else 0
    while left:
        left -= len(connection.recv(left))
    return int(head.split(b" ", 2)[1])


def _content_calls(wire) -> int:
    content = wire.request("GET /metrics")[1]
    assert WORKSPACE.encode() in content
    assert b"rightsend_web_connections" in content
    counted = re.search(rb'content_seconds_count\{kind="for-you"\} (\d+)', content)
    return int(counted[1]) if counted else 0
