"""How Blueshift's answers are read."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from connectors.blueshift.connector import Blueshift
from connectors.blueshift.customers import Customers
from connectors.errors import Reject, Retry, Split
from connectors.http import Answer
from connectors.tool import Outcome
from tests.connectors.saying import saying


def write(status: int, body: Any) -> Outcome:
    target = Customers(saying(Answer(status, body)))
    return target.write("", [target.encode(who, {"rs": 1}).body for who in ("a", "b")])


def error(text: str, status: Any = 400) -> dict[str, Any]:
    return {"status": status, "error_data": {"user_identifier_missing": [text]}}


def test_everybody_is_taken() -> None:
    assert write(200, {"customers": [], "errors": []}) == Outcome()


def test_who_is_refused_is_found_by_the_customer_id() -> None:
    body = {"customers": [{"customer_id": "b", "rs": 1}], "errors": [error("no s3cret id")]}
    assert write(200, body) == Outcome({1: "no [secret] id"})


@pytest.mark.parametrize("customers", [None, [], {}, [None], [{}], [{"customer_id": ["b"]}],
                                       [{"customer_id": None, "rs": 1}]])  # fmt: skip
def test_bad_input_a_refusal_of_nobody_we_sent_is_not_located(customers: Any) -> None:
    body = {"customers": customers, "errors": [error("no")]}
    assert write(200, body) == Outcome(unlocated=("no",))


@pytest.mark.parametrize("told", [None, {}, {"error_data": None}, {"error_data": {"x": "y"}}])
def test_bad_input_a_refusal_without_words_is_one_all_the_same(told: Any) -> None:
    body = {"customers": [{"customer_id": "a"}], "errors": [told]}
    assert write(200, body) == Outcome({0: "no reason given"})


def test_bad_input_who_comes_back_without_an_error_is_refused() -> None:
    assert set(write(200, {"customers": [{"customer_id": "a"}], "errors": []}).rejected) == {0}


@pytest.mark.parametrize("body", [None, [], "ok", {}, {"errors": None}, {"message": "OK"}])
def test_bad_input_a_2xx_without_errors_is_unknown(body: Any) -> None:
    with pytest.raises(Retry):
        write(200, body)


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_an_error_of_one_that_passes_is_tried_again(status: int) -> None:
    with pytest.raises(Retry):
        write(200, {"customers": [{"customer_id": "a"}], "errors": [error("later", status)]})


@pytest.mark.parametrize("status", [404, 409])
def test_a_conflict_passes(status: int) -> None:
    with pytest.raises(Retry, match="conflict"):
        write(status, {"message": "conflict"})


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, {"error": "bad_request"}), (413, {"message": "bad_request"}),
     (422, {"success": False, "error": "bad_request"})],
)  # fmt: skip
def test_what_is_refused_as_a_whole_is_taken_apart(status: int, body: Any) -> None:
    with pytest.raises(Split, match="bad_request"):
        write(status, body)


@pytest.mark.parametrize("name", ["email", "customer_id", "unsubscribed", "bsft_new_customer_id"])
def test_bad_input_a_name_of_blueshifts_own_is_rejected(name: str) -> None:
    with pytest.raises(Reject, match=name):
        Customers(saying()).encode("a", {name: "x"})


def test_bad_input_an_id_that_is_too_long_is_rejected() -> None:
    with pytest.raises(Reject, match="64 bytes"):
        Customers(saying()).encode("c" * 65, {"rs": 1})


def test_lists_are_texts_and_what_goes_is_null() -> None:
    change = {"items": ["a", "b"], "score": 0.5, "gone": None}
    encoded = orjson.loads(Customers(saying()).encode("a", change).body)
    assert encoded == {"customer_id": "a", "items": "a,b", "score": 0.5, "gone": None}


def test_bad_input_a_check_answered_by_something_else_fails() -> None:
    Blueshift(saying(Answer(200, {"segments": []}))).check()
    with pytest.raises(Retry):
        Blueshift(saying(Answer(200, {"message": "OK"}))).check()
