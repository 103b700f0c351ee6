"""Merging, erasing and triggering against the double."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from connectors.errors import Lost, Retry, Split, Stop
from connectors.iterable.connector import Iterable, connect
from connectors.sandbox.client import Sandbox
from connectors.tool import Recipient
from tests.connectors.doubles import KEY

OPTIONS = {"api_key": KEY, "update_existing_only": False, "timeout_s": 0.5}


@pytest.fixture
def tool(url: str) -> Iterator[Iterable]:
    tool = connect(f"{url}/tools/iterable", OPTIONS)
    yield tool
    tool.close()


@pytest.fixture
def iterable(url: str) -> Iterator[Sandbox]:
    client = Sandbox(url, KEY, "iterable")
    yield client
    client.close()


def hold(tool: Iterable, **users: dict[str, Any]) -> None:
    target = tool.attributes()
    target.write("", [target.encode(user, fields).body for user, fields in users.items()])


def test_a_merge_moves_what_was_known_and_can_be_repeated(
    tool: Iterable, iterable: Sandbox
) -> None:
    hold(tool, old={"x": 1, "y": 2}, new={"x": 3})
    for _ in range(2):
        tool.merge([("old", "new"), ("nobody", "new")])
    assert iterable.held() == {"new": {"x": 3, "y": 2}}


def test_erasing_deletes_and_can_be_repeated(tool: Iterable, iterable: Sandbox) -> None:
    hold(tool, **{"a": {"x": 1}, "b/c d": {"x": 1}, "e": {"x": 1}})
    for _ in range(2):
        tool.erase(["a", "b/c d", "nobody"])
    assert iterable.held() == {"e": {"x": 1}}


@pytest.mark.parametrize("user_id", [".", ".."])
def test_bad_input_an_id_that_is_another_path_is_not_called(tool: Iterable, user_id: str) -> None:
    with pytest.raises(Stop, match="only be deleted in Iterable"):
        tool.erase([user_id])


def test_a_field_keeps_its_type(tool: Iterable, iterable: Sandbox) -> None:
    hold(tool, a={"x": 0.5}, b={"x": 1})
    target = tool.attributes()
    outcome = target.write("", [target.encode("a", {"x": "half"}).body])
    assert "another type" in outcome.rejected[0]
    assert iterable.held() == {"a": {"x": 0.5}, "b": {"x": 1}}


@pytest.mark.parametrize("campaign_id", ["12", "push:12", "inApp:12", "journey:7"])
def test_campaigns_of_any_channel_and_journeys(
    tool: Iterable, iterable: Sandbox, campaign_id: str
) -> None:
    tool.trigger(campaign_id, [Recipient("a", {"offer": "tea"})])
    assert [message["customer_id"] for message in iterable.triggered(campaign_id)] == ["a"]


def test_a_campaign_goes_to_each_with_their_own_properties(
    tool: Iterable, iterable: Sandbox
) -> None:
    for user, offer in (("a", "tea"), ("b", "milk")):
        tool.trigger("12", [Recipient(user, {"offer": offer})])
    assert [(m["customer_id"], m["properties"]) for m in iterable.triggered("12")] == [
        ("a", {"offer": "tea"}), ("b", {"offer": "milk"}),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["timeout_after", "server_error_after", "reset", "html",
                                  "server_error", "invalid_json"])  # fmt: skip
def test_a_message_whose_answer_was_lost_is_not_sent_again(
    tool: Iterable, iterable: Sandbox, kind: str
) -> None:
    iterable.fail(kind, path="/api/email", hang_s=1.0)
    with pytest.raises(Lost):
        tool.trigger("12", [Recipient("a")])
    assert len(iterable.triggered("12")) == (0 if kind == "server_error" else 1)


def test_a_message_that_was_surely_not_sent_may_be_sent_again(
    tool: Iterable, iterable: Sandbox
) -> None:
    iterable.fail("rate_limited", path="/api/email")
    with pytest.raises(Retry):
        tool.trigger("12", [Recipient("a")])
    tool.trigger("12", [Recipient("a")])
    assert len(iterable.triggered("12")) == 1


def test_a_recipient_that_iterable_refuses_is_named_as_such(
    tool: Iterable, iterable: Sandbox
) -> None:
    iterable.turn(blocked=["a"])
    with pytest.raises(Split, match="noUserWithIdExists"):
        tool.trigger("12", [Recipient("a")])


@pytest.mark.parametrize(
    "campaign_id", ["spring", "", "12/../13", "-1", "٣", "fax:1", "push:", "push:a"]
)
def test_bad_input_a_campaign_that_is_no_number_is_not_asked_for(
    tool: Iterable, campaign_id: str
) -> None:
    with pytest.raises(Stop, match="is no campaign of Iterable"):
        tool.trigger(campaign_id, [Recipient("a")])


def test_null_takes_a_field_away(tool: Iterable, iterable: Sandbox) -> None:
    hold(tool, a={"x": 1, "y": 2})
    hold(tool, a={"x": None})
    assert iterable.held() == {"a": {"y": 2}}
    assert b'"x":null' in tool.attributes().encode("a", {"x": None}).body
    assert orjson.loads(tool.attributes().encode("a", {"x": None}).body)["userId"] == "a"
