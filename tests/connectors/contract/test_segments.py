"""What every connector that pushes segments must do."""

from __future__ import annotations

import pytest

from connectors.delivery import Stop
from tests.connectors.doubles import Double


def test_the_first_push_creates_the_segment_with_all_members(double: Double) -> None:
    report = double.push(["b", "a", "c"])
    assert double.tool.members("seg-1") == ["a", "b", "c"]
    assert (report.members, report.added, report.removed) == (3, 3, 0)
    assert report.finished


def test_the_second_push_sends_only_who_came_and_who_left(double: Double) -> None:
    double.push(["a", "b", "c"])
    report = double.push(["b", "c", "d"])
    assert double.tool.members("seg-1") == ["b", "c", "d"]
    assert (report.added, report.removed, report.requests) == (1, 1, 1)


def test_an_unchanged_segment_sends_nothing(double: Double) -> None:
    double.push(["a", "b"])
    assert double.push(["b", "a"]).requests == 0


def test_a_renamed_segment_is_renamed_in_the_tool(double: Double) -> None:
    double.push(["a"])
    assert double.push(["a"], name="New name").requests == 1
    assert double.tool.members("seg-1") == ["a"]


def test_many_members_go_in_requests_that_the_tool_takes(double: Double) -> None:
    members = [f"m{n:05}" for n in range(2_500)]
    report = double.push(members)
    assert double.tool.members("seg-1") == members
    assert report.requests == 1 + 3


@pytest.mark.parametrize("kind", ["locked", "rate_limited", "server_error_after", "reset", "html"])
def test_a_passing_fault_ends_in_exactly_the_members(double: Double, kind: str) -> None:
    double.push(["a", "b"])
    double.tool.fail(kind, times=2)
    double.push(["b", "c"])
    assert double.tool.members("seg-1") == ["b", "c"]


def test_an_empty_segment_empties_the_tools(double: Double) -> None:
    double.push(["a", "b"])
    double.push([])
    assert double.tool.members("seg-1") == []


def test_a_segment_and_the_attributes_do_not_disturb_each_other(double: Double) -> None:
    double.customers(3)
    double.sync()
    double.push(["c001"])
    assert double.sync().requests == 0
    assert double.tool.members("seg-1") == ["c001"]


def test_a_member_that_is_refused_does_not_cost_the_others(double: Double) -> None:
    double.tool.turn(blocked=["m3"])
    report = double.push([f"m{n}" for n in range(9)])
    assert double.tool.members("seg-1") == [f"m{n}" for n in range(9) if n != 3]
    assert sum(report.rejected.values()) == 1


def test_members_without_external_id_are_left_out_and_counted(double: Double) -> None:
    report = double.push(["a", "device_id:1", "email_hash:2"])
    assert (report.members, report.unaddressable) == (1, 2)


def test_a_refused_key_ends_the_push(double: Double) -> None:
    double.tool.fail("unauthorized")
    with pytest.raises(Stop):
        double.push(["a"])
    double.push(["a"])
    assert double.tool.members("seg-1") == ["a"]
