"""What counts as now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from scoring.clock import Clock, ClockError

AS_OF = datetime(2017, 12, 4, tzinfo=UTC)
OPENED = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Wall:
    """A wall clock that a test turns."""

    def __init__(self, now: datetime = OPENED) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def test_without_as_of_it_is_the_wall_clock_and_nothing_is_kept(tmp_path: Path) -> None:
    assert Clock.open(tmp_path, None, Wall()).now() == OPENED
    assert list(tmp_path.iterdir()) == []


def test_as_of_runs_on_from_the_first_opening(tmp_path: Path) -> None:
    wall = Wall()
    clock = Clock.open(tmp_path / "made", AS_OF, wall)
    assert clock.now() == AS_OF
    wall.now += timedelta(hours=3)
    assert clock.now() == AS_OF + timedelta(hours=3)


def test_another_process_opens_the_same_clock(tmp_path: Path) -> None:
    wall = Wall()
    Clock.open(tmp_path, AS_OF, wall)
    wall.now += timedelta(days=2)
    assert Clock.open(tmp_path, AS_OF, wall).now() == AS_OF + timedelta(days=2)


def test_another_as_of_starts_it_again(tmp_path: Path) -> None:
    wall = Wall()
    Clock.open(tmp_path, AS_OF, wall)
    wall.now += timedelta(days=2)
    later = AS_OF + timedelta(days=1)
    assert Clock.open(tmp_path, later, wall).now() == later


def test_as_of_of_another_zone_is_the_same_moment(tmp_path: Path) -> None:
    wall = Wall()
    Clock.open(tmp_path, AS_OF, wall)
    wall.now += timedelta(days=1)
    seoul = AS_OF.astimezone(timezone(timedelta(hours=9)))
    clock = Clock.open(tmp_path, seoul, wall)
    assert clock.now() == AS_OF + timedelta(days=1)
    assert clock.now().tzinfo is UTC


def test_a_wall_clock_that_is_set_back_does_not_go_before_as_of(tmp_path: Path) -> None:
    wall = Wall()
    clock = Clock.open(tmp_path, AS_OF, wall)
    wall.now -= timedelta(days=400)
    assert clock.now() == AS_OF


@pytest.mark.parametrize("text", ["", "{}", '{"as_of": "x", "started_at": "y"}', "[1]"])
def test_bad_input_damaged_clock_file_says_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "clock.json").write_text(text)
    with pytest.raises(ClockError, match="delete the file"):
        Clock.open(tmp_path, AS_OF, Wall())


def test_bad_input_clock_file_without_zone(tmp_path: Path) -> None:
    (tmp_path / "clock.json").write_text(
        '{"as_of": "2017-12-04T00:00:00", "started_at": "2026-05-01T12:00:00"}'
    )
    with pytest.raises(ClockError, match="without zone"):
        Clock.open(tmp_path, AS_OF, Wall())


def test_bad_input_naive_as_of_is_refused() -> None:
    with pytest.raises(ValueError, match="timezone-aware"):
        Clock(datetime(2017, 12, 4), OPENED)


def test_bad_input_half_a_clock_is_refused() -> None:
    with pytest.raises(ValueError, match="belong together"):
        Clock(as_of=AS_OF)
