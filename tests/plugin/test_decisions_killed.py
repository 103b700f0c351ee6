"""Real web processes under load, killed or stopped: what is lost is the last second's, counted."""

from __future__ import annotations

import http.client
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plugin.decisions import LOOK_EVERY_S
from scoring.columns import CAMPAIGN_ID
from scoring.decision_ledger import GRACE_S, Counts
from scoring.decisions import Decisions
from scoring.store.client import connect
from scoring.store.decisions import FIELD, unpack_block
from scoring.store.keys import Keys
from scoring.store.stream import Stream
from tests.conftest import SECRET, WORKSPACE

pytestmark = pytest.mark.slow
WITHIN_S = 30.0
CALLERS = 12
COMMAND = ("-m", "gunicorn", "-c", "python:plugin.gunicorn_conf", "tests.plugin.serving:app")


class Server:
    """gunicorn with two workers on a socket."""

    def __init__(self, path: Path, key: str, environment: dict[str, str]) -> None:
        self.path = path
        self.key = key
        self.master = subprocess.Popen([sys.executable, *COMMAND], env=environment)

    def workers(self) -> list[int]:
        listed = Path(f"/proc/{self.master.pid}/task/{self.master.pid}/children")
        return [int(pid) for pid in listed.read_text().split()]

    def stop(self) -> None:
        self.master.send_signal(signal.SIGTERM)
        self.master.wait(WITHIN_S)


class Connection(http.client.HTTPConnection):
    """To a socket in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("web")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(str(self._path))


class Caller(threading.Thread):
    """Asks again and again, for a campaign of its own each time; ``answered``: campaign → when."""

    def __init__(self, server: Server, name: str, stop: threading.Event) -> None:
        super().__init__()
        self._connection = Connection(server.path)
        self._headers = {"X-Api-Key": server.key}
        self._name = name
        self._stop_asking = stop
        self.answered: dict[str, float] = {}
        self.failed = 0

    def run(self) -> None:
        number = 0
        while not self._stop_asking.is_set():
            number += 1
            campaign = f"{self._name}-{number}"
            try:
                self._ask(campaign)
                self.answered[campaign] = time.monotonic()
            except (OSError, http.client.HTTPException):
                self.failed += 1
                self._connection.close()
        self._connection.close()

    def _ask(self, campaign: str) -> None:
        path = f"/v1/content/for-you?customer=customer-001&limit=3&campaign={campaign}"
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        answer.read()
        assert answer.status == 200


class Load:
    """Callers, until stop()."""

    def __init__(self, server: Server, name: str) -> None:
        self._stop = threading.Event()
        self._callers = [Caller(server, f"{name}{n}", self._stop) for n in range(CALLERS)]
        for caller in self._callers:
            caller.start()

    def wait_for(self, count: int) -> None:
        """Until so many calls were answered."""
        _until(lambda: len(self.answered) >= count)

    def stop(self) -> None:
        self._stop.set()
        for caller in self._callers:
            caller.join()

    @property
    def answered(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for caller in self._callers:
            found |= caller.answered
        return found

    @property
    def failed(self) -> int:
        return sum(caller.failed for caller in self._callers)


@pytest.fixture
def server(settings, redis_url, published, key, tmp_path) -> Iterator[Server]:
    (tmp_path / "settings.pickle").write_bytes(pickle.dumps(settings))
    (tmp_path / "metrics").mkdir()
    with tempfile.TemporaryDirectory(prefix="rs") as folder:
        path = Path(folder) / "web.sock"
        made = Server(path, key, {
            **os.environ,
            "TEST_SETTINGS": str(tmp_path / "settings.pickle"),
            "TEST_REDIS": redis_url,
            "RIGHTSEND_BIND": f"unix:{path}",
            "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
        })  # fmt: skip
        try:
            _until(lambda: _accepts(path))
            yield made
        finally:
            made.stop()


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
        connection.connect(str(path))
        return True
    return False


def _until(holds) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Lake:
    """What a worker process would bring there."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._table = Decisions(folder)

    def drain(self) -> Counts:
        """Everything that came; the counts when nothing is waited for any longer."""
        with connect(self._url) as client:
            stream = Stream(client, Keys(WORKSPACE).decisions)
            while entries := stream.take("test", 100):
                blocks = [unpack_block(entry.fields[FIELD]) for entry in entries]
                self._table.store(blocks, at_s=time.time(), secret=SECRET)
                stream.acknowledge([entry.id for entry in entries])
        return self._table.counts(time.time() + GRACE_S)

    def campaigns(self) -> list[str]:
        """Of each decision."""
        files = [pq.read_table(f.path, partitioning=None) for f in self._table.files()]
        return pa.concat_tables(files)[CAMPAIGN_ID].to_pylist()


@pytest.fixture
def lake(settings, redis_url) -> Lake:
    return Lake(redis_url, settings.workspace_dir(WORKSPACE))


def test_a_graceful_stop_under_load_loses_nothing(server: Server, lake: Lake) -> None:
    load = Load(server, "a")
    load.wait_for(1000)
    server.stop()
    load.stop()
    counts = lake.drain()
    found = lake.campaigns()
    assert len(found) == len(set(found)) == counts.logged
    assert set(load.answered) <= set(found)
    assert (counts.late, counts.lost, counts.processes) == (0, 0, 0)


@pytest.mark.parametrize("amid_calls", [True, False])
def test_killed_web_workers_lose_the_last_second_at_most_and_that_is_counted(
    server: Server, lake: Lake, amid_calls: bool
) -> None:
    load = Load(server, "a")
    load.wait_for(2000)
    if not amid_calls:
        load.stop()
    killed_at = time.monotonic()
    for worker in server.workers():
        os.kill(worker, signal.SIGKILL)
    if amid_calls:
        load.wait_for(len(load.answered) + 500)
        load.stop()
    after = Load(server, "b")
    after.wait_for(500)
    after.stop()
    deadline = time.monotonic() + LOOK_EVERY_S + WITHIN_S
    while lake.drain().processes > 2 and time.monotonic() < deadline:
        time.sleep(0.2)  # until the death was told
    server.stop()
    counts = lake.drain()
    found = lake.campaigns()
    answered = load.answered | after.answered
    lost = {campaign: at for campaign, at in answered.items() if campaign not in set(found)}
    assert len(found) == len(set(found)) == counts.logged
    assert all(killed_at - 1.0 < at <= killed_at + 0.1 for at in lost.values())
    assert (counts.late, counts.processes) == (0, 0)
    unanswered = load.failed + after.failed
    assert len(lost) <= counts.lost <= len(lost) + unanswered
    if not amid_calls:
        assert (unanswered, len(lost)) == (0, counts.lost)
    assert lost
