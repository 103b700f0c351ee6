"""How Iterable's answers are read."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from connectors.errors import Reject, Retry, Split, Stop
from connectors.http import Answer
from connectors.iterable.attributes import Attributes
from connectors.iterable.lists import ADD, REMOVE, Lists, Members
from connectors.tool import Outcome
from tests.connectors.saying import SayingClient, saying

DONE = {"successCount": 3, "failCount": 0, "failedUpdates": {}, "invalidUserIds": []}


def told(status: int, body: Any) -> SayingClient:
    return saying(Answer(status, body))


def write(status: int, body: Any) -> Outcome:
    attributes = Attributes(told(status, body), update_existing_only=False)
    records = [attributes.encode(f"c{n}", {"x": 1}).body for n in range(3)]
    return attributes.write("", records)


def test_success_accepts_all() -> None:
    assert write(200, DONE) == Outcome()


@pytest.mark.parametrize(
    ("kind", "words"),
    [("invalidUserIds", "cannot take"), ("invalidDataUserIds", "another type"),
     ("conflictUserIds", "several"), ("forgottenUserIds", "forgotten"),
     ("notFoundUserIds", "no such user")],
)  # fmt: skip
def test_each_list_of_refused_users_names_their_records(kind: str, words: str) -> None:
    body = {"successCount": 2, "failCount": 1, "failedUpdates": {kind: ["c1"]}}
    outcome = write(200, body)
    assert list(outcome.rejected) == [1]
    assert words in outcome.rejected[1]
    assert outcome.unlocated == ()


def test_the_list_of_older_projects_is_read_too() -> None:
    assert list(write(200, {**DONE, "failCount": 1, "invalidUserIds": ["c2"]}).rejected) == [2]


def test_a_failure_that_is_in_no_list_is_not_overlooked() -> None:
    outcome = write(
        200, {"successCount": 1, "failCount": 2, "failedUpdates": {"invalidUserIds": ["c0"]}}
    )
    assert list(outcome.rejected) == [0]
    assert len(outcome.unlocated) == 1


@pytest.mark.parametrize("lists", [None, [], "c1", {"invalidUserIds": "c1"},
                                   {"invalidUserIds": [1, None, {}]}])  # fmt: skip
def test_bad_input_lists_of_another_shape_name_nobody(lists: Any) -> None:
    outcome = write(200, {"successCount": 2, "failCount": 1, "failedUpdates": lists})
    assert (outcome.rejected, len(outcome.unlocated)) == ({}, 1)


@pytest.mark.parametrize("body", [{"code": "GenericError", "msg": "no"}, {}, {"successCount": "3"}])
def test_a_2xx_that_counts_nobody_is_a_refusal(body: Any) -> None:
    with pytest.raises(Split):
        write(200, body)


@pytest.mark.parametrize("body", [None, [], "Success", 7])
def test_bad_input_a_2xx_that_is_no_object_is_unknown(body: Any) -> None:
    with pytest.raises(Retry):
        write(200, body)


@pytest.mark.parametrize("status", [400, 413])
def test_a_refused_request_is_taken_apart(status: int) -> None:
    with pytest.raises(Split, match="RequestFieldsTypesMismatched: wrong type"):
        write(status, {"code": "RequestFieldsTypesMismatched", "msg": "wrong type"})


def test_a_project_that_takes_no_more_fields_needs_a_person() -> None:
    with pytest.raises(Stop, match="as many user fields"):
        write(400, {"code": "UniqueFieldsLimitExceeded", "msg": ""})


@pytest.mark.parametrize("status", [401, 403, 404, 410, 415])
def test_a_refused_call_stops(status: int) -> None:
    with pytest.raises(Stop):
        write(status, {"code": "BadApiKey"})


@pytest.mark.parametrize("name", ["email", "userId", "emailListIds", "itblInternal", "a.b"])
def test_bad_input_an_attribute_with_a_name_iterable_cannot_take(name: str) -> None:
    with pytest.raises(Reject, match=name):
        Attributes(told(200, DONE), update_existing_only=False).encode("c1", {name: 1})


@pytest.mark.parametrize("existing_only", [True, False])
def test_users_are_created_only_when_asked_for(existing_only: bool) -> None:
    record = orjson.loads(Attributes(told(200, DONE), existing_only).encode("c", {"x": 1}).body)
    assert record.get("preferUserId", False) is not existing_only


def members(lane: str, body: dict[str, Any]) -> Outcome:
    client = told(200, {"lists": [{"id": 7, "description": "Rightsend segment s"}], **body})
    target = Members(Lists(client), "s", update_existing_only=True)
    member = {"member": True if lane == ADD else None}
    return target.write(lane, [target.encode("c1", member).body])


def test_who_is_not_there_cannot_be_added_but_is_removed() -> None:
    body = {"successCount": 0, "failCount": 1, "failedUpdates": {"notFoundUserIds": ["c1"]}}
    assert list(members(ADD, body).rejected) == [0]
    assert members(REMOVE, body) == Outcome()


@pytest.mark.parametrize("lists", [[], [7], [{"id": "7", "description": "Rightsend segment s"}]])
def test_bad_input_a_list_that_is_gone_is_named(lists: Any) -> None:
    target = Members(Lists(told(200, {"lists": lists})), "s", update_existing_only=True)
    with pytest.raises(Stop, match="Rightsend segment s"):
        target.write(ADD, [b'{"userId":"c1"}'])


def test_bad_input_an_id_that_iterable_cannot_hold_is_refused_unsent() -> None:
    attributes = Attributes(told(200, DONE), update_existing_only=False)
    assert attributes.encode("é" * 52, {"x": 1}).body
    with pytest.raises(Reject, match="52 characters"):
        attributes.encode("c" * 53, {"x": 1})
