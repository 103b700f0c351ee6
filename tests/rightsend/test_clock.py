from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rightsend import clock
from settings.workspace import ScheduleSettings, WorkspaceSettings


def workspace(**schedule: str | None) -> WorkspaceSettings:
    return WorkspaceSettings(
        "shop", Path("shop.yaml"), (), timezone="Asia/Seoul", schedule=ScheduleSettings(**schedule)
    )


def test_the_schedule_is_in_the_workspaces_own_time_zone() -> None:
    (line,) = clock.schedule_of(workspace(nightly="0 3 * * *"))
    three_in_seoul = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)
    assert clock.last_due(line.trigger, three_in_seoul) == three_in_seoul
    assert clock.last_due(line.trigger, three_in_seoul - timedelta(seconds=1)) is None


def test_a_workspace_without_schedule_has_no_lines() -> None:
    assert clock.schedule_of(workspace(nightly=None, sync=None)) == []


def test_the_nightly_job_and_an_extra_sync_are_two_lines() -> None:
    lines = clock.schedule_of(workspace(nightly="0 3 * * *", sync="0 12 * * mon-fri"))
    assert [line.job for line in lines] == ["run_nightly", "sync"]


@pytest.mark.parametrize("late_s", [0, 59, 600, clock.LATE_S])
def test_clocks_that_wake_at_different_moments_agree_on_the_scheduled_one(late_s: int) -> None:
    trigger = clock.trigger_of("30 4 * * *", "UTC")
    due = datetime(2026, 3, 1, 4, 30, tzinfo=UTC)
    assert clock.last_due(trigger, due + timedelta(seconds=late_s)) == due


def test_what_was_due_too_long_ago_is_not_made_up_for() -> None:
    trigger = clock.trigger_of("30 4 * * *", "UTC")
    due = datetime(2026, 3, 1, 4, 30, tzinfo=UTC)
    assert clock.last_due(trigger, due + timedelta(seconds=clock.LATE_S + 1)) is None


def test_of_several_times_that_were_missed_only_the_latest_counts() -> None:
    trigger = clock.trigger_of("*/10 * * * *", "UTC")
    now = datetime(2026, 3, 1, 4, 39, tzinfo=UTC)
    assert clock.last_due(trigger, now) == datetime(2026, 3, 1, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize("line", ["", "every night", "61 3 * * *", "0 3 * *"])
def test_bad_input_a_line_that_is_no_cron_expression_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        clock.trigger_of(line, "UTC")
