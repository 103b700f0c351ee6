from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery.flow import Flow
from connectors.delivery.pacing import SHARE, SLOWER, Pacer
from connectors.rate import Rate
from connectors.tool import Window
from tests.connectors.doubles import FakeTime

BRAZE = (Window(3_000, 3.0),)


def leave(pacer: Pacer, time: FakeTime, requests: int, hiccup_s: float = 0.0) -> list[float]:
    """When each of so many requests leaves; in the middle nobody does anything for a while."""
    left = []
    for number in range(requests):
        time.sleep(pacer.reserve())
        left.append(time.now_s)
        if number == requests // 2:
            time.sleep(hiccup_s)
    return left


def most_in(moments: list[float], seconds: float) -> int:
    """The most in any window, wherever it begins."""
    return max(sum(start <= at < start + seconds for at in moments) for start in moments[:400])


@pytest.mark.parametrize(
    "windows", [BRAZE, (Window(10, 1.0), Window(150, 60.0)), (Window(5, 1.0),), (Window(100, 1.0),)]
)
def test_no_window_holds_more_than_the_contract_and_nearly_all_of_it(
    windows: tuple[Window, ...], time: FakeTime
) -> None:
    moments = leave(Pacer(windows, time.runtime()), time, 4_000)
    slowest = max(windows, key=lambda w: w.seconds / w.requests)
    for window in windows:
        assert most_in(moments, window.seconds) <= window.requests
    used = len(moments) / (moments[-1] - moments[0]) * slowest.seconds / slowest.requests
    assert SHARE - 0.01 < used < 1


@pytest.mark.parametrize("hiccup_s", [0.01, 0.04, 0.5, 7.0])
def test_a_hiccup_is_made_up_for_within_the_contract(hiccup_s: float, time: FakeTime) -> None:
    moments = leave(Pacer(BRAZE, time.runtime()), time, 9_000, hiccup_s)
    middle = moments[4_300:]
    assert most_in(middle, 3.0) <= 3_000


@given(st.floats(0, 100), st.integers(1, 50))
def test_after_a_429_nobody_leaves_before_the_tool_said(after_s: float, requests: int) -> None:
    time = FakeTime()
    pacer = Pacer(BRAZE, time.runtime())
    start = time.now_s
    pacer.refused(after_s)
    moments = leave(pacer, time, requests)
    assert moments[0] >= start + after_s


def test_requests_that_left_before_the_pause_slow_the_pace_once_only(time: FakeTime) -> None:
    pacer = Pacer(BRAZE, time.runtime())
    usual_s = pacer.interval_s
    for _ in range(5):
        pacer.refused(2.0)
    assert pacer.interval_s == pytest.approx(SLOWER * usual_s)
    for _ in range(6):
        time.sleep(61)
        pacer.reserve()
    assert pacer.interval_s == pytest.approx(usual_s)


def test_an_exhausted_window_is_waited_out(time: FakeTime) -> None:
    pacer = Pacer(BRAZE, time.runtime())
    pacer.heard(Rate(3_000, 0, 2.0))
    assert pacer.reserve() == pytest.approx(2.0)
    assert pacer.paused_s() == pytest.approx(2.0)


def test_without_a_contract_answers_set_the_pace(time: FakeTime) -> None:
    pacer = Pacer((), time.runtime())
    assert [pacer.reserve() for _ in range(3)] == [0, 0, 0]
    pacer.heard(Rate(100, 50, 10.0))
    assert pacer.interval_s == pytest.approx(0.2)
    pacer.heard(Rate())
    assert pacer.interval_s == pytest.approx(0.2)


def answers(flow: Flow, latency_s: float, service_s: float, count: int) -> None:
    """A tool that serves one request at a time: what waits inside takes longer."""
    for _ in range(count):
        flow.answered(max(latency_s, flow.allowed * service_s))


def test_as_many_are_under_way_as_a_distant_tool_needs() -> None:
    flow = Flow(most=64)
    answers(flow, latency_s=0.2, service_s=0.001, count=5_000)
    assert flow.allowed == 64


def test_a_slow_tool_is_not_flooded() -> None:
    flow = Flow(most=64)
    answers(flow, latency_s=0.02, service_s=0.02, count=5_000)
    assert 2 <= flow.allowed <= 8


def test_one_at_a_time_stays_one() -> None:
    flow = Flow(most=1)
    answers(flow, 0.01, 0.01, 100)
    assert flow.allowed == 1
