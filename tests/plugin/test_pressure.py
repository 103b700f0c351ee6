"""Overload is noticed from the queue's length and the pace, and is over when the queue is."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from plugin.pressure import LONGEST_WAIT_S, Pressure
from plugin.web_worker import Worker


def test_the_verdict_is_how_long_the_call_has_waited():
    pressure = Pressure()
    for waited_s, verdict in ((0.0, False), (LONGEST_WAIT_S, False), (LONGEST_WAIT_S * 1.1, True)):
        pressure.watch(lambda: 3, lambda waited_s=waited_s: waited_s)
        assert pressure.overloaded() is verdict
        assert pressure.waiting == 3


@pytest.mark.parametrize("times", [2, 5, 7])
def test_a_steady_flood_is_answered_within_about_the_longest_wait(worker, monkeypatch, times):
    """Calls come so many times as fast as whole answers: the loop takes what has arrived, and then
    what came meanwhile."""
    whole_s, prepared_s = 0.0005, 0.00005
    clock = SimpleNamespace(now_s=100.0)
    monkeypatch.setattr(time, "monotonic", lambda: clock.now_s)
    pressure = Pressure()
    pressure.of_gunicorn(worker)
    worker._loop = threading.get_ident()
    waits, prepared, next_s = [], 0, clock.now_s

    def answer(came_s):
        nonlocal prepared
        overloaded = pressure.overloaded()
        prepared += overloaded
        clock.now_s += prepared_s if overloaded else whole_s
        waits.append(clock.now_s - came_s)

    def arrived(_timeout):
        nonlocal next_s
        clock.now_s = max(clock.now_s, next_s)
        came = []
        while next_s <= clock.now_s:
            came.append((SimpleNamespace(data=answer, fileobj=next_s), 1))
            next_s += whole_s / times
        return came

    monkeypatch.setattr(worker, "poller", SimpleNamespace(select=arrived))
    while len(waits) < 60_000:
        worker.wait_for_and_dispatch_events(1.0)
    assert LONGEST_WAIT_S / 2 < max(waits) < 2 * LONGEST_WAIT_S
    assert 0.3 < prepared / len(waits) < 0.95


def test_without_a_queue_to_see_nothing_is_overloaded():
    pressure = Pressure()
    assert not pressure.overloaded()
    pressure.of_gunicorn(SimpleNamespace(cfg=SimpleNamespace(threads=1)))  # a sync worker
    assert not pressure.overloaded()
    assert pressure.waiting == 0


@pytest.fixture
def worker():
    config = Config()
    config.set("threads", 2)
    made = Worker(1, 1, [], None, 30, config, None)
    made.tpool = made.get_thread_pool()
    yield made
    made.tpool.shutdown()
    made.tmp.close()


def test_web_workers_show_their_queue(worker):
    pressure = Pressure()
    pressure.of_gunicorn(worker)
    release = threading.Event()
    for _ in range(7):
        worker.tpool.submit(release.wait)
    assert pressure.waiting == 5
    release.set()


def test_a_thread_knows_how_long_its_request_was_in_the_queue(worker):
    now_s, found = time.monotonic(), []
    worker._mine.queued_at = now_s - 0.4
    assert worker.waited_s() == pytest.approx(0.4, abs=0.1)
    thread = threading.Thread(target=lambda: found.append(worker.waited_s()))
    thread.start()
    thread.join()
    assert found == [0.0]  # it answers nothing


def test_bursts_after_a_pause_are_no_overload(worker, monkeypatch):
    """Sixty requests that take 0.1 ms each, every half a second."""
    clock = SimpleNamespace(now_s=100.0)
    monkeypatch.setattr(time, "monotonic", lambda: clock.now_s)
    waits = []

    def work(_sock):
        waits.append(worker.waited_s())
        clock.now_s += 0.0001

    worker._loop = threading.get_ident()
    events = [(SimpleNamespace(data=work, fileobj=None), 1)] * 60

    def select(_timeout):
        clock.now_s += 0.5
        return events

    monkeypatch.setattr(worker, "poller", SimpleNamespace(select=select))
    for _ in range(20):
        worker.wait_for_and_dispatch_events(1.0)
    assert len(waits) == 1200
    assert max(waits) == pytest.approx(2 * 59 * 0.0001)


def test_fault_a_step_that_fails_ends_no_worker(worker, monkeypatch):
    def fails(_sock):
        raise KeyError("of a client")

    events = [(SimpleNamespace(data=fails, fileobj=None), 1)] * 3
    monkeypatch.setattr(worker, "poller", SimpleNamespace(select=lambda _timeout: events))
    worker.wait_for_and_dispatch_events(1.0)
    assert worker.waiting == 0
