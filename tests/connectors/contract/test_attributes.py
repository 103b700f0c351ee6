"""What every connector of the registry must do with user attributes, whatever its tool does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors import delivery
from connectors.delivery import quarantine
from connectors.tool import Ability
from tests.connectors.double import FEW, Double

pytestmark = pytest.mark.needs(Ability.ATTRIBUTES)


def test_first_sync_brings_everybody(double: Double) -> None:
    double.customers(3 * FEW + 1)
    report = double.sync()
    assert double.held() == double.wanted()
    assert (report.profiles, report.changed, report.accepted) == (31, 31, 31)
    assert report.data_points == report.data_points_full == 62
    assert (report.rejected, report.finished) == ({}, True)


def test_second_sync_of_the_same_sends_nothing(double: Double) -> None:
    double.customers(20)
    double.sync()
    report = double.sync()
    assert (report.changed, report.requests, report.data_points) == (0, 0, 0)


def test_only_the_changed_attribute_of_the_changed_customer_is_sent(double: Double) -> None:
    double.customers(20)
    double.sync()
    double.desired["c007"]["purchase_probability"] = 0.9
    report = double.sync()
    assert (report.changed, report.requests, report.data_points) == (1, 1, 1)
    assert double.held() == double.wanted()


def test_noise_below_the_step_is_no_change(double: Double) -> None:
    double.customers(5, probability=0.501)
    double.sync()
    double.customers(5, probability=0.499)
    assert double.sync().requests == 0


def test_a_score_that_goes_takes_its_attribute_along_and_leaves_the_others(double: Double) -> None:
    double.customers(3)
    double.sync()
    del double.desired["c001"]["top_items"]
    report = double.sync()
    assert double.held() == double.wanted()
    assert report.data_points == 1


def test_a_list_that_changes_replaces_the_one_before(double: Double) -> None:
    double.customers(3)
    double.sync()
    double.desired["c001"]["top_items"] = ["z", "a"]
    double.sync()
    assert double.held() == double.wanted()


def test_a_vanished_customer_loses_the_attributes(double: Double) -> None:
    double.customers(5)
    double.sync()
    del double.desired["c002"]
    report = double.sync()
    assert double.held() == double.wanted()
    assert (report.changed, report.data_points) == (1, 2)
    assert double.sync().requests == 0


def test_a_customer_who_comes_back_gets_the_attributes_again(double: Double) -> None:
    double.customers(3)
    double.sync()
    double.customers(2)
    double.sync()
    double.customers(3)
    assert double.sync().accepted == 1
    assert double.held() == double.wanted()


def test_an_attribute_that_is_no_longer_configured_is_removed(double: Double) -> None:
    double.customers(3)
    double.sync()
    fewer = replace(double.connection, attributes=double.connection.attributes[:1])
    report = replace(double, connection=fewer).sync()
    only = double.as_held({"purchase_probability": 0.5})
    assert double.held() == dict.fromkeys(double.desired, only)
    assert report.data_points == 3


def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(double: Double) -> None:
    double.customers(30)
    would = double.sync(dry_run=True)
    assert double.held() == {}
    report = double.sync()
    assert (would.changed, would.requests, would.data_points) == (30, report.requests, 60)
    assert report.data_points == 60


def test_a_dry_run_of_a_change_counts_the_change_only(double: Double) -> None:
    double.customers(30)
    double.sync()
    double.desired["c003"]["purchase_probability"] = 0.1
    would = double.sync(dry_run=True)
    assert (would.changed, would.requests, would.data_points) == (1, 1, 1)
    assert double.held() != double.wanted()


def test_customers_without_external_id_are_counted_and_left_out(double: Double) -> None:
    double.desired = {"device_id:9": {"purchase_probability": 0.3}, "": {}, "c1": {"top_items": []}}
    report = double.sync()
    assert (report.unaddressable, report.profiles, report.requests) == (1, 1, 0)


def test_ids_and_texts_of_any_script_arrive_as_they_are(double: Double) -> None:
    scores = {"purchase_probability": 0.5, "top_items": ["감귤 2kg", 'a "b" \\', "é&<>%2F"]}
    double.desired = {"고객-1": scores, "a b+c&d%/é": scores}
    double.sync()
    assert double.held() == double.wanted()


def test_many_customers_twice_in_the_desired_state_count_once(double: Double) -> None:
    desired = [("c1", {"purchase_probability": 0.1}), ("c1", {"purchase_probability": 0.7})]
    delivery.sync(double.connection, desired, state_path=double.state_path)
    assert double.held() == {"c1": double.as_held({"purchase_probability": 0.7})}


def test_progress_ends_at_the_number_of_changes(double: Double) -> None:
    double.customers(3 * FEW)
    seen: list[tuple[str, int, int | None]] = []
    double.sync(progress=lambda *step: seen.append(step))
    assert seen[0] == ("read", 30, 30)
    assert seen[-1] == ("send", 30, 30)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": 1}, [1], 2**70])
def test_bad_input_a_score_that_no_tool_can_hold_leaves_the_customer_alone(
    double: Double, value: object
) -> None:
    double.customers(3)
    double.sync()
    wanted = double.wanted()
    double.desired["c001"]["top_items"] = value
    report = double.sync()
    assert sum(report.rejected.values()) == 1
    assert double.held() == wanted
    double.customers(3)
    assert double.sync().requests == 0
    assert quarantine(double.state_path) == []


def test_bad_input_a_customer_id_that_is_not_text_is_counted(double: Double) -> None:
    double.desired = {"half\ud800": {"purchase_probability": 0.5}}
    assert double.sync().rejected == {"the customer id is not text": 1}
