"""What an answer means, by the rules of the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from connectors.errors import Reject, Retry, Split, Stop
from connectors.generic.exchange import Exchange, line, tool_limits
from connectors.generic.pointer import MISSING, at
from connectors.generic.requests import (
    AttributesRequest,
    Batch,
    BatchLimits,
    ItemErrors,
    SegmentRequests,
    Success,
)
from connectors.generic.targets import Attributes, Members
from connectors.http import Answer
from connectors.rate import Rate
from connectors.tool import Outcome, Window

SUCCESS = Success((200, 202), "/status", ("ok", "partial"), ("/errors/0/why", "/message"))
LISTED = (
    ItemErrors("/errors", index="/at", id="/user/id", message="/why"),
    ItemErrors("/unknown", id=""),
)
BATCH = Batch(
    "/users", "POST", {"users": "$records"}, SUCCESS, "$customer_id", BatchLimits(10), (), LISTED
)


@dataclass
class FakeApi:
    """Answers what it is told and remembers what it was asked."""

    answer: Answer
    asked: list[tuple[str, str, Any]] = field(default_factory=list)

    def request(self, method: str, path: str, body: bytes | None) -> Answer:
        self.asked.append((method, path, None if body is None else orjson.loads(body)))
        return self.answer

    def reason(self, text: object) -> str:
        return f"cleaned {text}"


def send(
    status: int, body: Any, batch: Batch = BATCH, ids: Sequence[str] = ("a", "b", "c")
) -> Outcome:
    api: Any = FakeApi(Answer(status, body, Rate(10, 9, 1.0)))
    return Exchange(api, batch, {}).send([line(batch, customer_id, {}) for customer_id in ids])


def test_a_success_accepts_all_and_tells_the_rate() -> None:
    assert send(200, {"status": "ok"}) == Outcome(rate=Rate(10, 9, 1.0))


@pytest.mark.parametrize(
    "entry",
    [{"at": 1, "why": "old"}, {"at": "1", "why": "old"}, {"user": {"id": "b"}, "why": "old"},
     {"at": 99, "user": {"id": "b"}, "why": "old"}],
)  # fmt: skip
def test_a_refused_record_is_found_by_its_index_or_its_id(entry: dict[str, Any]) -> None:
    outcome = send(200, {"status": "partial", "errors": [entry]})
    assert outcome.rejected == {1: "cleaned old"}
    assert outcome.unlocated == ()


@pytest.mark.parametrize(
    "place", [{}, {"at": -1}, {"at": True}, {"at": 3}, {"user": {"id": "z"}}, {"at": 1.0}]
)  # fmt: skip
def test_one_that_cannot_be_found_is_unlocated(place: dict[str, Any]) -> None:
    errors = [{**place, "why": "old"}]
    assert send(200, {"status": "ok", "errors": errors}).unlocated == ("cleaned old",)


def test_a_list_of_bare_ids_tells_by_its_name_what_is_wrong() -> None:
    assert send(200, {"status": "ok", "unknown": ["c", "a"]}).rejected == {
        2: "cleaned /unknown", 0: "cleaned /unknown",
    }  # fmt: skip


def test_when_all_are_refused_the_call_need_not_be_a_success() -> None:
    outcome = send(200, {"status": "fail", "errors": [{"at": n, "why": "old"} for n in range(3)]})
    assert set(outcome.rejected) == {0, 1, 2}


def test_what_is_said_of_the_only_record_is_about_it() -> None:
    assert send(200, {"errors": [{"why": "old"}]}, ids=["a"]).rejected == {0: "cleaned old"}


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [(200, {"status": "no", "message": "bad"}, "cleaned bad"), (200, {}, "HTTP 200"),
     (400, {"errors": [{"why": "x"}], "message": "y"}, "cleaned x"),
     (413, None, "HTTP 413"), (422, {"message": "bad"}, "cleaned bad")],
)  # fmt: skip
def test_a_refused_request_is_taken_apart(status: int, body: Any, reason: str) -> None:
    with pytest.raises(Split) as refused:
        send(status, body)
    assert refused.value.what == reason


@pytest.mark.parametrize("status", [408, 423, 429, 500, 503])
def test_what_passes_by_itself_is_retried(status: int) -> None:
    with pytest.raises(Retry):
        send(status, {"status": "ok"})


@pytest.mark.parametrize("body", [None, [], [{"status": "ok"}], "ok", 1])
def test_what_is_not_like_the_tools_answer_is_none(body: Any) -> None:
    with pytest.raises(Retry, match="nobody knows"):
        send(200, body)


@pytest.mark.parametrize("status", [201, 301, 401, 403, 404])
def test_what_a_person_must_mend_stops(status: int) -> None:
    with pytest.raises(Stop):
        send(status, {"status": "ok"})


def test_true_is_not_one() -> None:
    batch = Batch("/users", body="$records", success=Success(field="/ok", values=(True,)))
    with pytest.raises(Split):
        send(200, {"ok": 1}, batch, ["a"])
    assert send(200, {"ok": True}, batch, ["a"]).rejected == {}


def test_without_a_rule_about_the_content_the_status_decides() -> None:
    batch = Batch("/users", body="$records", success=Success((204,)), limits=BatchLimits(10))
    assert send(204, None, batch) == Outcome(rate=Rate(10, 9, 1.0))


def write(request: AttributesRequest, change: dict[str, Any]) -> tuple[str, str, Any]:
    api: Any = FakeApi(Answer(200, {"status": "ok"}))
    target = Attributes(api, request)
    target.write("", [target.encode("a/b", change).body])
    asked: tuple[str, str, Any] = api.asked[0]
    return asked


def test_attributes_as_a_list_in_the_request_of_one_customer() -> None:
    request = AttributesRequest(
        "/named_users/$customer_id/attributes", body="$record",
        record={"attributes": "$attributes"}, shape="list", join=",",
        set={"action": "set", "key": "$name", "value": "$value"},
        remove={"action": "remove", "key": "$name"},
    )  # fmt: skip
    assert write(request, {"items": ["x", "y"], "score": None}) == (
        "POST",
        "/named_users/a%2Fb/attributes",
        {"attributes": [{"action": "set", "key": "items", "value": "x,y"},
                        {"action": "remove", "key": "score"}]},
    )  # fmt: skip


def test_attributes_beside_the_id() -> None:
    request = AttributesRequest(
        "/rows", "PUT", {"items": "$records"}, limits=BatchLimits(2),
        record={"Key": "$customer_id", "$merge": "$attributes"},
    )  # fmt: skip
    assert write(request, {"score": 1, "gone": None}) == (
        "PUT", "/rows", {"items": [{"Key": "a/b", "score": 1, "gone": None}]},
    )  # fmt: skip


def test_bad_input_what_the_tool_would_misread_is_rejected() -> None:
    joined = AttributesRequest("/rows", body="$records", record="$attributes", join=",")
    target = Attributes(Any, joined)  # type: ignore[arg-type]
    with pytest.raises(Reject, match="holds ',', which separates"):
        target.encode("a", {"items": ["x,y"]})
    with pytest.raises(Reject, match="longer than 1000 bytes"):
        target.encode("ä" * 501, {})
    alone = AttributesRequest("/users/$customer_id", record="$attributes")
    with pytest.raises(Reject, match="address"):
        Attributes(Any, alone).encode("..", {})  # type: ignore[arg-type]


def test_the_envelope_is_what_the_body_has_besides_the_records() -> None:
    assert tool_limits(BATCH, {}).envelope_bytes == len(b'{"users":[]}')


def test_who_comes_and_who_leaves_go_apart_within_the_limits_of_both() -> None:
    add = Batch("/add", body="$records", limits=BatchLimits(10), windows=(Window(5, 1.0),))
    remove = Batch("/remove", body={"gone": "$records"}, limits=BatchLimits(3, 5_000))
    members = Members(Any, SegmentRequests(add, remove), "s1")  # type: ignore[arg-type]
    assert (members.limits.items, members.limits.body_bytes) == (3, 5_000)
    assert members.windows == (Window(5, 1.0),)
    assert members.encode("a", {"member": True}).lane != members.encode("a", {"member": None}).lane


@pytest.mark.parametrize(
    ("pointer", "value"),
    [("", {"a": [1, {"b/c": 2}], "": 3}), ("/a/1/b~1c", 2), ("/", 3), ("/a/2", MISSING),
     ("/a/-", MISSING), ("/b", MISSING), ("/a/b", MISSING), ("/a/999999999999", MISSING)],
)  # fmt: skip
def test_a_json_pointer_finds_or_does_not(pointer: str, value: Any) -> None:
    assert at({"a": [1, {"b/c": 2}], "": 3}, pointer) == value


def test_of_those_not_listed_in_a_failure_nobody_knows() -> None:
    body = {"status": "fail", "message": "no", "errors": [{"at": 1, "why": "odd"}]}
    outcome = send(200, body)
    assert outcome.rejected == {1: "cleaned odd"}
    assert outcome.unlocated == ("cleaned odd",)
    assert send(200, {**body, "status": "partial"}).unlocated == ()


def test_whoever_is_listed_in_a_failure_is_refused_and_nobody_else_asked() -> None:
    errors = [{"at": place, "why": "odd"} for place in range(3)]
    outcome = send(200, {"status": "fail", "errors": errors})
    assert (sorted(outcome.rejected), outcome.unlocated) == ([0, 1, 2], ())
