"""How values become merge fields, and Mailchimp's answers are read."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import Reject, Retry, Split, Stop
from connectors.http import Answer
from connectors.mailchimp.audience import Audience
from connectors.mailchimp.contacts import Contacts, merge_value
from connectors.mailchimp.segments import Members, find
from connectors.tool import Outcome
from tests.connectors.saying import SayingClient, saying

FIELDS = Answer(200, {"merge_fields": [{"tag": "RS"}], "_links": []})
PEOPLE = ["anna@shop.example", "Ben@shop.example"]


def write(client: SayingClient, tag: str = "RS") -> Outcome:
    target = Contacts(Audience(client, "/lists/l"), update_existing_only=True)
    return target.write("", [target.encode(who, {tag: 1}).body for who in PEOPLE])


def answered(**body: Any) -> SayingClient:
    return saying(FIELDS, Answer(200, {**body, "_links": []}))


@pytest.mark.parametrize(
    ("value", "field"),
    [(None, ""), (True, "true"), (0.35, 0.35), (7, 7), ("a", "a"), (["a", "b"], "a,b"), ([], "")],
)
def test_each_value_is_a_number_or_a_text(value: Any, field: Any) -> None:
    assert merge_value(value) == field


@pytest.mark.parametrize(
    ("name", "value"), [("rs_items", 1), ("ELEVENCHARS", 1), ("RS", "é" * 128)]
)
def test_bad_input_what_no_merge_field_holds_is_rejected(name: str, value: Any) -> None:
    with pytest.raises(Reject):
        Contacts(Audience(saying(), ""), True).encode(PEOPLE[0], {name: value})


def test_everybody_is_taken() -> None:
    assert write(answered(errors=[])) == Outcome()


def test_who_is_refused_is_found_by_the_address_which_is_not_repeated() -> None:
    errors = [{"email_address": "ben@shop.example", "error": "ben@shop.example looks fake"}]
    assert write(answered(errors=errors)) == Outcome({1: "(address) looks fake"})


@pytest.mark.parametrize(
    "entry",
    [{"error": "no"}, {"email_address": "eve@shop.example", "error": "no"},
     {"email_addresses": [], "error": "no"}, {"email_addresses": 7, "error": "no"}],
)  # fmt: skip
def test_bad_input_a_refusal_of_nobody_we_know_is_not_located(entry: dict[str, Any]) -> None:
    assert write(answered(errors=[entry])) == Outcome({}, ("no",))


@pytest.mark.parametrize("errors", [None, {}, "x", 7])
def test_bad_input_errors_of_no_known_shape_are_none(errors: Any) -> None:
    assert write(answered(errors=errors)) == Outcome()


def test_a_field_that_the_audience_lacks_stops_before_anything_is_sent() -> None:
    client = saying(FIELDS)
    with pytest.raises(Stop, match="no merge field OTHER"):
        write(client, tag="OTHER")


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_request_is_taken_apart(status: int) -> None:
    with pytest.raises(Split, match="resource"):
        write(saying(FIELDS, Answer(status, {"detail": "The resource is not valid"})))


def test_a_403_in_json_is_a_permission_and_one_without_is_an_overload() -> None:
    with pytest.raises(Stop):
        write(saying(FIELDS, Answer(403, {"detail": "No"})))
    with pytest.raises(Retry, match="busy"):
        write(saying(FIELDS, Answer(403, None)))


@pytest.mark.parametrize("body", [None, [], "ok", {"errors": []}])
def test_bad_input_a_2xx_that_is_not_mailchimps_is_unknown(body: Any) -> None:
    with pytest.raises(Retry):
        write(saying(FIELDS, Answer(200, body)))


def test_a_segment_is_found_on_a_later_page() -> None:
    first = [{"id": n, "name": "other"} for n in range(1_000)]
    pages = [first, [{"id": 1_001, "name": "Buyers (Rightsend seg-1)"}]]
    client = saying(*(Answer(200, {"segments": page, "_links": []}) for page in pages))
    assert find(Audience(client, ""), "seg-1") == 1_001


@pytest.mark.parametrize("listed", [None, 7, [None], [{"id": "../1", "name": "(Rightsend seg-1)"}]])
def test_bad_input_a_list_of_segments_that_is_none_is_unknown(listed: Any) -> None:
    with pytest.raises(Retry):
        find(Audience(saying(Answer(200, {"segments": listed, "_links": []})), ""), "seg-1")


def test_a_segment_that_is_gone_stops_the_push() -> None:
    target = Members(Audience(saying(Answer(200, {"segments": [], "_links": []})), ""), "seg-1")
    with pytest.raises(Stop, match="deleted in Mailchimp"):
        target.write("members_to_add", [b'"anna@shop.example"'])
