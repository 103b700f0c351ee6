"""Several requests under way at a time, in real threads."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.delivery.engine import Delivery
from connectors.delivery.plan import Wish
from connectors.delivery.report import SyncReport
from connectors.delivery.runtime import Runtime
from connectors.errors import Retry, Stop
from connectors.tool import Outcome
from tests.connectors.delivery.fakes import CrashError, FakeTarget

CUSTOMERS = 400


@dataclass
class Busy(FakeTarget):
    """Answers only when others are under way, too; counts how many were at most."""

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.together = threading.Semaphore(0)
        self.under_way = self.most = 0

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        with self.lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            if self.under_way > 1:
                self.together.release()
        self.together.acquire(timeout=0.05)
        try:
            with self.lock:
                return super().write(lane, records)
        finally:
            with self.lock:
                self.under_way -= 1


def run(target: FakeTarget, folder: Path, stop_after: int | None = None) -> SyncReport:
    report = SyncReport("c")
    delivery = Delivery(
        target, folder / "state.sqlite", "attributes", report, runtime=Runtime(workers=8),
        stop=lambda: stop_after is not None and len(target.requests) >= stop_after,
    )  # fmt: skip
    delivery.run(Wish(f"c{n:03}", {"x": n}) for n in range(CUSTOMERS))
    return report


def wanted() -> dict[str, dict[str, int]]:
    return {f"c{n:03}": {"x": n} for n in range(CUSTOMERS)}


def test_several_are_under_way_and_all_is_written_once(tmp_path: Path) -> None:
    target = Busy()
    report = run(target, tmp_path)
    assert target.most > 1
    assert target.held == wanted()
    assert target.writes == report.accepted == CUSTOMERS
    assert run(target, tmp_path).requests == 0


def test_a_bad_record_costs_the_others_nothing(tmp_path: Path) -> None:
    target = Busy(poison={"c007", "c311"}, locate=False)
    report = run(target, tmp_path)
    assert target.held.keys() == wanted().keys() - {"c007", "c311"}
    assert report.rejected == {"poison": 2}


def test_a_stop_awaits_and_books_what_is_under_way(tmp_path: Path) -> None:
    target = Busy()
    report = run(target, tmp_path, stop_after=10)
    assert not report.finished
    assert report.accepted == target.writes < CUSTOMERS
    assert run(target, tmp_path).accepted == CUSTOMERS - report.accepted
    assert target.writes == CUSTOMERS


def test_a_tool_that_refuses_the_key_ends_it_with_what_was_accepted_kept(tmp_path: Path) -> None:
    class Revoked(Busy):
        def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
            if len(self.requests) >= 10:
                raise Stop("the key was refused")
            return super().write(lane, records)

    target = Revoked()
    with pytest.raises(Stop, match="the key was refused") as stopped:
        run(target, tmp_path)
    assert isinstance(stopped.value.report, SyncReport)
    assert stopped.value.report.accepted == target.writes


def test_a_mistake_of_a_connector_costs_the_answers_under_way_nothing(tmp_path: Path) -> None:
    class Mistaken(Busy):
        def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
            outcome = super().write(lane, records)
            if len(self.requests) == 20:
                raise KeyError("a field of an answer")
            return outcome

    target = Mistaken()
    with pytest.raises(KeyError):
        run(target, tmp_path)
    in_doubt = 4  # the records of the one request whose answer was not understood
    run(target, tmp_path)
    assert (target.held, target.writes) == (wanted(), CUSTOMERS + in_doubt)


def test_nothing_is_repeated_after_the_run_was_killed(tmp_path: Path) -> None:
    gate = threading.Event()
    before = set(threading.enumerate())
    target = FakeTarget(faults=["lost_before", "crash_before"])
    main = threading.current_thread()

    def sleep(_seconds: float) -> None:
        if threading.current_thread() is not main:
            gate.wait(10)

    delivery = Delivery(
        target, tmp_path / "state.sqlite", "attributes", SyncReport("c"),
        runtime=Runtime(sleep=sleep, workers=8),
    )  # fmt: skip
    with pytest.raises(CrashError):
        delivery.run(Wish(f"c{n:03}", {"x": n}) for n in range(8))
    asked = len(target.requests)
    gate.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert len(target.requests) == asked


def test_a_problem_is_told_though_another_request_was_asked_to_wait_for_an_hour(
    tmp_path: Path,
) -> None:
    waiting, refused, naps = threading.Event(), threading.Event(), []
    main = threading.current_thread()

    class Mixed(FakeTarget):
        def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
            if not waiting.is_set():
                waiting.set()
                raise Retry("later", after_s=3_600, status=503)
            refused.set()
            raise Stop("the key was refused")

    def sleep(seconds: float) -> None:
        if threading.current_thread() is not main:
            refused.wait(10)
            naps.append(seconds)
            threading.Event().wait(0.001)

    delivery = Delivery(
        Mixed(), tmp_path / "state.sqlite", "attributes", SyncReport("c"),
        runtime=Runtime(sleep=sleep, workers=8),
    )  # fmt: skip
    with pytest.raises(Stop, match="the key was refused"):
        delivery.run(Wish(f"c{n:03}", {"x": n}) for n in range(8))
    assert sum(naps) < 3_600
