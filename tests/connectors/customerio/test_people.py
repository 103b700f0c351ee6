"""Identity, segments and broadcasts at Customer.io's double."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from connectors.customerio import hosts, segments
from connectors.customerio.broadcasts import trigger
from connectors.customerio.people import identify
from connectors.errors import Lost, Retry, Stop
from connectors.http import Answer
from connectors.registry import open_tool
from connectors.tool import Recipient, Tool
from tests.connectors.doubles import Double
from tests.connectors.saying import saying

ANNA = [Recipient("c000", {"item": "socks"})]


def test_merging_leaves_one_person_with_what_both_had(crm: Double, tool: Tool) -> None:
    crm.customers(2)
    crm.sync()
    tool.merge([("c000", "c001")])
    tool.merge([("c000", "c001")])
    assert list(crm.held()) == ["c001"]


def test_erased_people_are_gone_and_strangers_are_no_error(crm: Double, tool: Tool) -> None:
    crm.customers(3)
    crm.sync()
    tool.erase(["c001", "nobody", "x" * 151, ""])
    assert list(crm.held()) == ["c000", "c002"]


def test_another_id_is_merged_a_device_linked_and_a_hash_left_out(crm: Double, tool: Tool) -> None:
    crm.customers(2)
    crm.sync()
    tool.identify(
        [("external_id", "c000", "c001"), ("device_id", "d7", "c001"), ("email_hash", "f", "c001")]
    )
    assert list(crm.held()) == ["c001"]


def test_a_linked_device_makes_no_person() -> None:
    client = saying(Answer(200, {}))
    identify(client, [("device_id", "d7", "c001")])
    (change,) = orjson.loads(client.asked[0][2] or b"")["batch"]
    assert change["attributes"] == {"anonymous_id": "d7", "_update": True}


def test_a_refused_person_is_told_and_does_not_cost_the_others(crm: Double, tool: Tool) -> None:
    crm.customers(3)
    crm.sync()
    crm.tool.turn(blocked=["c001"])
    with pytest.raises(Stop, match="refused 1 people"):
        tool.erase(["c000", "c001", "c002"])
    assert list(crm.held()) == ["c001"]


def test_a_segment_is_made_once_and_keeps_its_first_name(crm: Double, tool: Tool) -> None:
    for name in ("Likely buyers", "Others"):
        tool.declare_segment("seg-1", name)
    crm.customers(1)
    crm.sync()
    crm.push(["c000", "stranger"])
    assert crm.tool.members("seg-1") == ["c000"]
    assert list(tool.audience("1")) == ["c000"]
    assert list(tool.audience("2")) == []


def test_bad_input_a_segment_that_somebody_deleted_is_named(tool: Tool) -> None:
    with pytest.raises(Stop, match="rightsend:seg-9"):
        tool.segment("seg-9").write("add_customers", [b'"a"'])


def test_an_audience_is_read_page_by_page(
    crm: Double, tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "IDS_PER_PAGE", 2)
    crm.customers(5)
    crm.sync()
    crm.push(list(crm.desired))
    assert list(tool.audience("1")) == list(crm.desired)


def test_who_has_no_id_is_left_out_of_an_audience() -> None:
    people = [{"id": "a"}, {"id": None, "email": "b"}, {"id": ""}, "c"]
    assert list(segments.audience(saying(Answer(200, {"identifiers": people})), "1")) == ["a"]


def test_bad_input_an_audience_that_does_not_go_on_is_not_read_for_ever() -> None:
    page = Answer(200, {"identifiers": [], "next": "x"})
    with pytest.raises(Retry, match="does not go on"):
        list(segments.audience(saying(page), "1"))


def test_bad_input_a_list_of_segments_that_is_none_makes_no_second_segment() -> None:
    client = saying(Answer(200, {"message": "x"}))
    with pytest.raises(Retry):
        segments.declare(client, "s", "S")
    assert [method for method, _, _ in client.asked] == ["GET"]


@pytest.mark.parametrize("number", ["", "a", "1/../2", "-1", "\u0661", "1\n"])
def test_bad_input_a_segment_or_broadcast_without_number_is_never_called(
    tool: Tool, number: str
) -> None:
    with pytest.raises(Stop, match="is a number"):
        list(tool.audience(number))
    with pytest.raises(Stop, match="is a number"):
        tool.trigger(number, ANNA)


def test_a_broadcast_goes_to_known_recipients_with_their_own_data(crm: Double, tool: Tool) -> None:
    crm.customers(1)
    crm.sync()
    tool.trigger("7", [*ANNA, Recipient("stranger", {})])
    assert crm.tool.triggered("7") == [{"customer_id": "c000", "properties": {"item": "socks"}}]


@pytest.mark.parametrize("answer", [Retry("no answer"), Answer(500, {}), Answer(408, {})])
def test_a_broadcast_whose_answer_was_lost_is_not_sent_again(answer: Answer | Exception) -> None:
    client = saying(answer)
    with pytest.raises(Lost, match="may have been done"):
        trigger(client, "7", ANNA)
    assert len(client.asked) == 1


@pytest.mark.parametrize(("told_s", "wait_s"), [(None, 10.0), (3.0, 3.0)])
def test_a_broadcast_that_comes_too_soon_may_be_sent_later(
    told_s: float | None, wait_s: float
) -> None:
    with pytest.raises(Retry) as refused:
        trigger(saying(Answer(429, {}, retry_after_s=told_s)), "7", ANNA)
    assert refused.value.after_s == wait_s


def test_bad_input_a_broadcast_with_too_much_data_is_never_sent() -> None:
    client = saying(Answer(200, {}))
    with pytest.raises(Stop, match="25 MB"):
        trigger(client, "7", [Recipient("a", {"x": "y" * 25_000_000})])
    assert client.asked == []


def test_bad_input_without_an_app_key_segments_say_what_is_missing(crm: Double) -> None:
    options = dict(crm.connection.options)
    del options["app_api_key"]
    with (
        open_tool(replace(crm.connection, options=options)) as tool,
        pytest.raises(Stop, match="app_api_key"),
    ):
        tool.segment("s")


def test_bad_input_the_wrong_region_is_named_by_the_check(
    crm: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(hosts.TRACK, "eu", hosts.TRACK["us"])
    monkeypatch.setitem(hosts.APP, "eu", hosts.APP["us"])
    with (
        open_tool(crm.with_options(region="eu").connection) as tool,
        pytest.raises(Stop, match="another region"),
    ):
        tool.check()
