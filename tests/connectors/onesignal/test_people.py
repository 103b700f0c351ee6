"""Identity, segments and messages at OneSignal's double."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from connectors.errors import Lost, Retry, Stop
from connectors.http import Answer
from connectors.onesignal.app import App
from connectors.onesignal.messages import trigger
from connectors.onesignal.users import merge
from connectors.tool import Recipient, Tool
from tests.connectors.doubles import Double
from tests.connectors.onesignal.people import subscribe, subscriptions
from tests.connectors.saying import SayingClient, saying

APP_ID = "11111111-2222-3333-4444-555555555555"
TEMPLATE = "be4a8044-bbd6-11e4-a581-000c2940e62c"
ANNA = Recipient("c000", {"item": "socks"})


def send(client: SayingClient) -> list[str]:
    """The keys of the requests that one message took."""
    trigger(App(client, APP_ID), TEMPLATE, "push", ANNA)
    return keys(client)


def keys(client: SayingClient) -> list[str]:
    return [orjson.loads(body or b"")["idempotency_key"] for _, _, body in client.asked]


def test_merging_moves_subscriptions_and_leaves_one_user(crm: Double, tool: Tool) -> None:
    crm.customers(2)
    crm.sync()
    subscribe(crm, "c000", "phone")
    for _ in range(2):
        tool.merge([("c000", "c001")])
    assert list(crm.held()) == ["c001"]
    assert subscriptions(crm, "c001") == ["phone"]


def test_erased_users_are_gone_and_strangers_are_no_error(crm: Double, tool: Tool) -> None:
    crm.customers(2)
    crm.sync()
    tool.erase(["c001", "nobody"])
    assert list(crm.held()) == ["c000"]


def test_aliases_are_kept_and_a_taken_one_is_told(crm: Double, tool: Tool) -> None:
    crm.customers(2)
    crm.sync()
    tool.identify([("alias", "anna", "c000"), ("alias", "anna", "stranger")])
    with pytest.raises(Stop, match="refused 1 of 2 people: the alias belongs to another"):
        tool.identify([("alias", "anna", "c001"), ("device_id", "d", "c001")])


def test_another_external_id_is_merged(crm: Double, tool: Tool) -> None:
    crm.customers(2)
    crm.sync()
    tool.identify([("external_id", "c000", "c001")])
    assert list(crm.held()) == ["c001"]


def test_a_segment_is_a_rule_about_a_tag_of_its_own(crm: Double, tool: Tool) -> None:
    crm.push(["a", "b"])
    crm.push(["b"], name="New name")
    assert crm.tool.members("seg-1") == ["b"]


def test_bad_input_a_segments_name_that_is_taken_is_told(tool: Tool) -> None:
    tool.declare_segment("one", "Likely buyers")
    with pytest.raises(Stop, match="already taken"):
        tool.declare_segment("two", "Likely buyers")


def test_a_message_has_the_recipients_own_data(crm: Double, tool: Tool) -> None:
    tool.trigger(TEMPLATE, [ANNA])
    (message,) = crm.tool.triggered(TEMPLATE)
    assert (message["customer_id"], message["properties"]) == ("c000", {"item": "socks"})


def test_a_message_whose_answer_was_lost_is_asked_for_again_and_sent_once(
    crm: Double, tool: Tool
) -> None:
    crm.tool.fail("server_error_after")
    tool.trigger(TEMPLATE, [ANNA])
    assert len(crm.tool.triggered(TEMPLATE)) == 1


def test_the_same_message_on_another_day_is_another_message(crm: Double, tool: Tool) -> None:
    tool.trigger(TEMPLATE, [ANNA])
    tool.trigger(TEMPLATE, [ANNA])
    assert len(crm.tool.triggered(TEMPLATE)) == 2


@pytest.mark.parametrize("answer", [Retry("no answer"), Answer(503, {}), Answer(200, None)])
def test_a_repetition_has_the_same_key(answer: Answer | Exception) -> None:
    first, second = send(saying(answer, Answer(200, {"id": "m"})))
    assert first == second


def test_a_message_that_was_never_answered_is_lost() -> None:
    client = saying(Retry("no answer"))
    with pytest.raises(Lost, match="may have been done"):
        send(client)
    assert len(set(keys(client))) == 1


def test_a_message_that_was_refused_for_now_is_left_to_the_caller() -> None:
    client = saying(Answer(429, {}, retry_after_s=3.0))
    with pytest.raises(Retry):
        send(client)
    assert len(client.asked) == 1


def test_who_has_no_subscription_gets_no_message_and_that_is_told() -> None:
    text = "All included players are not subscribed"
    app = App(saying(Answer(200, {"id": "", "errors": [text]})), APP_ID)
    assert trigger(app, TEMPLATE, "push", ANNA).rejected == {0: text}


def test_bad_input_a_template_that_onesignal_does_not_know_is_told() -> None:
    with pytest.raises(Stop, match="no such template"):
        send(saying(Answer(400, {"errors": ["no such template"]})))


@pytest.mark.parametrize("body", [{"subscriptions": [{}]}, {"subscriptions": ["s"]}])
def test_bad_input_a_subscription_without_id_keeps_the_user(body: Any) -> None:
    client = saying(Answer(200, body))
    with pytest.raises(Retry):
        merge(App(client, APP_ID), [("a", "b")])
    assert "DELETE" not in [method for method, _, _ in client.asked]
