from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from connectors.delivery.engine import Delivery
from connectors.delivery.ledger import Ledger
from connectors.delivery.plan import Wish
from connectors.delivery.report import MOST_REASONS, OTHER_REASONS, SyncReport
from connectors.delivery.runtime import Runtime, StopAskedError, wait
from connectors.delivery.sending import Backoff
from connectors.errors import Retry, Stop
from tests.connectors.delivery.fakes import FakeTarget
from tests.connectors.doubles import FakeTime

DESIRED = [Wish(f"c{n:02}", {"x": n}) for n in range(8)]


def run(
    target: FakeTarget,
    folder: Path,
    time: FakeTime,
    desired: Sequence[Wish] = DESIRED,
    **options: object,
) -> SyncReport:
    report = SyncReport("c")
    delivery = Delivery(
        target, folder / "state.sqlite", "attributes", report, runtime=time.runtime(),
        **options,  # type: ignore[arg-type]
    )  # fmt: skip
    delivery.run(desired)
    return report


@pytest.mark.parametrize("attempt", range(1, 12))
def test_back_off_doubles_with_jitter_up_to_a_limit(attempt: int) -> None:
    runtime = Runtime(chance=random.Random(attempt))
    full = min(0.5 * 2 ** (attempt - 1), 60)
    assert full / 2 <= Backoff().wait_s(attempt, None, runtime) <= full


def test_what_the_tool_asks_for_is_never_cut() -> None:
    assert 90 <= Backoff().wait_s(1, 90, Runtime(chance=random.Random(1))) <= 90.5


def test_a_lost_answer_repeats_one_request_only(tmp_path: Path, time: FakeTime) -> None:
    target = FakeTarget(faults=["none", "lost_after"])
    report = run(target, tmp_path, time)
    assert [batch[0] for batch in target.requests] == ["c00", "c04", "c04"]
    assert (report.requests, report.retries, target.writes) == (3, 1, 12)


def test_isolation_sends_the_good_ones_in_halves(tmp_path: Path, time: FakeTime) -> None:
    target = FakeTarget(poison={"c01"}, locate=False)
    report = run(target, tmp_path, time)
    assert target.requests[:5] == [
        ["c00", "c01", "c02", "c03"], ["c00", "c01"], ["c00"], ["c01"], ["c02", "c03"],
    ]  # fmt: skip
    assert (report.accepted, report.rejected) == (7, {"poison": 1})


def quarantined(folder: Path) -> list[str]:
    with Ledger(folder / "state.sqlite", "attributes") as ledger:
        return [line.customer_id for line in ledger.quarantine()]


def test_what_may_stand_in_the_tool_is_not_forgotten_when_its_removal_is_refused(
    tmp_path: Path, time: FakeTime
) -> None:
    target = FakeTarget(faults=["lost_after", "split", "split"])
    run(target, tmp_path, time, [Wish("c1", {"x": 1})])
    run(target, tmp_path, time, [Wish("c1", {})])
    assert quarantined(tmp_path) == ["c1"]
    assert run(target, tmp_path, time, []).requests == 0  # refused already
    run(target, tmp_path, time, [Wish("c1", {"x": 2})])
    assert target.held == {"c1": {"x": 2}}
    assert quarantined(tmp_path) == []


def test_a_refused_customer_who_is_gone_is_forgotten(tmp_path: Path, time: FakeTime) -> None:
    target = FakeTarget(faults=["split"])
    run(target, tmp_path, time, [Wish("c1", {"x": 1})])
    assert quarantined(tmp_path) == ["c1"]
    assert run(target, tmp_path, time, []).requests == 0
    assert quarantined(tmp_path) == []


def test_giving_up_keeps_what_was_accepted(tmp_path: Path, time: FakeTime) -> None:
    target = FakeTarget(faults=["none", *["lost_before"] * 3])
    with pytest.raises(Stop, match="gave up after 3 attempts") as stopped:
        run(target, tmp_path, time, backoff=Backoff(attempts=3))
    assert stopped.value.report.accepted == 4
    assert run(target, tmp_path, time).accepted == 4


def test_a_stop_is_heeded_in_the_middle_of_a_long_wait(time: FakeTime) -> None:
    start = time.now_s
    with pytest.raises(StopAskedError):
        wait(3_600, time.runtime(), lambda: time.now_s - start >= 10)
    assert time.slept_s <= 11


def test_the_wait_before_a_retry_is_in_the_report(tmp_path: Path, time: FakeTime) -> None:
    target = FakeTarget(faults=["lost_before"])
    report = run(target, tmp_path, time)
    assert report.waited_s == pytest.approx(time.slept_s)
    assert report.seconds == pytest.approx(time.slept_s)


def test_reasons_beyond_the_first_are_counted_together() -> None:
    report = SyncReport("c")
    for n in range(MOST_REASONS + 5):
        report.count_reject(f"reason {n}")
    assert len(report.rejected) == MOST_REASONS + 1
    assert report.rejected[OTHER_REASONS] == 5


@pytest.mark.parametrize("make", [Retry, Stop])
def test_errors_carry_status_and_request_id(make: Callable[..., Exception]) -> None:
    error = make("the tool failed", status=503, request_id="r-1")
    assert str(error) == "the tool failed (HTTP 503, request r-1)"
