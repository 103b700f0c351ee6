"""How Braze's prose is read."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.braze.track import Attributes
from connectors.errors import Reject, Retry, Split, Stop
from connectors.http import Answer
from connectors.tool import Outcome
from tests.connectors.saying import saying

NOT_INDEX: list[Any] = [None, -1, 3, "0", 1.0, True, [0]]


def write(status: int, body: Any, records: int = 3) -> Outcome:
    return Attributes(saying(Answer(status, body)), False).write("", [b"{}"] * records)


def test_success_accepts_all() -> None:
    assert write(201, {"message": "success", "attributes_processed": 3}) == Outcome()


def test_errors_with_an_index_name_their_record() -> None:
    errors = [{"type": "bad id", "input_array": "attributes", "index": 2}]
    assert write(201, {"message": "success", "errors": errors}).rejected == {2: "bad id"}


@pytest.mark.parametrize("index", NOT_INDEX)
def test_bad_input_an_index_that_is_none_counts_as_missing(index: Any) -> None:
    outcome = write(201, {"message": "success", "errors": [{"type": "bad", "index": index}]})
    assert (outcome.rejected, outcome.unlocated) == ({}, ("bad",))


@pytest.mark.parametrize("errors", ["prose", {"type": "prose"}, ["prose"], [{"type": "prose"}]])
def test_errors_of_any_shape_are_not_overlooked(errors: Any) -> None:
    assert write(201, {"message": "success", "errors": errors}).unlocated == ("prose",)


@pytest.mark.parametrize("errors", [None, [], False])
def test_empty_errors_are_none(errors: Any) -> None:
    assert write(201, {"message": "success", "errors": errors}) == Outcome()


def test_an_error_of_another_array_is_not_ours_to_locate() -> None:
    errors = [{"type": "bad", "input_array": "events", "index": 0}]
    assert write(201, {"message": "success", "errors": errors}).unlocated == ("bad",)


@pytest.mark.parametrize("body", [{"message": "queue is full"}, {}, {"message": None}])
def test_a_2xx_without_success_is_a_rejection(body: Any) -> None:
    with pytest.raises(Split):
        write(201, body)


@pytest.mark.parametrize("body", [None, [], "success", 7])
def test_bad_input_a_2xx_that_is_no_object_is_unknown(body: Any) -> None:
    with pytest.raises(Retry):
        write(201, body)


@pytest.mark.parametrize("status", [400, 413])
def test_a_refused_request_is_taken_apart(status: int) -> None:
    with pytest.raises(Split, match="too long"):
        write(status, {"message": "Invalid", "errors": [{"type": "too long"}]})


@pytest.mark.parametrize("status", [401, 403, 404, 410, 415])
def test_a_refused_call_stops(status: int) -> None:
    with pytest.raises(Stop):
        write(status, {"message": "no"})


@pytest.mark.parametrize("name", ["external_id", "email", "_merge_objects", "push_tokens"])
def test_bad_input_an_attribute_with_a_name_of_brazes_is_refused(name: str) -> None:
    with pytest.raises(Reject, match=name):
        Attributes(saying(), False).encode("c1", {name: 1})
