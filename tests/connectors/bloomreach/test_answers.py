"""How Bloomreach's answers are read."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.bloomreach.customers import Customers
from connectors.errors import Reject, Retry, Split, Stop
from connectors.http import Answer
from connectors.tool import Outcome
from tests.connectors.saying import saying

TAKEN = {"success": True}


def write(status: int, body: Any) -> Outcome:
    target = Customers(saying(Answer(status, body)), "/track/v2/projects/p")
    return target.write("", [target.encode(who, {"rs": 1}).body for who in ("a", "b")])


def refusing(*errors: Any) -> dict[str, Any]:
    return {"success": True, "results": [TAKEN, {"success": False, "errors": list(errors)}]}


def test_everybody_is_taken() -> None:
    assert write(200, {"success": True, "results": [TAKEN, TAKEN]}) == Outcome()


def test_who_is_refused_is_found_by_the_place_of_the_result() -> None:
    assert write(200, refusing("no s3cret id")) == Outcome({1: "no [secret] id"})


@pytest.mark.parametrize("result", [None, {}, {"success": 1}, {"errors": []}, {"errors": {"x": 1}}])
def test_bad_input_a_result_that_says_no_success_is_a_refusal(result: Any) -> None:
    assert set(write(200, {"results": [TAKEN, result]}).rejected) == {1}


@pytest.mark.parametrize(
    "body",
    [None, [], "ok", {"success": True}, {"results": None}, {"results": [TAKEN]},
     {"results": [TAKEN] * 3}],
)  # fmt: skip
def test_bad_input_a_2xx_without_a_result_for_each_is_unknown(body: Any) -> None:
    with pytest.raises(Retry):
        write(200, body)


def test_a_missing_permission_stops_though_the_status_is_200() -> None:
    with pytest.raises(Stop, match="permission to set customer properties"):
        write(200, refusing("Not authorized to update specified customer properties"))


def test_a_400_about_the_project_stops_and_one_about_commands_is_taken_apart() -> None:
    with pytest.raises(Stop, match="Invalid project id"):
        write(400, {"success": False, "error": "Invalid project id"})
    with pytest.raises(Split, match="Invalid JSON"):
        write(400, {"success": False, "message": "Invalid JSON"})


@pytest.mark.parametrize("body", [None, [], {"message": None}])
def test_bad_input_a_400_without_words_is_taken_apart(body: Any) -> None:
    with pytest.raises(Split):
        write(400, body)


def test_bad_input_an_id_that_is_too_long_is_rejected() -> None:
    with pytest.raises(Reject, match="256 bytes"):
        Customers(saying(), "").encode("c" * 257, {"rs": 1})
