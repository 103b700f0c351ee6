"""Whatever goes wrong on the way: all is there in the end, or a person is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask, request

from connectors import delivery
from connectors.delivery import Stop
from connectors.tool import Ability
from tests.connectors.double import KEY, Double
from tests.connectors.servers import serving

pytestmark = pytest.mark.needs(Ability.ATTRIBUTES, "http")


@pytest.mark.parametrize(
    "kind",
    ["rate_limited", "server_error", "unavailable", "locked", "html_error", "server_error_after",
     "html", "html_before", "invalid_json", "reset"],
)  # fmt: skip
def test_a_passing_fault_is_retried_until_all_is_there(double: Double, kind: str) -> None:
    double.customers(25)
    double.tool.fail(kind, times=2)
    report = double.sync()
    assert double.held() == double.wanted()
    assert (report.accepted, report.rejected) == (25, {})
    assert double.sync().requests == 0


@pytest.mark.parametrize("kind", ["timeout_before", "timeout_after", "drip"])
def test_a_lost_answer_is_asked_for_again(double: Double, kind: str) -> None:
    double.customers(10)
    double.tool.fail(kind, hang_s=2.0)
    report = double.with_options(timeout_s=0.5).sync()
    assert double.held() == double.wanted()
    assert (report.accepted, report.rejected) == (10, {})
    assert double.sync().requests == 0


@pytest.mark.parametrize("kind", ["huge", "nested", "array", "html", "html_before"])
def test_a_hostile_answer_is_no_acceptance_and_breaks_nothing(double: Double, kind: str) -> None:
    double.customers(25)
    double.tool.fail(kind, times=3)
    report = double.sync()
    assert double.held() == double.wanted()
    assert (report.accepted, report.rejected) == (25, {})


@pytest.mark.needs("batches")
@pytest.mark.parametrize("kind", ["other_message", "too_large"])
def test_a_refused_request_is_taken_apart(double: Double, kind: str) -> None:
    double.customers(4)
    double.tool.fail(kind)
    report = double.sync()
    assert double.held() == double.wanted()
    assert (report.accepted, report.rejected) == (4, {})


@pytest.mark.parametrize("kind", ["unauthorized", "forbidden", "gone", "unsupported", "redirect"])
def test_what_a_person_must_mend_ends_the_sync_at_once(double: Double, kind: str) -> None:
    double.customers(25)
    double.tool.fail(kind)
    with pytest.raises(Stop) as stopped:
        double.sync()
    assert len(double.statuses()) == 1
    assert double.held() == {}
    assert str(double.statuses()[0]) in str(stopped.value)
    assert len(stopped.value.what.split()) >= 4  # a sentence, not a code
    double.sync()
    assert double.held() == double.wanted()


def test_a_tool_that_stays_down_ends_the_sync_and_the_next_goes_on(double: Double) -> None:
    double.customers(25)
    double.tool.fail("server_error", times=10_000)
    with pytest.raises(Stop, match="gave up after") as stopped:
        double.sync()
    assert stopped.value.report.accepted == 0
    double.tool.heal()
    assert double.sync().accepted == 25
    assert double.held() == double.wanted()


@dataclass
class Trap:
    """A server to which nobody may be redirected."""

    url: str = ""
    caught: list[str] = field(default_factory=list)


@pytest.fixture
def trap() -> Iterator[Trap]:
    trap, app = Trap(), Flask("trap")

    @app.before_request
    def take() -> str:
        trap.caught.append(request.path)
        return "{}"

    with serving(app) as url:
        trap.url = url
        yield trap


def test_a_redirect_is_never_followed(double: Double, trap: Trap) -> None:
    double.customers(3)
    double.tool.fail("redirect", times=20, headers={"Location": f"{trap.url}/users"})
    with pytest.raises(Stop, match="redirect"):
        double.sync()
    assert delivery.check(double.connection) is not None
    assert trap.caught == []


def test_check_is_content_with_a_good_connection(double: Double) -> None:
    assert delivery.check(double.connection) is None


def test_check_names_the_connection_and_the_refused_key(double: Double) -> None:
    problem = delivery.check(double.with_wrong_key("wrong-one").connection)
    assert problem is not None
    assert "connection crm" in problem
    assert "401" in problem or "403" in problem
    assert "wrong-one" not in problem


@pytest.mark.parametrize("kind", ["server_error", "html", "huge", "redirect", "hostile_text"])
def test_check_says_in_one_line_what_is_wrong(double: Double, kind: str) -> None:
    double.tool.fail(kind, times=20)
    problem = delivery.check(double.connection)
    assert problem is not None
    assert problem.isprintable()
    assert KEY not in problem


def test_a_wrong_key_ends_the_sync_and_writes_nothing(double: Double) -> None:
    double.customers(25)
    with pytest.raises(Stop):
        double.with_wrong_key("wrong-one").sync()
    assert double.held() == {}
