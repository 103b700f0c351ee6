"""A bulk import is waited for, and who was refused is asked for."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from connectors.errors import Reject, Retry, Split, Stop
from connectors.http import Answer
from connectors.klaviyo.connector import Klaviyo
from connectors.klaviyo.profiles import Attributes
from connectors.rate import Rate
from connectors.sandbox.client import Sandbox
from connectors.sandbox.tools import klaviyo as double_of_klaviyo
from connectors.tool import Outcome
from tests.connectors.doubles import Double, FakeTime
from tests.connectors.klaviyo.scripted import STARTED, api, job, listing


def write(*script: Answer, most_wait_s: float = 60.0, count: int = 3) -> Outcome:
    target = Attributes(api(*script, most_wait_s=most_wait_s))
    return target.write("", [target.encode(f"c{n}", {"x": 1}).body for n in range(count)])


def test_a_job_that_takes_its_time_is_waited_for(
    tool: Klaviyo, klaviyo: Sandbox, time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(double_of_klaviyo, "PENDING", 6)
    target = tool.attributes()
    assert target.write("", [target.encode("a", {"x": 1}).body]).rejected == {}
    assert klaviyo.held() == {"a": {"x": 1}}
    assert time.naps == [1, 2, 4, 8, 10, 10]


def test_a_job_that_never_ends_is_sent_again_later() -> None:
    with pytest.raises(Retry, match="the job is processing"):
        write(STARTED, job("processing"), most_wait_s=20)


def test_a_job_that_somebody_cancelled_is_sent_again() -> None:
    with pytest.raises(Retry, match="cancelled"):
        write(STARTED, job("cancelled"))


def test_a_busy_moment_while_waiting_costs_no_second_import() -> None:
    busy = Answer(429, None, retry_after_s=7)
    assert write(STARTED, busy, Answer(503, None), job("complete")) == Outcome()


@pytest.mark.parametrize("located", [True, False])
def test_several_pages_of_refused_profiles(tool: Klaviyo, klaviyo: Sandbox, located: bool) -> None:
    blocked = [f"c{n:03}" for n in range(0, 300, 2)]
    klaviyo.turn(blocked=blocked, locate_errors=located)
    target = tool.attributes()
    records = [target.encode(f"c{n:03}", {"x": 1}).body for n in range(300)]
    outcome = target.write("", records)
    assert sorted(outcome.rejected) == (list(range(0, 300, 2)) if located else [])
    assert len(outcome.unlocated) == (0 if located else 150)


@pytest.mark.parametrize(
    ("error", "index"),
    [({"detail": "bad", "original_payload": {"external_id": "c2"}}, 2),
     ({"detail": "bad", "original_payload": {"attributes": {"external_id": "c2"}}}, 2),
     ({"title": "bad", "source": {"pointer": "/data/attributes/profiles/data/1/attributes/x"}}, 1)],
)  # fmt: skip
def test_a_refused_profile_is_found_by_payload_or_pointer(error: Any, index: int) -> None:
    outcome = write(STARTED, job("complete", 1), listing(error))
    assert outcome == Outcome({index: "bad"})


@pytest.mark.parametrize(
    "error",
    [{}, None, {"source": "x"}, {"source": {"pointer": 7}}, {"original_payload": []},
     {"source": {"pointer": "/data/attributes/profiles/data/3"}},
     {"source": {"pointer": "/data/attributes/profiles/data/-1"}},
     {"original_payload": {"external_id": ["c1"]}}, {"original_payload": {"external_id": "else"}}],
)  # fmt: skip
def test_bad_input_an_error_that_points_nowhere_is_not_overlooked(error: Any) -> None:
    outcome = write(STARTED, job("complete", 1), listing(error))
    assert (outcome.rejected, len(outcome.unlocated)) == ({}, 1)


@pytest.mark.parametrize("failed", [2, "2", True])
def test_bad_input_failures_without_errors_are_not_overlooked(failed: Any) -> None:
    outcome = write(STARTED, job("complete", failed), listing())
    assert len(outcome.unlocated) == 1


def test_of_the_address_of_the_next_page_only_the_cursor_is_taken() -> None:
    first = listing({"original_payload": {"external_id": "c0"}, "detail": "a"},
                   following="https://evil.example/api?page%5Bcursor%5D=abc")  # fmt: skip
    last = listing({"original_payload": {"external_id": "c1"}, "detail": "b"})
    outcome = write(STARTED, job("complete", 2), first, last)
    assert outcome.rejected == {0: "a", 1: "b"}


@pytest.mark.parametrize("body", [{}, {"data": {}}, {"data": {"id": "../lists"}}, {"data": []},
                                  {"data": {"id": 7}}])  # fmt: skip
def test_bad_input_a_job_without_a_usable_id_is_a_refusal(body: Any) -> None:
    with pytest.raises(Split, match="named no job"):
        write(Answer(202, body))


@pytest.mark.parametrize("body", [None, [], "ok"])
def test_bad_input_a_page_instead_of_json_is_unknown(body: Any) -> None:
    with pytest.raises(Retry):
        write(Answer(202, body))


def test_a_refused_request_is_taken_apart_with_klaviyos_words() -> None:
    body = {"errors": [{"title": "Invalid input.", "detail": "too many profiles"}]}
    with pytest.raises(Split, match="too many profiles"):
        write(Answer(400, body))


@pytest.mark.parametrize("status", [401, 403, 404, 405, 410, 415])
def test_a_refused_call_stops(status: int) -> None:
    with pytest.raises(Stop):
        write(Answer(status, {"errors": []}))


def test_the_pace_is_that_of_the_call_with_less_left() -> None:
    tight, wide = Rate(150, 3, 40.0), Rate(150, 90, 50.0)
    started = Answer(202, STARTED.body, wide)
    assert write(started, job("complete", 0, tight)).rate == tight
    started = Answer(202, STARTED.body, tight)
    assert write(started, job("complete", 0, wide)).rate == tight
    assert write(started, job("complete")).rate == tight


def test_what_goes_is_unset_and_null_is_never_sent() -> None:
    record = orjson.loads(Attributes(api(STARTED)).encode("c", {"x": 1, "y": None}).body)
    assert record == {
        "type": "profile",
        "attributes": {"external_id": "c", "properties": {"x": 1}},
        "meta": {"patch_properties": {"unset": ["y"]}},
    }


@pytest.mark.parametrize("name", ["email", "external_id", "$consent", "location"])
def test_bad_input_an_attribute_with_a_name_of_klaviyos_is_refused(name: str) -> None:
    target = Attributes(api(STARTED))
    with pytest.raises(Reject, match=name.replace("$", r"\$")):
        target.encode("c1", {name: 1})


def test_who_asks_to_stop_does_not_wait_for_the_end_of_a_job(
    crm: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(double_of_klaviyo, "PENDING", 6)
    crm.customers(2)
    report = crm.sync(stop=lambda: crm.time.slept_s > 0)
    assert (report.finished, report.accepted) == (False, 0)
    assert crm.time.slept_s < 1
    assert crm.sync().accepted == 2
