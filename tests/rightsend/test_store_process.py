from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from rightsend.errors import RightsendError
from rightsend.store_process import (
    START_S,
    BusyError,
    answers,
    embedded_store,
    flock,
    owning,
    server_of,
)
from scoring.store.client import connect
from tests.rightsend.waiting import until

HOLDING = """
import sys, time
from pathlib import Path
from rightsend.store_process import embedded_store
with embedded_store(Path(sys.argv[1])) as url:
    print(url, flush=True)
    time.sleep(600)
"""


def test_a_command_gets_a_store_of_its_own_which_ends_with_it(tmp_path: Path) -> None:
    with embedded_store(tmp_path) as url:
        assert connect(url).ping()
    assert not answers(url)


def test_what_was_stored_is_there_the_next_time(tmp_path: Path) -> None:
    with embedded_store(tmp_path) as url:
        connect(url).set("key", "value")
    with embedded_store(tmp_path) as url:
        assert connect(url).get("key") == b"value"


FORKING = """
import os, sys
from pathlib import Path
from rightsend.store_process import answers, embedded_store
with embedded_store(Path(sys.argv[1])) as url:
    if not (child := os.fork()):
        sys.exit(0)
    os.waitpid(child, 0)
    print(answers(url), flush=True)
"""


def test_a_process_that_was_forked_inside_neither_ends_the_store_nor_waits(tmp_path: Path) -> None:
    """As gunicorn's workers are, which end one after another while the others go on."""
    shown = subprocess.run(
        [sys.executable, "-c", FORKING, str(tmp_path)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert shown.stdout == "True\n"


def test_a_second_user_shares_the_store_and_the_owner_waits_for_it(tmp_path: Path) -> None:
    inside, leave = threading.Event(), threading.Event()
    alive_to_the_end = []

    def second() -> None:
        with embedded_store(tmp_path) as url:
            inside.set()
            leave.wait(20)
            alive_to_the_end.append(answers(url))

    with embedded_store(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        inside.wait(20)
        threading.Timer(0.3, leave.set).start()
    thread.join(20)
    assert alive_to_the_end == [True]


def test_a_killed_owner_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    url = holder.stdout.readline().strip()
    assert answers(url)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    until(lambda: not answers(url))
    with embedded_store(tmp_path) as url:
        assert answers(url)


def test_bad_input_a_lock_that_another_holds_is_refused_at_once(tmp_path: Path) -> None:
    with flock(tmp_path / "lock"), pytest.raises(BusyError), flock(tmp_path / "lock"):
        pass


def test_bad_input_a_store_that_is_being_started_elsewhere_but_never_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rightsend.store_process.START_S", 0.2)
    with (
        owning(tmp_path),
        pytest.raises(Exception, match=r"did not get ready within 0\.2 s"),
        embedded_store(tmp_path),
    ):
        pass


def test_bad_input_nothing_answers_where_nothing_runs(tmp_path: Path) -> None:
    assert not answers(server_of(tmp_path).url)
    assert not answers("redis://127.0.0.1:1/0")


def test_fault_damaged_data_are_told_at_once_in_the_servers_words(tmp_path: Path) -> None:
    with embedded_store(tmp_path) as url:
        connect(url).set("key", "value")
    (log,) = (tmp_path / "valkey" / "appendonlydir").glob("*.incr.aof")
    log.write_bytes(b"rubbish" + log.read_bytes())
    begin = time.monotonic()
    said = r"does not start: Bad file format.*valkey\.log"
    with pytest.raises(RightsendError, match=said), embedded_store(tmp_path):
        pass
    assert time.monotonic() - begin < START_S / 2
