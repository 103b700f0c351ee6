"""Through the real server: what arrives on the wire, well formed or not."""

from __future__ import annotations

import json
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.conftest import WORKSPACE

START_WITHIN_S = 30.0


class Wire:
    """A connection per request to the server's socket; send bytes, get bytes."""

    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        self._key = key

    def send(self, raw: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(self._path))
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        return answer

    def request(self, line: str, headers: str = "", body: bytes = b"") -> tuple[int, bytes]:
        head = f"{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Api-Key: {self._key}\r\n"
        answer = self.send((head + headers + "\r\n").encode("latin-1") + body)
        top, _, content = answer.partition(b"\r\n\r\n")
        return int(top.split(b" ", 2)[1]), content


@pytest.fixture
def server(settings, redis_url, published, key, tmp_path):
    """Two gunicorn workers on a socket, with the settings of plugin.gunicorn_conf."""
    (tmp_path / "settings.pickle").write_bytes(pickle.dumps(settings))
    (tmp_path / "metrics").mkdir()
    with tempfile.TemporaryDirectory(prefix="rs") as folder:
        path = Path(folder) / "web.sock"
        environment = {
            **os.environ,
            "TEST_SETTINGS": str(tmp_path / "settings.pickle"),
            "TEST_REDIS": redis_url,
            "RIGHTSEND_BIND": f"unix:{path}",
            "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
        }
        command = [
            "-m",
            "gunicorn",
            "-c",
            "python:plugin.gunicorn_conf",
            "tests.plugin.serving:app",
        ]
        process = subprocess.Popen(
            [sys.executable, *command], env=environment, stderr=subprocess.PIPE
        )
        try:
            yield process, _ready(Wire(path, key), process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


def _ready(wire: Wire, process: subprocess.Popen[bytes]) -> Wire:
    deadline = time.monotonic() + START_WITHIN_S
    while True:
        assert process.poll() is None, "gunicorn ended"
        try:
            if wire.request("GET /healthz")[0] == 200:
                return wire
        except OSError:
            assert time.monotonic() < deadline, "gunicorn does not answer"
            time.sleep(0.05)


@pytest.mark.slow
def test_what_is_well_formed_is_answered(server):
    _, wire = server
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
    status, content = wire.request("GET /metrics")
    counted = re.search(rb'requests_total\{[^}]*for-you",status="200"\} (\d+)', content)
    assert int(counted.group(1)) == 2  # of both workers
    assert WORKSPACE.encode() in content


REFUSALS = (b"400", b"414", b"431", b"501", b"505")  # or the connection is closed
MALFORMED = {
    "no line": b"\r\n\r\n",
    "no version": b"GET /healthz\r\n\r\n",
    "unknown version": b"GET /healthz HTTP/9.9\r\n\r\n",
    "rubbish": bytes(range(256)) * 4,
    "broken header": b"GET /healthz HTTP/1.1\r\nHost x\r\n\r\n",
    "header with a space": b"GET /healthz HTTP/1.1\r\nX-Api-Key : a\r\n\r\n",
    "huge line": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    "huge header": b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
    "many headers": b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    "two lengths": b"POST /v1/events HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
    "negative length": b"POST /v1/events HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "length and chunks": b"POST /v1/events HTTP/1.1\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "unknown coding": b"POST /v1/events HTTP/1.1\r\nTransfer-Encoding: lzma\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.slow
def test_bad_input_malformed_requests_are_refused_and_the_server_lives(server):
    process, wire = server
    for name, raw in MALFORMED.items():
        answer = wire.send(raw)
        assert answer == b"" or answer.split(b" ", 2)[1] in REFUSALS, name
    head = "Content-Type: application/json\r\nContent-Length: 3000000\r\n"
    assert wire.request("POST /v1/events", head)[0] == 413
    head_chunked = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    assert wire.request("POST /v1/events", head_chunked, b"zz\r\n")[0] == 400
    chunks = (b"10000\r\n" + b" " * 65536 + b"\r\n") * 32 + b"1\r\n \r\n0\r\n\r\n"
    head = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    assert wire.request("POST /v1/events", head, chunks)[0] == 413
    assert wire.request("GET /healthz")[0] == 200
    assert process.poll() is None
