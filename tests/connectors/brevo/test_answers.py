"""How Brevo's answers are read, and what it would drop."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.brevo.connector import Brevo
from connectors.brevo.contacts import Contacts
from connectors.errors import Reject, Retry, Split, Stop
from connectors.http import Answer
from connectors.tool import Outcome
from tests.connectors.saying import SayingClient, saying

TYPES = {"P": "float", "T": "text", "D": "date", "B": "boolean", "M": "multiple-choice"}
LISTED = Answer(200, {"attributes": [{"name": n, "type": kind} for n, kind in TYPES.items()]})
PEOPLE = ["anna@shop.example", "ben@shop.example"]


def write(client: SayingClient, **change: Any) -> Outcome:
    target = Contacts(client)
    return target.write("", [target.encode(who, change or {"P": 1}).body for who in PEOPLE])


def answered(status: int, body: Any = None) -> SayingClient:
    return saying(LISTED, Answer(status, body))


def test_bad_input_an_address_that_is_too_long_is_rejected() -> None:
    with pytest.raises(Reject, match="254 bytes"):
        Contacts(saying()).encode(f"{'a' * 250}@b.example", {"P": 1})


def test_everybody_is_taken_and_attributes_are_asked_for_once() -> None:
    client = answered(204)
    target = Contacts(client)
    for _ in range(2):
        assert target.write("", [target.encode(PEOPLE[0], {"P": 1}).body]) == Outcome()
    assert [path for _, path, _ in client.asked] == [
        "/v3/contacts/attributes", "/v3/contacts/batch", "/v3/contacts/batch"
    ]  # fmt: skip


@pytest.mark.parametrize("change", [{"P": 1.5}, {"T": "a"}, {"D": "2026-11-22"}, {"B": True}])
def test_values_of_an_attributes_type_are_written(change: dict[str, Any]) -> None:
    assert write(answered(204), **change) == Outcome()


@pytest.mark.parametrize(
    "change", [{"NEW": 1}, {"p": 1}, {"P": "a"}, {"P": True}, {"T": 1}, {"B": 1}, {"M": ["a"]}]
)
def test_bad_input_what_brevo_would_drop_stops_before_it_is_sent(change: dict[str, Any]) -> None:
    client = answered(204)
    with pytest.raises(Stop, match="no attribute"):
        write(client, **change)
    assert len(client.asked) == 1


def test_what_is_removed_need_not_be_there() -> None:
    client = saying(Answer(204, None))
    assert write(client, GONE=None) == Outcome()
    assert len(client.asked) == 1


@pytest.mark.parametrize("body", [None, [], {}, {"attributes": None}])
def test_bad_input_a_list_of_attributes_that_is_none_is_asked_for_again(body: Any) -> None:
    with pytest.raises(Retry):
        write(saying(Answer(200, body)))


@pytest.mark.parametrize("entry", [None, 7, {}, {"name": ["P"]}, {"name": "P", "type": None}])
def test_bad_input_an_attribute_of_no_known_shape_is_not_there(entry: Any) -> None:
    with pytest.raises(Stop, match="no attribute P of type float"):
        write(saying(Answer(200, {"attributes": [entry]})))


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_request_is_taken_apart_and_no_address_or_key_is_repeated(status: int) -> None:
    told = {"code": "invalid_parameter", "message": "anna@shop.example is bad for s3cret"}
    with pytest.raises(Split) as split:
        write(answered(status, told))
    assert split.value.what == "(address) is bad for [secret]"


def test_a_404_about_contacts_is_taken_apart_and_any_other_stops() -> None:
    told = {"code": "document_not_found", "message": "No contact found for indexes 1"}
    with pytest.raises(Split, match="No contact found"):
        write(answered(404, told))
    with pytest.raises(Stop):
        write(answered(404, {"code": "not_found"}))


@pytest.mark.parametrize(("failed", "count"), [([7], 1), ([7, 8], 1), ([], 0)])
def test_a_207_that_names_ids_of_brevos_locates_nobody(failed: list[int], count: int) -> None:
    outcome = write(answered(207, {"successIds": [1], "failureIds": failed}))
    assert (outcome.rejected, len(outcome.unlocated)) == ({}, count)


@pytest.mark.parametrize("body", [None, [], "ok", {}, {"failureIds": None}, {"message": "hm"}])
def test_bad_input_another_2xx_is_unknown(body: Any) -> None:
    with pytest.raises(Retry):
        write(answered(200, body))


@pytest.mark.parametrize("body", [None, [], {}, {"message": "hm"}])
def test_bad_input_an_account_without_an_address_is_not_brevos(body: Any) -> None:
    with pytest.raises(Retry):
        Brevo(saying(Answer(200, body))).check()
