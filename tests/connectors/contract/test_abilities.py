"""A connector can do what it says, and says what it can do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connectors import delivery
from connectors.errors import ConnectorError, Lost, Reject, Retry, Split, Stop
from connectors.registry import REGISTRY, open_tool
from connectors.tool import Ability, Connector, Recipient, Target, Tool, in_batches
from tests.connectors.double import SEGMENT, Double
from tests.connectors.doubles import connector_of

CATALOG, CAMPAIGN = "shop-items", "1"
CALLS: dict[Ability, list[Callable[[Tool], Any]]] = {
    Ability.ATTRIBUTES: [lambda tool: tool.attributes()],
    Ability.SEGMENTS: [
        lambda tool: tool.segment(SEGMENT),
        lambda tool: tool.declare_segment(SEGMENT, "Likely buyers"),
    ],
    Ability.CATALOG: [
        lambda tool: tool.catalog(CATALOG),
        lambda tool: tool.declare_catalog(CATALOG, {"price": "number"}),
    ],
    Ability.IDENTITY: [
        lambda tool: tool.identify([]),
        lambda tool: tool.merge([]),
        lambda tool: tool.erase([]),
    ],
    Ability.TRIGGER: [lambda tool: tool.trigger(CAMPAIGN, [Recipient("c000")])],
    Ability.AUDIENCE: [lambda tool: list(tool.audience(SEGMENT))],
}


def connector(double: Double) -> Connector:
    return REGISTRY[connector_of(double.name)]


@pytest.mark.needs("http")
@pytest.mark.parametrize("ability", list(CALLS))
def test_what_is_not_listed_is_refused_in_a_sentence_and_nothing_else_is(
    double: Double, ability: Ability
) -> None:
    with open_tool(double.connection) as tool:
        for call in CALLS[ability]:
            if ability in connector(double).abilities:
                assert "this connection has no" not in problem_of(call, tool)
            else:
                assert problem_of(call, tool) == f"this connection has no {ability.value}"
                assert double.statuses() == []


def problem_of(call: Callable[[Tool], Any], tool: Tool) -> str:
    try:
        call(tool)
    except ConnectorError as error:
        return error.what
    return ""


def test_a_snippet_a_webhook_and_files_are_there_if_and_only_if_listed(double: Double) -> None:
    described = connector(double)
    listed = {
        Ability.SEND_TIME: described.snippet,
        Ability.EVENTS_HTTP: described.webhook,
        Ability.EVENTS_FILES: described.event_files,
    }
    for ability, thing in listed.items():
        assert (thing is not None) == (ability in described.abilities), ability


def people(double: Double, count: int = 4) -> Double:
    double.customers(count)
    double.sync()
    return double


@pytest.mark.needs(Ability.IDENTITY, Ability.ATTRIBUTES)
def test_erased_people_are_gone_and_the_others_stay(double: Double) -> None:
    people(double)
    with open_tool(double.connection) as tool:
        tool.erase(["c001", "c003"])
        tool.erase(["c001", "nobody"])  # again, and who was never there
    wanted = double.wanted()
    assert double.held() == {customer: wanted[customer] for customer in ("c000", "c002")}


@pytest.mark.needs(Ability.IDENTITY, Ability.SEGMENTS)
def test_the_erased_are_in_no_segment(double: Double) -> None:
    people(double)
    double.push(["c001", "c002"])
    with open_tool(double.connection) as tool:
        tool.erase(["c001"])
    assert double.tool.members(SEGMENT) == ["c002"]


@pytest.mark.needs(Ability.IDENTITY, Ability.ATTRIBUTES)
def test_more_people_than_fit_in_a_request_are_erased(double: Double) -> None:
    people(double, 120)
    with open_tool(double.connection) as tool:
        tool.erase(list(double.desired))
    assert double.held() == {}


@pytest.mark.needs(Ability.IDENTITY, Ability.ATTRIBUTES)
def test_merged_people_are_one(double: Double) -> None:
    people(double)
    with open_tool(double.connection) as tool:
        for _ in range(2):
            tool.merge([("c001", "c002")])
    wanted = double.wanted()
    del wanted["c001"]
    assert double.held() == wanted


@pytest.mark.needs(Ability.IDENTITY, Ability.ATTRIBUTES)
def test_identifying_twice_is_as_good_as_once_and_loses_no_attribute(double: Double) -> None:
    people(double)
    with open_tool(double.connection) as tool:
        for _ in range(2):
            tool.identify([("device_id", "device-9", "c001")])
    assert double.held() == double.wanted()


@pytest.mark.needs(Ability.IDENTITY, Ability.ATTRIBUTES)
def test_a_refused_key_ends_erasing_with_a_sentence(double: Double) -> None:
    people(double)
    double.tool.fail("unauthorized", times=5)
    with open_tool(double.connection) as tool, pytest.raises(Stop):
        tool.erase(["c001"])
    assert double.held() == double.wanted()


def write(target: Target, states: dict[str, dict[str, Any] | None]) -> None:
    """As delivery does: a lane's records together, at most as many as fit."""
    lanes: dict[str, list[bytes]] = {}
    for key, state in states.items():
        encoded = target.encode(key, {"item": state})
        lanes.setdefault(encoded.lane, []).append(encoded.body)
    for lane, records in lanes.items():
        for begin in range(0, len(records), target.limits.items):
            outcome = target.write(lane, records[begin : begin + target.limits.items])
            assert (outcome.rejected, outcome.unlocated) == ({}, ())


@pytest.mark.needs(Ability.CATALOG)
def test_catalog_items_come_change_and_go(double: Double) -> None:
    items = {
        f"i{n}": {"name": f"Item {n}", "price": n + 0.5, "sellable": True, "url": f"https://s/{n}"}
        for n in range(120)
    }
    kinds = {"name": "string", "price": "number", "sellable": "boolean", "url": "string"}
    with open_tool(double.connection) as tool:
        for _ in range(2):
            tool.declare_catalog(CATALOG, kinds)
        target = tool.catalog(CATALOG)
        write(target, dict(items))
        assert double.tool.catalog(CATALOG) == items
        items["i7"]["price"] = 1.25
        del items["i8"]
        write(target, {"i7": items["i7"], "i8": None})
    assert double.tool.catalog(CATALOG) == items


@pytest.mark.needs(Ability.CATALOG)
@pytest.mark.parametrize("item_id", ["", "a b", "ü", "x" * 300])
def test_bad_input_an_item_id_that_the_catalog_cannot_hold_is_no_call(
    double: Double, item_id: str
) -> None:
    with open_tool(double.connection) as tool:
        target = tool.catalog(CATALOG)
        try:
            if target.addressable(item_id):
                write(target, {item_id: {"price": 1}})
        except (Reject, Retry, Split, Stop) as error:
            assert "\n" not in str(error)
    assert 500 not in double.statuses()


@pytest.mark.needs(Ability.TRIGGER, Ability.ATTRIBUTES)
def test_a_triggered_campaign_goes_to_the_recipients_with_their_properties(double: Double) -> None:
    people(double)
    double.tool.define_campaign(CAMPAIGN, template="Hello")
    recipients = [Recipient("c001", {"code": "A"}), Recipient("c002", {"code": "B"})]
    with open_tool(double.connection) as tool:
        for batch in in_batches(recipients, tool.most_recipients):
            assert tool.trigger(CAMPAIGN, batch).rejected == {}
    sent = double.tool.triggered(CAMPAIGN)
    assert sorted(message["customer_id"] for message in sent) == ["c001", "c002"]


@pytest.mark.needs(Ability.TRIGGER, Ability.ATTRIBUTES, "tells-recipients")
@pytest.mark.parametrize("locate", [True, False])
def test_who_is_refused_by_an_accepted_trigger_is_not_taken_for_sent(
    double: Double, locate: bool
) -> None:
    people(double)
    double.tool.define_campaign(CAMPAIGN, template="Hello")
    double.tool.turn(blocked=["c002"], locate_errors=locate)
    report = delivery.trigger_campaign(
        double.connection, CAMPAIGN, [Recipient(each) for each in double.desired],
        state_path=double.folder / "triggered.sqlite", runtime=double.time.runtime(),
    )  # fmt: skip
    got = sorted(message["customer_id"] for message in double.tool.triggered(CAMPAIGN))
    assert got == ["c000", "c001", "c003"]
    assert (report.sent, report.lost) == ((3, 0) if locate else (0, 4))
    assert sum(report.refused.values()) == int(locate)


@pytest.mark.needs(Ability.TRIGGER, Ability.ATTRIBUTES, "trigger-once")
@pytest.mark.parametrize("kind", ["timeout_after", "reset"])
def test_a_trigger_whose_answer_was_lost_is_not_sent_again(double: Double, kind: str) -> None:
    people(double)
    double.tool.define_campaign(CAMPAIGN, template="Hello")
    with open_tool(double.with_options(timeout_s=0.5).connection) as tool:
        tool.trigger(CAMPAIGN, [Recipient("c001")])  # what the tool asks first, it has asked now
        calls = len(double.statuses())
        double.tool.fail(kind, hang_s=2.0)
        with pytest.raises(Lost):
            tool.trigger(CAMPAIGN, [Recipient("c002")])
    assert len(double.statuses()) == calls + 1


@pytest.mark.needs(Ability.TRIGGER)
def test_a_busy_tool_asks_for_the_trigger_later(double: Double) -> None:
    double.tool.fail("rate_limited", headers={"Retry-After": "7"})
    with open_tool(double.connection) as tool, pytest.raises(Retry) as busy:
        tool.trigger(CAMPAIGN, [Recipient("c001")])
    assert busy.value.after_s == 7
