"""How Insider's answers are read."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from connectors.errors import Reject, Retry, Split, Stop
from connectors.http import Answer
from connectors.insider.connector import Insider
from connectors.insider.users import Users
from connectors.tool import Outcome
from tests.connectors.saying import saying

UNCOUNTED = "Insider did not say whom it took"
GONE = Answer(404, {"error": "no such user for these identifiers: no data"})
TAKEN = {"data": {"successful": {"count": 2}, "fail": {}}}


def write(*answers: Answer, change: dict[str, Any] | None = None, people: str = "ab") -> Outcome:
    target = Users(saying(*answers))
    encoded = [target.encode(who, change or {"rs": 1}) for who in people]
    return target.write(encoded[0].lane, [each.body for each in encoded])


def failing(taken: int, failed: int, errors: Any) -> Answer:
    successful = {"count": taken} if taken else {}
    return Answer(
        200, {"data": {"successful": successful, "fail": {"count": failed, "errors": errors}}}
    )


def test_everybody_is_taken() -> None:
    assert write(Answer(200, TAKEN)) == Outcome()


def test_who_is_refused_is_found_by_the_place_in_the_error() -> None:
    errors = {"users.1.identifiers.*.type(string)": ["uuid must be string", "no s3cret"]}
    said = "uuid must be string, no [secret]"
    assert write(failing(1, 1, errors)) == Outcome({1: said})


@pytest.mark.parametrize("where", ["users.*.required", "users.7.x", "users.-1.x", "other", ""])
def test_bad_input_an_error_at_no_users_place_is_not_located(where: str) -> None:
    outcome = write(failing(1, 1, {where: ["no"]}))
    assert outcome.rejected == {}
    assert outcome.unlocated[0] == "no"


@pytest.mark.parametrize("errors", [None, [], "no", {}])
def test_bad_input_a_failure_without_errors_is_not_located(errors: Any) -> None:
    assert write(failing(1, 1, errors)) == Outcome(unlocated=(UNCOUNTED,))


@pytest.mark.parametrize("taken", [None, "1", True, 7])
def test_bad_input_a_count_that_cannot_be_leaves_nobody_located_as_taken(taken: Any) -> None:
    fail = {"count": 1, "errors": {"users.*.x": ["no"]}}
    outcome = write(Answer(200, {"data": {"successful": {"count": taken}, "fail": fail}}))
    assert outcome == Outcome(unlocated=("no", UNCOUNTED))


def test_more_who_failed_than_are_named_are_not_located() -> None:
    outcome = write(failing(0, 2, {"users.0.x": ["no"]}))
    assert outcome == Outcome({0: "no"}, (UNCOUNTED,))


@pytest.mark.parametrize(
    "body",
    [None, [], "ok", {}, {"data": None}, {"data": {"successful": 2}},
     {"data": {"successful": {"count": 1}, "fail": {}}}, {"data": {"successful": {}, "fail": {}}}],
)  # fmt: skip
def test_bad_input_a_2xx_that_does_not_count_everybody_is_unknown(body: Any) -> None:
    with pytest.raises(Retry):
        write(Answer(200, body))


@pytest.mark.parametrize("status", [400, 413, 422])
@pytest.mark.parametrize("body", [{"error": "no"}, {"message": "no"}, None, []])
def test_a_refused_request_is_taken_apart(status: int, body: Any) -> None:
    with pytest.raises(Split):
        write(Answer(status, body))


@pytest.mark.parametrize(
    "answer",
    [Answer(400, {"success": False, "message": "Partner is invalid."}),
     Answer(403, {"success": False, "message": "Access Denied."}), GONE],
)  # fmt: skip
def test_what_is_no_persons_fault_stops(answer: Answer) -> None:
    with pytest.raises(Stop):
        write(answer)


@pytest.mark.parametrize("body", [{}, TAKEN])
def test_what_is_taken_away_is_answered_in_either_documented_form(body: Any) -> None:
    assert write(Answer(200, body), change={"rs": None}) == Outcome()


def test_taking_away_from_who_is_not_there_is_done_and_found_by_splitting() -> None:
    with pytest.raises(Split):
        write(GONE, change={"rs": None})
    assert write(GONE, change={"rs": None}, people="a") == Outcome()


def test_bad_input_an_unknown_address_stops_a_removal_too() -> None:
    with pytest.raises(Stop):
        write(Answer(404, {"error": "not found"}), change={"rs": None}, people="a")


def test_who_gets_one_and_loses_another_attribute_is_in_both_calls() -> None:
    client = saying(
        Answer(200, {"data": {"successful": {"count": 1}, "fail": {}}}), Answer(200, {})
    )
    target = Users(client)
    encoded = target.encode("c1", {"rs": ["x"], "old": None})
    assert target.write(encoded.lane, [encoded.body]) == Outcome()
    user = {"identifiers": {"uuid": "c1"}}
    values = {**user, "attributes": {"custom": {"rs": ["x"]}}, "not_append": True}
    sent = [(path, orjson.loads(body or b"")) for _, path, body in client.asked]
    assert sent == [
        ("/api/user/v1/upsert", {"append": False, "users": [values]}),
        ("/api/user/v1/attribute/delete", {"users": [{**user, "custom": {"whole": ["old"]}}]}),
    ]


def test_whom_either_of_two_calls_refused_is_refused() -> None:
    answers = failing(1, 1, {"users.0.x": ["no"]}), failing(1, 1, {"users.1.x": ["nor"]})
    assert write(*answers, change={"rs": 1, "old": None}) == Outcome({0: "no", 1: "nor"})


def test_bad_input_an_id_that_is_too_long_is_rejected() -> None:
    with pytest.raises(Reject, match="255 bytes"):
        Users(saying()).encode("c" * 256, {"rs": 1})


def test_a_check_is_content_when_nobody_or_somebody_is_there() -> None:
    for answer in (GONE, Answer(200, {"attributes": {}})):
        Insider(saying(answer)).check()


@pytest.mark.parametrize(
    ("answer", "raised"),
    [(Answer(200, {"success": False}), Retry), (Answer(404, {"error": "not found"}), Stop),
     (Answer(400, {"message": "Partner is invalid."}), Stop)],
)  # fmt: skip
def test_bad_input_a_check_that_says_something_else(
    answer: Answer, raised: type[Exception]
) -> None:
    with pytest.raises(raised):
        Insider(saying(answer)).check()
