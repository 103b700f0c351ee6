"""A target that makes something of a run (files of a folder) is told when the run is over."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.delivery.engine import Delivery
from connectors.delivery.lock import only_one
from connectors.delivery.plan import Wish
from connectors.delivery.report import SyncReport
from connectors.errors import Busy, Retry, Stop
from tests.connectors.delivery.fakes import CrashError, FakeTarget
from tests.connectors.doubles import FakeTime
from tests.connectors.files.conftest import Exports
from tests.connectors.files.reading import held

DESIRED = [Wish(f"c{n:02}", {"x": n}) for n in range(8)]


@dataclass
class FinishingTarget(FakeTarget):
    """``finished`` holds how many requests there were at each call."""

    lock: Path | None = None
    problem: Exception | None = None

    def __post_init__(self) -> None:
        self.finished: list[int] = []

    def finish(self) -> None:
        self.finished.append(len(self.requests))
        assert self.lock is not None
        with pytest.raises(Busy), only_one(self.lock, "another run"):
            pass
        if self.problem is not None:
            raise self.problem


def run(
    target: FinishingTarget, folder: Path, *, dry_run: bool = False, stop: bool = False
) -> None:
    target.lock = folder / "state.sqlite.attributes.lock"
    Delivery(
        target, folder / "state.sqlite", "attributes", SyncReport("c", dry_run=dry_run),
        runtime=FakeTime().runtime(), stop=lambda: stop and len(target.requests) > 0,
    ).run(DESIRED)  # fmt: skip


def test_it_is_told_once_while_nobody_else_can_begin(tmp_path: Path) -> None:
    target = FinishingTarget()
    run(target, tmp_path)
    run(target, tmp_path)
    assert target.finished == [2, 2]


def test_a_dry_run_finishes_nothing(tmp_path: Path) -> None:
    target = FinishingTarget()
    run(target, tmp_path, dry_run=True)
    assert target.finished == []


def test_what_was_accepted_before_somebody_stopped_the_run_is_finished(tmp_path: Path) -> None:
    target = FinishingTarget()
    run(target, tmp_path, stop=True)
    assert target.finished == [1]


def test_the_first_error_is_told_though_finishing_fails_too(tmp_path: Path) -> None:
    target = FinishingTarget(faults=["none", *["lost_before"] * 8], problem=Retry("no space"))
    with pytest.raises(Stop, match="gave up"):
        run(target, tmp_path)
    assert len(target.finished) == 1


def test_a_process_that_dies_finishes_nothing(tmp_path: Path) -> None:
    target = FinishingTarget(faults=["crash_after"])
    with pytest.raises(CrashError):
        run(target, tmp_path)
    assert target.finished == []


def test_a_dry_run_leaves_the_journal_of_a_dead_process_alone(tmp_path: Path) -> None:
    exports = Exports(tmp_path)
    exports.customers(2)
    rows = exports.out / "attributes" / "_open-20260101T000000.000000Z" / "00000001.ndjson"
    rows.parent.mkdir(parents=True)
    rows.write_bytes(b'["c9",{"rs_probability":0.5}]')
    exports.sync(dry_run=True)
    assert held(exports.out) == {}
    exports.sync()
    assert list(held(exports.out)) == ["c000", "c001", "c9"]
