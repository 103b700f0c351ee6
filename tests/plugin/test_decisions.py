"""The decision log of a process: nothing is lost but what is counted, and nobody waits for it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time as wall
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask

from plugin import decisions
from plugin.decisions import DecisionLog, DecisionLogs
from plugin.runtime import runtime
from plugin.tally import FOLDER, left_behind
from scoring.decision_ledger import FILE, GRACE_S, Ledger
from scoring.store.client import Client
from scoring.store.decisions import Block, unpack_block
from scoring.store.keys import Keys
from settings.workspace import Settings
from tests.conftest import WORKSPACE
from tests.decisions import decision


class Store:
    """Takes blocks while it is there; ``told`` says what its stream holds."""

    def __init__(self) -> None:
        self.away = False
        self.stream: list[Block] = []

    def execute_command(self, *command: bytes) -> bytes:
        if self.away:
            raise redis.ConnectionError
        self.stream.append(unpack_block(command[-1]))
        return b"1-1"

    def numbers(self) -> list[int]:
        return [n for block in self.stream for n in range(block.first, block.first + block.size)]

    def ends(self) -> dict[str, int]:
        return {block.process: block.first for block in self.stream if block.ended}


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def dropped() -> list[int]:
    """How many at a time."""
    return []


@pytest.fixture
def logs(store: Store, time: Time, dropped: list[int]) -> DecisionLogs:
    """Without its thread: tests call tick()."""
    made = DecisionLogs(
        store,
        monotonic=time,
        dropped=dropped.append,
        most_bytes=40_000,
    )
    made.start = lambda: None
    return made


@pytest.fixture
def log(logs: DecisionLogs, tmp_path: Path) -> DecisionLog:
    return logs.log("shop", tmp_path)


def add(log: DecisionLog, count: int) -> None:
    for number in range(count):
        log.add(decision(number))


def test_a_call_carries_a_block_when_it_is_full(log: DecisionLog) -> None:
    add(log, decisions.BLOCK - 1)
    assert log.take() is None
    add(log, 1)
    block = unpack_block(log.take()[-1])
    assert (block.first, block.size) == (0, decisions.BLOCK)
    assert log.take() is None


def test_a_call_carries_what_is_old_enough(log: DecisionLog, time: Time) -> None:
    add(log, 3)
    time.now += decisions.AGE_S - 0.01
    assert log.take() is None
    time.now += 0.02
    assert unpack_block(log.take()[-1]).size == 3


def test_what_no_call_carried_is_sent(
    logs: DecisionLogs, log: DecisionLog, store: Store, time: Time
) -> None:
    add(log, 3)
    logs.tick()
    assert store.stream == []
    time.now += decisions.IDLE_S
    logs.tick()
    assert store.numbers() == [0, 1, 2]


def test_what_failed_goes_again_before_what_came_later(
    logs: DecisionLogs, log: DecisionLog, store: Store, time: Time
) -> None:
    add(log, decisions.BLOCK)
    log.failed(log.take())
    add(log, decisions.BLOCK)
    assert log.take() is None  # not at once: the store has trouble
    time.now += decisions.RETRY_S
    logs.tick()
    assert store.numbers() == list(range(2 * decisions.BLOCK))


def test_a_store_that_is_away_costs_bounded_memory_and_what_is_dropped_is_counted(
    logs: DecisionLogs, log: DecisionLog, store: Store, time: Time, dropped: list[int]
) -> None:
    store.away = True
    for _ in range(400):
        add(log, 100)
        time.now += 0.1
        logs.tick()
    store.away = False
    time.now += 1
    logs.tick()
    logs.close()
    assert 0 < len(store.numbers()) < 40_000
    assert len(set(store.numbers())) + sum(dropped) == 40_000
    assert set(store.ends().values()) == {40_000}


def test_a_thread_that_cannot_keep_up_costs_bounded_memory_too(
    log: DecisionLog, logs: DecisionLogs, store: Store, dropped: list[int]
) -> None:
    add(log, decisions.MOST_OPEN + 5)
    assert sum(dropped) == 5
    logs.close()
    assert store.ends() == {store.stream[0].process: decisions.MOST_OPEN + 5}


def test_the_workspaces_have_one_bound_together_and_each_its_own_stream(
    logs: DecisionLogs, tmp_path: Path, store: Store, dropped: list[int]
) -> None:
    one, two = logs.log("one", tmp_path / "one"), logs.log("two", tmp_path / "two")
    add(two, decisions.BLOCK)
    assert two.take()[1] == b"rs:{two}:decisions"
    store.away = True
    lost = {}
    for log in (one, two):
        for _ in range(20):
            add(log, 1000)
            logs.tick(0)
        lost[log.workspace] = sum(dropped)
    assert lost["two"] - lost["one"] > lost["one"] > 0
    assert one.take() is None  # after a failure it waits a little
    one.try_again()
    assert one.take()[1] == b"rs:{one}:decisions"


def test_a_decision_that_cannot_be_written_costs_its_block_and_no_answer(
    logs: DecisionLogs, log: DecisionLog, store: Store, dropped: list[int]
) -> None:
    log.add(decision(numbers=(99,)))
    add(log, decisions.BLOCK)
    logs.close()
    assert dropped == [decisions.BLOCK]
    assert store.numbers() == [decisions.BLOCK]


def test_stopping_gracefully_loses_nothing_and_says_how_many_there_were(
    logs: DecisionLogs, log: DecisionLog, store: Store, tmp_path: Path
) -> None:
    add(log, 300)
    logs.tick()
    logs.close()
    assert store.numbers() == list(range(300))
    assert list(store.ends().values()) == [300]
    assert list((tmp_path / FOLDER).iterdir()) == []
    logs.close()  # as gunicorn's hook and the end of the process both do
    assert len(store.ends()) == 1


def test_a_log_that_decided_nothing_says_nothing(
    logs: DecisionLogs, log: DecisionLog, store: Store, tmp_path: Path
) -> None:
    logs.tick()
    logs.close()
    assert store.stream == []
    assert not (tmp_path / FOLDER).exists()


def test_stopping_while_the_store_is_away_leaves_the_count_to_another_process(
    logs: DecisionLogs, log: DecisionLog, store: Store, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(decisions, "CLOSE_WITHIN_S", 0.0)
    store.away = True
    add(log, 5)
    logs.close()
    store.away = False
    later = DecisionLogs(store)
    later.log("shop", tmp_path)
    later.tick()
    assert list(store.ends().values()) == [5]


KILLED = """
import os, signal, sys
from pathlib import Path
from typing import Any
from plugin.decisions import DecisionLogs
from tests.decisions import decision
logs = DecisionLogs(None)
logs.start = lambda: None
log = logs.log("shop", Path(sys.argv[1]))
log.add(decision())
logs.tick()
for number in range(41):
    log.add(decision(number))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_how_far_a_killed_process_came_is_told_by_another_once_it_is_dead(
    logs: DecisionLogs, log: DecisionLog, store: Store, time: Time, tmp_path: Path
) -> None:
    add(log, 1)
    logs.tick()
    assert list(left_behind(tmp_path)) == []  # this process lives
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    logs.tick()
    assert store.ends() == {}  # it looks now and then
    time.now += decisions.LOOK_EVERY_S
    store.away = True
    logs.tick()
    store.away = False
    time.now += decisions.LOOK_EVERY_S
    logs.tick()
    assert list(store.ends().values()) == [42]
    assert list(left_behind(tmp_path)) == []


def test_bad_input_a_file_that_is_no_count_is_left_alone(
    logs: DecisionLogs, log: DecisionLog, store: Store, tmp_path: Path
) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "x.count").write_bytes(b"abc")
    logs.tick()
    assert store.stream == []


def test_a_folder_that_cannot_be_written_costs_the_count_alone(
    logs: DecisionLogs, tmp_path: Path, store: Store
) -> None:
    (tmp_path / "file").touch()
    log = logs.log("shop", tmp_path / "file")
    add(log, 2)
    logs.tick()
    logs.close()
    assert store.numbers() == [0, 1]


def test_threads_lose_and_double_nothing(
    logs: DecisionLogs, log: DecisionLog, store: Store
) -> None:
    def calls() -> None:
        for number in range(2000):
            taken = log.take()
            if taken is not None and number % 3:
                store.execute_command(*taken)
                log.sent(taken)
            elif taken is not None:
                log.failed(taken)
                log.try_again()
            log.add(decision(number))

    threads = [threading.Thread(target=calls) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    logs.close()
    assert sorted(store.numbers()) == list(range(8000))


def test_metrics_say_how_many_came_are_late_and_are_lost(
    get: Callable[..., Any], settings: Settings, published: object
) -> None:
    folder = settings.workspace_dir(WORKSPACE) / "lake"
    folder.mkdir(exist_ok=True)
    ledger = Ledger()
    ledger.add("p", 0, 5, ended=False, at_s=wall.time())
    ledger.add("p", 7, 8, ended=False, at_s=wall.time())
    ledger.add("q", 3, 3, ended=True, at_s=wall.time() - GRACE_S)
    ledger.save(folder)
    found = get("/metrics").text
    for name, value in {"logged_total": 6, "late": 2, "lost": 3}.items():
        assert f'rightsend_decisions_{name}{{workspace="shop"}} {value}.0' in found
    assert 'rightsend_stream_entries{stream="decisions",workspace="shop"}' in found
    assert "rightsend_decisions_dropped_total 0.0" in found
    ledger_file = folder / FILE
    ledger_file.write_text("{")
    assert get("/metrics").status_code == 200


def test_a_content_answer_is_logged_with_what_it_said(
    app: Flask, get: Callable[..., Any], published: object, redis_client: Client
) -> None:
    call = {"customer": "customer-001", "campaign": "spring", "limit": 3}
    told, again = (get("/v1/content/for-you", **call).get_json() for _ in range(2))
    unknown = get("/v1/content/related", item="nothing").get_json()
    with app.app_context():
        here = runtime().workspaces[WORKSPACE]
    here.decisions._logs.close()  # the end of the process
    found: dict[str, list[Any]] = {}
    for _, fields in redis_client.xrange(Keys(WORKSPACE).decisions):
        for name, column in unpack_block(fields[b"b"]).columns.items():
            found.setdefault(name, []).extend(column)
    ids = [answer["decision_id"] for answer in (told, again, unknown)]
    assert found["decision_id"] == ids
    assert ids[0] == ids[1] != ids[2]
    assert found["items"][0] == [item["id"] for item in told["items"]]
    assert found["scores"][0] == pytest.approx([item["score"] for item in told["items"]])
    assert found["customer"] == [*[here.reader.hash_of("customer-001").hex()] * 2, ""]
    assert found["campaign"] == ["spring", "spring", ""]
    assert found["kind"] == ["for-you", "for-you", "related"]
    assert found["reason"] == [None, None, "unknown_item"]
    assert found["snapshot"] == [told["snapshot"]] * 3
    assert found["at_us"][0] / 1e6 == pytest.approx(here.now().timestamp(), abs=60)


def test_the_thread_sends_and_ends_with_its_owner(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "TICK_S", 0.001)
    sent = threading.Event()
    take: Callable[..., bytes] = store.execute_command

    def execute(*command: bytes) -> bytes:
        taken = take(*command)
        sent.set()
        return taken

    monkeypatch.setattr(store, "execute_command", execute)
    logs = DecisionLogs(store)
    logs.log("shop", tmp_path).add(decision())
    assert sent.wait(10)
    thread = logs._thread
    logs.close()
    thread.join(10)
    assert not thread.is_alive()
