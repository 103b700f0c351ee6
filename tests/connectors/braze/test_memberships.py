"""Segments as an array attribute."""

from __future__ import annotations

import pytest

from connectors import delivery
from connectors.delivery import PushReport
from tests.connectors.braze.conftest import Braze


@pytest.fixture
def by_attribute(braze: Braze) -> Braze:
    names = ("partner_name", "partner_api_key", "partner_client_secret")
    return braze.having(
        segments_as="attribute", segments_attribute="rightsend_segments", **dict.fromkeys(names)
    )


def push(braze: Braze, members: list[str], segment_id: str = "seg-1") -> PushReport:
    return delivery.push_segment(
        braze.connection, segment_id=segment_id, name="Likely", members=members, **braze.options()
    )


def arrays(braze: Braze) -> dict[str, list[str]]:
    return {
        customer: attributes["rightsend_segments"]
        for customer, attributes in braze.tool.held().items()
    }


def test_members_come_and_go_without_a_partner(by_attribute: Braze) -> None:
    push(by_attribute, ["a", "b"])
    report = push(by_attribute, ["b", "c"])
    assert by_attribute.tool.members("seg-1") == ["b", "c"]
    assert (report.added, report.removed, report.requests) == (1, 1, 1)


def test_segments_do_not_disturb_each_other(by_attribute: Braze) -> None:
    push(by_attribute, ["a", "b"], "seg-1")
    push(by_attribute, ["b"], "seg-2")
    push(by_attribute, ["a"], "seg-1")
    assert arrays(by_attribute) == {"a": ["seg-1"], "b": ["seg-2"]}


@pytest.mark.parametrize("kind", ["server_error_after", "reset", "invalid_json"])
def test_a_change_whose_answer_was_lost_is_there_once(by_attribute: Braze, kind: str) -> None:
    by_attribute.tool.fail(kind, times=2)
    push(by_attribute, ["a"])
    assert arrays(by_attribute) == {"a": ["seg-1"]}


def test_a_refused_member_does_not_cost_the_others(by_attribute: Braze) -> None:
    by_attribute.tool.turn(blocked=["b"])
    report = push(by_attribute, ["a", "b", "c", "device_id:1"])
    assert by_attribute.tool.members("seg-1") == ["a", "c"]
    assert (sum(report.rejected.values()), report.unaddressable) == (1, 1)


def test_profiles_are_not_made_where_they_must_not_be(by_attribute: Braze) -> None:
    push(by_attribute.having(update_existing_only=True), ["a"])
    assert list(by_attribute.tool.profiles()) == []


def test_attributes_stay_beside_the_segments(by_attribute: Braze) -> None:
    by_attribute.profiles("a")
    push(by_attribute, ["a"])
    assert by_attribute.tool.held() == {
        "a": {"rs_probability": 0.5, "rightsend_segments": ["seg-1"]}
    }
