"""Stopped, given up, killed or started twice: the next sync goes on where the books stand."""

from __future__ import annotations

import pytest

from connectors.delivery import Busy, Stop
from connectors.tool import Ability
from tests.connectors.children import killed_while
from tests.connectors.double import FEW, Double

pytestmark = pytest.mark.needs(Ability.ATTRIBUTES)


@pytest.mark.parametrize("workers", [1, 4])
def test_asked_to_stop_it_stops_and_the_next_sync_goes_on(double: Double, workers: int) -> None:
    double.customers(200)
    sent = [0]

    def progress(step: str, done: int, total: int | None) -> None:
        sent[0] = done if step == "send" else 0

    report = double.sync(workers=workers, progress=progress, stop=lambda: sent[0] >= 2 * FEW)
    assert not report.finished
    assert 2 * FEW <= report.accepted < 200
    assert len(double.held()) == report.accepted
    rest = double.sync()
    assert (rest.finished, report.accepted + rest.accepted) == (True, 200)
    assert double.held() == double.wanted()


@pytest.mark.needs("http")
def test_a_tool_that_fails_midway_costs_no_second_write(double: Double) -> None:
    double.customers(60)
    double.tool.turn(blocked=[])
    stop = [False]

    def progress(step: str, done: int, total: int | None) -> None:
        if step == "send" and done >= 2 * FEW and not stop[0]:
            stop[0] = True
            double.tool.fail("unauthorized", times=100)

    with pytest.raises(Stop) as stopped:
        double.sync(progress=progress)
    double.tool.heal()
    accepted = stopped.value.report.accepted
    assert double.sync().accepted == 60 - accepted
    assert double.tool.counts()["writes"] == 60
    assert double.held() == double.wanted()


@pytest.mark.needs("http")
@pytest.mark.parametrize("kind", ["timeout_before", "timeout_after"])
def test_killed_between_request_and_answer_it_resends_that_request_only(
    double: Double, kind: str
) -> None:
    double.customers(3 * FEW)
    double.tool.turn(rate_limit=1_000_000)
    double.tool.fail(kind, hang_s=20.0)
    killed_while(double, lambda: double.tool.counts()["faults_left"] == 0)
    assert double.sync().finished
    assert double.held() == double.wanted()
    assert double.tool.counts()["writes"] <= 3 * FEW + FEW
    assert double.sync().requests == 0


def test_a_second_sync_of_the_connection_is_refused_and_leaves_the_first_alone(
    double: Double,
) -> None:
    double.customers(3 * FEW)
    tried: list[str] = []

    def progress(step: str, done: int, total: int | None) -> None:
        if step == "send" and not tried:
            tried.append(step)
            with pytest.raises(Busy):
                double.sync()

    assert double.sync(progress=progress).accepted == 3 * FEW
    assert tried == ["send"]
    assert double.held() == double.wanted()


def test_bad_input_a_state_file_of_something_else_is_named(double: Double) -> None:
    double.state_path.parent.mkdir()
    double.state_path.write_bytes(b"this is not SQLite" * 100)
    with pytest.raises(Stop, match=r"connection\.sqlite cannot be used"):
        double.sync()
