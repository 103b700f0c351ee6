"""Web workers come and go; what they counted stays, in files that do not become more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from plugin import metric_files
from tests.plugin.test_metrics import samples

WORKER = """
import os
from plugin.metrics import Metrics
metrics = Metrics()
metrics.gauge("web_connections", "Open connections of the web workers", lambda: 5)
metrics.content("for-you", 0.004, "unknown_customer")
metrics.events.labels("api", "accepted").inc(3)
metrics.flush()
print(os.getpid())
"""


def worker(folder: Path) -> int:
    """A process that counts something and ends; its id."""
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    ran = subprocess.run(
        [sys.executable, "-c", WORKER], env=environ, check=True, capture_output=True
    )
    return int(ran.stdout)


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def test_what_gone_workers_counted_stays(folder):
    for number in range(1, 4):
        metric_files.fold(folder, worker(folder))
        found = samples(metric_files.read(folder))
        assert found["rightsend_content_seconds_count", "for-you"] == number
        assert found["rightsend_content_seconds_bucket", "for-you", "0.003"] == 0
        assert found["rightsend_content_seconds_bucket", "for-you", "0.005"] == number
        assert found["rightsend_content_seconds_bucket", "for-you", "+Inf"] == number
        assert found["rightsend_events_total", "accepted", "api"] == 3 * number


def test_the_files_do_not_become_more(folder):
    metric_files.fold(folder, worker(folder))
    before = sorted(path.name for path in folder.iterdir())
    for _ in range(2):
        metric_files.fold(folder, worker(folder))
    assert sorted(path.name for path in folder.iterdir()) == before


def test_numbers_of_a_worker_at_this_moment_go_with_it(folder):
    pid = worker(folder)
    assert samples(metric_files.read(folder))[("rightsend_web_connections",)] == 5
    metric_files.fold(folder, pid)
    assert ("rightsend_web_connections",) not in samples(metric_files.read(folder))


def test_bad_input_a_damaged_file_does_not_stop_who_looks_after_the_workers(folder):
    (folder / "counter_77.db").write_bytes(b"\xff" * 100)
    metric_files.fold(folder, 77)
    metric_files.fold(folder, 78)
