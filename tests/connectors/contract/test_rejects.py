"""A record that the tool will never take costs nobody else, is told once, and is offered again
only when it has changed."""

from __future__ import annotations

import pytest

from connectors.delivery import Stop, quarantine
from connectors.tool import Ability
from tests.connectors.double import Double

pytestmark = pytest.mark.needs(Ability.ATTRIBUTES)


@pytest.mark.needs("http")
@pytest.mark.parametrize("locate", [True, False])
def test_one_bad_customer_does_not_cost_the_others(double: Double, locate: bool) -> None:
    double.tool.turn(blocked=["c011"], locate_errors=locate)
    double.customers(25)
    report = double.sync()
    wanted = double.wanted()
    del wanted["c011"]
    assert double.held() == wanted
    assert (sum(report.rejected.values()), report.accepted) == (1, 24)
    refused = quarantine(double.state_path)
    assert [entry.customer_id for entry in refused] == ["c011"]
    assert refused[0].reason


@pytest.mark.needs("http")
@pytest.mark.parametrize("locate", [True, False])
@pytest.mark.parametrize("workers", [1, 4])
def test_several_bad_customers_are_found(double: Double, locate: bool, workers: int) -> None:
    blocked = ["c000", "c013", "c014", "c024"]
    double.tool.turn(blocked=blocked, locate_errors=locate)
    double.customers(25)
    assert sum(double.sync(workers=workers).rejected.values()) == 4
    assert sorted(double.held()) == [c for c in sorted(double.desired) if c not in blocked]
    assert [entry.customer_id for entry in quarantine(double.state_path)] == blocked


@pytest.mark.needs("http", "batches")
@pytest.mark.parametrize("kind", ["item_errors", "item_errors_unlocated"])
def test_a_told_refusal_of_some_records_costs_nobody_else(double: Double, kind: str) -> None:
    double.customers(10)
    double.tool.fail(kind, items=[2, 5])
    report = double.sync()
    assert sum(report.rejected.values()) <= 2
    refused = {entry.customer_id for entry in quarantine(double.state_path)}
    assert {c: a for c, a in double.wanted().items() if c not in refused} == double.held()


@pytest.mark.needs("http")
def test_the_quarantined_are_offered_again_only_when_their_content_changes(double: Double) -> None:
    double.tool.turn(blocked=["c001"])
    double.customers(3)
    double.sync()
    again = double.sync()
    assert (again.requests, again.waiting, again.rejected) == (0, 1, {})
    double.tool.turn(blocked=[])
    assert double.sync().requests == 0
    double.desired["c001"]["purchase_probability"] = 0.9
    assert double.sync().accepted == 1
    assert double.held() == double.wanted()
    assert quarantine(double.state_path) == []


@pytest.mark.needs("http")
def test_who_is_still_refused_after_a_change_stands_once_in_quarantine(double: Double) -> None:
    double.tool.turn(blocked=["c001"])
    double.customers(3)
    double.sync()
    double.desired["c001"]["purchase_probability"] = 0.9
    assert sum(double.sync().rejected.values()) == 1
    assert [entry.customer_id for entry in quarantine(double.state_path)] == ["c001"]


@pytest.mark.needs("http")
def test_a_tool_that_refuses_everybody_is_not_believed(double: Double) -> None:
    double.customers(500)
    double.tool.turn(blocked=sorted(double.desired))
    with pytest.raises(Stop, match="records in a row"):
        double.sync()
    assert len(quarantine(double.state_path)) < 500


def test_bad_input_a_record_over_the_limit_is_quarantined_unsent(double: Double) -> None:
    double.customers(2)
    double.desired["c001"]["top_items"] = ["x" * (double.limits.item_bytes + 1)]
    report = double.sync()
    assert sum(report.rejected.values()) == 1
    assert list(double.held()) == ["c000"]
    assert [entry.customer_id for entry in quarantine(double.state_path)] == ["c001"]


def test_bad_input_an_id_that_is_too_long_is_quarantined_unsent(double: Double) -> None:
    double.desired = {"c" * (double.limits.item_bytes + 1): {"purchase_probability": 0.5}}
    report = double.sync()
    assert (report.requests, sum(report.rejected.values())) == (0, 1)
