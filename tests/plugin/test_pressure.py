"""Overload is noticed from the queue's length and the pace, and is over when the queue is."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from plugin.pressure import LONGEST_WAIT_S, Pressure
from plugin.web_worker import Worker

THREADS = 8


class Server:
    """So many calls wait; one is answered every ``interval_s``."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.waiting = 0
        self.pressure = Pressure(clock=lambda: self.now_s)
        self.pressure.watch(lambda: self.waiting, THREADS)

    def answer(self, calls: int, interval_s: float) -> bool:
        """The verdict on the last call."""
        verdict = False
        for _ in range(calls):
            self.now_s += interval_s
            verdict = self.pressure.overloaded()
        return verdict


@pytest.fixture
def server():
    return Server()


@pytest.mark.parametrize(
    ("waiting", "interval_s", "verdict"),
    [
        (0, 0.0005, False),
        (100, 0.0005, False),  # 50 ms
        (1000, 0.0005, True),  # 500 ms
        (1000, 0.0001, False),  # 100 ms: a faster machine
        (20, 0.02, True),  # 400 ms: few, but the store hangs
        (THREADS, 1.0, False),  # each has a thread at once
    ],
)
def test_the_verdict_is_length_times_pace(server, waiting, interval_s, verdict):
    server.waiting = waiting
    assert server.answer(300, interval_s) is verdict


def test_it_is_over_as_soon_as_the_queue_is_short(server):
    server.waiting = 2000
    assert server.answer(300, 0.0005)
    server.waiting = 100
    assert not server.answer(1, 0.0005)


def test_a_quiet_time_before_a_burst_is_not_taken_for_a_slow_pace(server):
    server.waiting = 500
    server.answer(200, 0.0001)
    server.waiting = 0
    server.answer(1, 60.0)
    server.waiting = 500
    assert not server.answer(1, 30.0)
    assert not server.answer(100, 0.0001)


def test_a_steady_flood_is_answered_within_the_longest_wait(server):
    """A queue that fills five times as fast as whole answers come settles where the wait is the
    longest that is allowed."""
    whole_s, prepared_s, arriving_s = 0.0005, 0.00005, 0.0001
    worst_s = 0.0
    queue: list[float] = []  # when they came
    next_s = server.now_s
    for _ in range(60_000):
        while next_s <= server.now_s:
            queue.append(next_s)
            next_s += arriving_s
        if not queue:
            server.now_s = next_s
            continue
        came_s = queue.pop(0)
        server.waiting = len(queue)
        server.now_s += prepared_s if server.pressure.overloaded() else whole_s
        worst_s = max(worst_s, server.now_s - came_s)
    assert LONGEST_WAIT_S / 2 < worst_s < 2 * LONGEST_WAIT_S


def test_without_a_queue_to_see_nothing_is_overloaded():
    pressure = Pressure()
    assert not pressure.overloaded()
    pressure.of_gunicorn(SimpleNamespace(cfg=SimpleNamespace(threads=1)))  # a sync worker
    assert not pressure.overloaded()
    assert pressure.waiting == 0


def test_web_workers_show_their_queue():
    config = Config()
    config.set("threads", 2)
    worker = Worker(1, 1, [], None, 30, config, None)
    worker.tpool = worker.get_thread_pool()
    pressure = Pressure()
    pressure.of_gunicorn(worker)
    release = threading.Event()
    for _ in range(7):
        worker.tpool.submit(release.wait)
    assert pressure.waiting == 5
    release.set()
    worker.tpool.shutdown()
    worker.tmp.close()
