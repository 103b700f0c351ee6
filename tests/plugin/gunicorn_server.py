"""The real server for tests: gunicorn with the settings of plugin.gunicorn_conf, on a socket."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

START_WITHIN_S = 30.0
WAIT_S = 10.0


class Wire:
    """A connection per request to the server's socket; send bytes, get bytes."""

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self.key = key

    def connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(WAIT_S)
        try:
            connection.connect(str(self.path))
        except OSError:
            connection.close()
            raise
        return connection

    def send(self, raw: bytes) -> bytes:
        with self.connect() as connection:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        return answer

    def request(self, line: str, headers: str = "", body: bytes = b"") -> tuple[int, bytes]:
        head = f"{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Api-Key: {self.key}\r\n"
        answer = self.send((head + headers + "\r\n").encode("latin-1") + body)
        top, _, content = answer.partition(b"\r\n\r\n")
        return int(top.split(b" ", 2)[1]), content


class Server:
    """gunicorn, with what it writes in a file."""

    def __init__(self, process: subprocess.Popen[bytes], wire: Wire, log: Path) -> None:
        self.process = process
        self.wire = wire
        self.log = log

    def workers(self) -> list[int]:
        """Their process ids."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return sorted(map(int, children.read_text().split()))


@pytest.fixture
def server(request, settings, redis_url, published, key, tmp_path) -> Iterator[Server]:
    """Two workers; patience of fractions of a second (tests.plugin.impatient). A parameter is a
    mapping of more environment variables."""
    (tmp_path / "settings.pickle").write_bytes(pickle.dumps(settings))
    (tmp_path / "metrics").mkdir()
    log = tmp_path / "gunicorn.log"
    with tempfile.TemporaryDirectory(prefix="rs") as folder, log.open("wb") as stderr:
        path = Path(folder) / "web.sock"
        environment = {
            **os.environ,
            "TEST_SETTINGS": str(tmp_path / "settings.pickle"),
            "TEST_REDIS": redis_url,
            "RIGHTSEND_BIND": f"unix:{path}",
            "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
            **getattr(request, "param", {}),
        }
        # not `-m gunicorn`, which could not start itself anew (USR2)
        command = [
            Path(sys.executable).with_name("gunicorn"),
            "-c",
            "python:tests.plugin.impatient",
        ]
        process = subprocess.Popen(
            [*command, "tests.plugin.serving:app"],
            env=environment,
            stdout=stderr,
            stderr=stderr,
        )
        wire = Wire(path, key)
        try:
            _wait_until_ready(wire, process)
            yield Server(process, wire, log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=40)


def _wait_until_ready(wire: Wire, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while True:
        assert process.poll() is None, "gunicorn ended"
        try:
            if wire.request("GET /healthz")[0] == 200:
                return
        except OSError:
            assert time.monotonic() < deadline, "gunicorn does not answer"
            time.sleep(0.05)
