"""Identity, cohorts and event-triggered campaigns at MoEngage's double."""

from __future__ import annotations

import pytest

from connectors.errors import Lost, Retry, Stop
from connectors.http import Answer
from connectors.moengage.bulk import trigger
from connectors.moengage.users import PAIRS_PER_REQUEST, erase
from connectors.moengage.workspace import MoEngageWorkspace
from connectors.tool import Recipient, Tool
from tests.connectors.doubles import Double
from tests.connectors.saying import SayingClient, saying

ANNA = [Recipient("c000", {"item": "socks"})]
ABSENT = Answer(400, {"status": "fail", "error": {"type": "Not Found", "message": "not here"}})
SUCCESS = Answer(200, {"status": "success"})


def workspace(client: SayingClient) -> MoEngageWorkspace:
    return MoEngageWorkspace(client, "workspace")


def test_merging_leaves_one_user_however_many_pairs(crm: Double, tool: Tool) -> None:
    crm.customers(PAIRS_PER_REQUEST + 2)
    crm.sync()
    tool.merge([(gone, "c000") for gone in crm.desired if gone != "c000"])
    assert list(crm.held()) == ["c000"]


def test_another_id_is_merged_and_a_device_left_to_the_sdk(crm: Double, tool: Tool) -> None:
    crm.customers(2)
    crm.sync()
    tool.identify([("external_id", "c000", "c001"), ("device_id", "d", "c001")])
    assert list(crm.held()) == ["c001"]


def test_who_is_not_there_does_not_keep_others_from_being_erased() -> None:
    client = saying(ABSENT, SUCCESS)
    erase(workspace(client), ["nobody", "c001"])
    assert len(client.asked) == 2


def test_bad_input_an_erasure_that_is_refused_otherwise_is_told() -> None:
    refused = Answer(400, {"error": {"type": "InvalidParams", "message": "blocked"}})
    with pytest.raises(Stop, match="blocked"):
        erase(workspace(saying(refused)), ["c001"])


def test_a_cohort_is_called_by_our_id_and_needs_no_declaration(crm: Double, tool: Tool) -> None:
    tool.declare_segment("seg-1", "Likely buyers")
    assert crm.statuses() == []
    crm.customers(2)
    crm.sync()
    crm.push(["c000", "c001", "stranger"])
    crm.push(["c001"])
    assert crm.tool.members("seg-1") == ["c001"]


def test_an_event_starts_the_campaign_with_the_recipients_own_properties(
    crm: Double, tool: Tool
) -> None:
    tool.trigger("scored", [*ANNA, Recipient("c001", {})])
    assert crm.tool.triggered("scored") == [
        {"customer_id": "c000", "properties": {"item": "socks"}},
        {"customer_id": "c001", "properties": {}},
    ]


@pytest.mark.parametrize("answer", [Retry("no answer"), Answer(500, {})])
def test_an_event_whose_answer_was_lost_is_not_sent_again(answer: Answer | Exception) -> None:
    client = saying(answer)
    with pytest.raises(Lost, match="may have been done"):
        trigger(workspace(client), "scored", ANNA)
    assert len(client.asked) == 1


@pytest.mark.parametrize("body", [None, {}, {"status": "fail"}])
def test_bad_input_an_event_that_was_not_taken_is_told(body: object) -> None:
    with pytest.raises(Stop):
        trigger(workspace(saying(Answer(200, body))), "scored", ANNA)


def test_bad_input_events_with_too_much_data_are_never_sent() -> None:
    client = saying(SUCCESS)
    with pytest.raises(Stop, match="100 kB"):
        trigger(workspace(client), "scored", [Recipient("a", {"x": "y" * 100_000})])
    assert client.asked == []
