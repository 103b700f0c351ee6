"""How Customer.io's answers are read."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.customerio.attributes import Attributes
from connectors.errors import Reject, Retry, Split, Stop
from connectors.http import Answer
from connectors.tool import Outcome
from tests.connectors.saying import saying


def write(status: int, body: Any, records: int = 3) -> Outcome:
    return Attributes(saying(Answer(status, body)), False).write("", [b"{}"] * records)


def test_success_accepts_all() -> None:
    assert write(200, {}) == Outcome()


def test_an_error_with_an_index_names_its_record_and_field() -> None:
    error = {"batch_index": 2, "reason": "invalid", "field": "plan", "message": "too long"}
    assert write(207, {"errors": [error]}).rejected == {2: "plan: too long"}


@pytest.mark.parametrize("index", [None, -1, 3, "0", 1.0, True, [0]])
def test_bad_input_an_index_that_is_none_counts_as_missing(index: Any) -> None:
    outcome = write(207, {"errors": [{"reason": "bad", "batch_index": index}]})
    assert (outcome.rejected, outcome.unlocated) == ({}, ("bad",))


@pytest.mark.parametrize(
    "body",
    [{"errors": "prose"}, {"errors": ["prose"]}, {"meta": {"error": "prose"}},
     {"meta": {"errors": ["prose"]}}, {"errors": [{"detail": "prose"}]}],
)  # fmt: skip
def test_errors_of_any_shape_are_not_overlooked(body: Any) -> None:
    assert write(200, body).unlocated == ("prose",)


@pytest.mark.parametrize("body", [{"errors": []}, {"errors": None}, {"meta": {}}, {"meta": 1}])
def test_empty_errors_are_none(body: Any) -> None:
    assert write(200, body) == Outcome()


@pytest.mark.parametrize("body", [None, [], "ok", 7])
def test_bad_input_a_2xx_that_is_no_object_is_unknown(body: Any) -> None:
    with pytest.raises(Retry):
        write(200, body)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_request_is_taken_apart(status: int) -> None:
    with pytest.raises(Split, match="malformed"):
        write(status, {"meta": {"errors": ["malformed"]}})


@pytest.mark.parametrize("status", [401, 403, 404, 415])
def test_a_refused_call_stops(status: int) -> None:
    with pytest.raises(Stop):
        write(status, {})


def test_no_secret_gets_into_a_reason() -> None:
    with pytest.raises(Split) as refused:
        write(400, {"errors": [{"message": "bad key s3cret"}]})
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "what"),
    [({"email": "a"}, "email"), ({"_update": True}, "_update"), ({"n" * 151: 1}, "name"),
     ({"x": "y" * 1_000}, "x is longer"), ({"x": ["y" * 500] * 2}, "x is longer"),
     ({f"a{n}": n for n in range(301)}, "more than 300")],
)  # fmt: skip
def test_bad_input_an_attribute_that_cannot_be_held_is_refused(
    change: dict[str, Any], what: str
) -> None:
    with pytest.raises(Reject, match=what):
        Attributes(saying(), False).encode("c1", change)
