"""What every connector that keeps the members of a segment must do."""

from __future__ import annotations

from math import ceil

import pytest

from connectors.delivery import Stop
from connectors.registry import open_tool
from connectors.tool import Ability
from tests.connectors.double import FEW, SEGMENT, Double

pytestmark = pytest.mark.needs(Ability.SEGMENTS, "http")


@pytest.fixture
def shop(double: Double) -> Double:
    """A double that knows c000 to c029: some tools take only people whom they know."""
    double.customers(30)
    double.sync()
    return double


def ids(*numbers: int) -> list[str]:
    return [f"c{number:03}" for number in numbers]


def test_the_first_push_creates_the_segment_with_all_members(shop: Double) -> None:
    report = shop.push(ids(2, 1, 3))
    assert shop.tool.members(SEGMENT) == ids(1, 2, 3)
    assert (report.members, report.added, report.removed) == (3, 3, 0)
    assert report.finished


def test_the_second_push_sends_only_who_came_and_who_left(shop: Double) -> None:
    shop.push(ids(1, 2, 3))
    report = shop.push(ids(2, 3, 4))
    assert shop.tool.members(SEGMENT) == ids(2, 3, 4)
    assert (report.added, report.removed) == (1, 1)
    assert 1 <= report.requests <= 2


def test_an_unchanged_segment_sends_nothing(shop: Double) -> None:
    shop.push(ids(1, 2))
    assert shop.push(ids(2, 1)).requests == 0


def test_a_renamed_segment_keeps_its_members(shop: Double) -> None:
    shop.push(ids(1))
    assert shop.push(ids(1), name="New name").requests == 1
    assert shop.tool.members(SEGMENT) == ids(1)
    assert shop.push(ids(1), name="New name").requests == 0


def test_a_renamed_segment_goes_on_to_change(shop: Double) -> None:
    shop.push(ids(1))
    shop.push(ids(2), name="New name")
    assert shop.tool.members(SEGMENT) == ids(2)


def test_many_members_go_in_full_requests(double: Double) -> None:
    double.full_size()
    with open_tool(double.connection) as tool:
        items = tool.segment(SEGMENT).limits.items
    count = min(2 * items + 1, 2_500)
    double.desired = {f"m{n:05}": {"purchase_probability": 0.5} for n in range(count)}
    double.sync()
    report = double.push(list(double.desired))
    assert double.tool.members(SEGMENT) == sorted(double.desired)
    assert report.requests == 1 + ceil(count / items)


def test_members_over_one_request_come_and_go(shop: Double) -> None:
    shop.push(ids(*range(3 * FEW)))
    shop.push(ids(*range(FEW // 2)))
    assert shop.tool.members(SEGMENT) == ids(*range(FEW // 2))


@pytest.mark.parametrize(
    "kind",
    ["locked", "rate_limited", "server_error_after", "reset", "html", "html_before", "huge",
     "array"],
)  # fmt: skip
def test_a_passing_fault_ends_in_exactly_the_members(shop: Double, kind: str) -> None:
    shop.push(ids(1, 2))
    shop.tool.fail(kind, times=2)
    report = shop.push(ids(2, 3))
    assert shop.tool.members(SEGMENT) == ids(2, 3)
    assert report.rejected == {}


def test_a_fault_while_the_segment_is_made_makes_it_once(shop: Double) -> None:
    shop.tool.fail("server_error_after", times=2)
    shop.push(ids(1, 2))
    assert shop.tool.members(SEGMENT) == ids(1, 2)
    shop.push(ids(2))
    assert shop.tool.members(SEGMENT) == ids(2)


def test_an_empty_segment_empties_the_tools(shop: Double) -> None:
    shop.push(ids(1, 2))
    shop.push([])
    assert shop.tool.members(SEGMENT) == []


def test_a_segment_and_the_attributes_do_not_disturb_each_other(shop: Double) -> None:
    shop.push(ids(1))
    assert shop.sync().requests == 0
    assert shop.held() == shop.wanted()
    shop.customers(30, probability=0.9)
    shop.sync()
    assert shop.tool.members(SEGMENT) == ids(1)


def test_a_member_that_is_refused_does_not_cost_the_others(shop: Double) -> None:
    shop.tool.turn(blocked=ids(3))
    report = shop.push(ids(*range(9)))
    assert shop.tool.members(SEGMENT) == [c for c in ids(*range(9)) if c not in ids(3)]
    assert sum(report.rejected.values()) == 1


def test_members_without_external_id_are_left_out_and_counted(shop: Double) -> None:
    report = shop.push([*ids(1), "device_id:1", "email_hash:2"])
    assert (report.members, report.unaddressable) == (1, 2)


def test_a_refused_key_ends_the_push(shop: Double) -> None:
    shop.tool.fail("unauthorized")
    with pytest.raises(Stop):
        shop.push(ids(1))
    shop.push(ids(1))
    assert shop.tool.members(SEGMENT) == ids(1)


def test_asked_to_stop_the_push_stops_and_the_next_goes_on(shop: Double) -> None:
    sent = [0]

    def progress(step: str, done: int, total: int | None) -> None:
        sent[0] = done if step == "send" else 0

    members = ids(*range(3 * FEW))
    first = shop.push(members, progress=progress, stop=lambda: sent[0] > 0)
    assert not first.finished
    assert len(shop.tool.members(SEGMENT)) < len(members)
    assert shop.push(members).finished
    assert shop.tool.members(SEGMENT) == members
