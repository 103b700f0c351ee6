"""After a failure calls fail at once, but for a probe now and then."""

from __future__ import annotations

from scoring.store.breaker import Breaker


class Time:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_calls_go_through_until_one_fails() -> None:
    breaker = Breaker(clock=Time())
    assert [breaker.allow() for _ in range(3)] == [True] * 3
    breaker.failure()
    assert not breaker.closed
    assert [breaker.allow() for _ in range(3)] == [False] * 3


def test_one_probe_goes_through_each_half_second() -> None:
    time = Time()
    breaker = Breaker(0.5, clock=time)
    breaker.failure()
    allowed = []
    for step in range(20):
        time.now_s = step / 10
        allowed.append(breaker.allow())
    assert [step for step, yes in enumerate(allowed) if yes] == [5, 10, 15]


def test_a_successful_probe_lets_all_through_again() -> None:
    time = Time()
    breaker = Breaker(0.5, clock=time)
    breaker.failure()
    time.now_s = 0.6
    assert breaker.allow()
    breaker.success()
    assert breaker.closed
    assert [breaker.allow() for _ in range(3)] == [True] * 3


def test_a_failed_probe_waits_anew() -> None:
    time = Time()
    breaker = Breaker(0.5, clock=time)
    breaker.failure()
    time.now_s = 0.6
    assert breaker.allow()
    time.now_s = 0.75
    breaker.failure()
    time.now_s = 1.2
    assert not breaker.allow()
    time.now_s = 1.3
    assert breaker.allow()
