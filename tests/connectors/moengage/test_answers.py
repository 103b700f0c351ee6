"""How MoEngage's answers are read, and what it could not hold."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from connectors.errors import Reject, Retry, Split, Stop
from connectors.http import Answer
from connectors.moengage.bulk import LIMITS, WINDOWS, Attributes
from connectors.moengage.workspace import MoEngageWorkspace
from connectors.tool import Outcome
from tests.connectors.saying import SayingClient, saying

ACCEPTED = {"status": "success", "message": "Your request has been accepted"}


def target(client: SayingClient) -> Attributes:
    return Attributes(MoEngageWorkspace(client, "workspace"), False)


def write(status: int, body: Any) -> Outcome:
    return target(saying(Answer(status, body))).write("", [b"{}"] * 3)


def test_success_accepts_all() -> None:
    assert write(200, ACCEPTED) == Outcome()


@pytest.mark.parametrize("body", [{}, {"status": "fail"}, {"status": None}, {"message": "ok"}])
def test_a_2xx_without_success_is_a_rejection(body: Any) -> None:
    with pytest.raises(Split):
        write(200, body)


@pytest.mark.parametrize("body", [None, [], "success", 7])
def test_bad_input_a_2xx_that_is_no_object_is_unknown(body: Any) -> None:
    with pytest.raises(Retry):
        write(200, body)


@pytest.mark.parametrize("status", [400, 413])
@pytest.mark.parametrize(
    "body",
    [{"status": "fail", "error": {"message": "no customer_id"}}, {"description": "no customer_id"},
     {"message": "no customer_id"}],
)  # fmt: skip
def test_a_refused_request_is_taken_apart_in_moengages_words(status: int, body: Any) -> None:
    with pytest.raises(Split, match="no customer_id"):
        write(status, body)


@pytest.mark.parametrize("body", [None, [], {"error": "x"}, {"error": None}, {"error": {}}])
def test_bad_input_an_error_of_no_known_shape_is_told_by_its_status(body: Any) -> None:
    with pytest.raises(Split, match="HTTP 400"):
        write(400, body)


@pytest.mark.parametrize("status", [401, 403, 409, 415])
def test_a_refused_call_stops(status: int) -> None:
    with pytest.raises(Stop):
        write(status, {"status": "fail"})


def test_no_secret_gets_into_a_reason() -> None:
    with pytest.raises(Split) as refused:
        write(400, {"error": {"message": "bad key s3cret"}})
    assert "s3cret" not in str(refused.value)


def test_removed_attributes_are_unset_beside_the_others() -> None:
    element = orjson.loads(target(saying()).encode("c1", {"x": 1, "y": None}).body)
    assert element["attributes"] == {"x": 1}
    assert element["unset_attributes"] == [{"type": "equals", "attr": "y", "case_sensitive": True}]


@pytest.mark.parametrize(
    ("change", "what"),
    [({"u_em": "a"}, "u_em"), ({"moe_spam": True}, "moe_spam"), ({"n" * 201: 1}, "name"),
     ({"x": "y" * 513}, "512 characters"), ({"x": ["y" * 513]}, "512 characters"),
     ({"x": ["y"] * 51}, "more than 50")],
)  # fmt: skip
def test_bad_input_what_moengage_would_cut_off_is_refused(
    change: dict[str, Any], what: str
) -> None:
    with pytest.raises(Reject, match=what):
        target(saying()).encode("c1", change)


@pytest.mark.parametrize("customer_id", ["0", "1", "null", "None", "GUEST", "unknown", "-1"])
def test_bad_input_an_id_of_nobody_in_particular_is_refused(customer_id: str) -> None:
    with pytest.raises(Reject, match="nobody in particular"):
        target(saying()).encode(customer_id, {"x": 1})


def test_full_requests_at_full_pace_stay_below_the_users_a_minute() -> None:
    (window,) = WINDOWS
    assert window.requests * LIMITS.items * 60 / window.seconds <= 60_000
