"""Campaigns by API: nobody gets one twice, and nobody is forgotten silently."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from connectors import delivery
from connectors.braze.hosts import INSTANCES
from connectors.delivery import Stop, TriggerReport
from connectors.delivery.lock import only_one
from connectors.errors import Busy
from connectors.tool import Recipient
from tests.connectors.braze.conftest import Braze

CAMPAIGN = "spring"
LOST_FAULTS = ["server_error_after", "reset", "html", "invalid_json", "other_message"]


@pytest.fixture
def campaign(braze: Braze) -> Braze:
    braze.tool.define_campaign(CAMPAIGN, template="{{api_trigger_properties.${code}}}")
    return braze


def people(count: int) -> list[str]:
    return [f"c{n:03}" for n in range(count)]


def send(braze: Braze, to: Iterable[str], **options: Any) -> TriggerReport:
    recipients = [Recipient(each, {"code": each.upper()}) for each in to]
    return delivery.trigger_campaign(
        braze.connection, CAMPAIGN, recipients, **braze.options("triggered.sqlite"), **options
    )


def got(braze: Braze) -> list[str]:
    return [message["customer_id"] for message in braze.tool.triggered(CAMPAIGN)]


def test_each_gets_it_with_their_own_properties(campaign: Braze) -> None:
    campaign.profiles(*people(120))
    report = send(campaign, people(120))
    assert got(campaign) == people(120)
    assert (report.sent, report.requests, report.lost, report.refused) == (120, 3, 0, {})
    assert report.finished
    bodies = {m["external_id"]: m["body"] for m in campaign.tool.outbox(CAMPAIGN)}
    assert bodies["c007"] == "C007"


def test_a_second_run_sends_to_those_who_are_new(campaign: Braze) -> None:
    send(campaign, people(60))
    report = send(campaign, people(61))
    assert (report.sent, report.already) == (1, 60)
    assert got(campaign) == people(61)


def test_somebody_named_twice_gets_it_once(campaign: Braze) -> None:
    send(campaign, ["a", "a", *people(60), "a"])
    assert got(campaign).count("a") == 1


def test_people_without_external_id_are_counted_and_left_out(campaign: Braze) -> None:
    report = send(campaign, ["device_id:1", "a"])
    assert (report.sent, report.unaddressable) == (1, 1)


@pytest.mark.parametrize("kind", LOST_FAULTS)
def test_a_lost_answer_is_told_and_never_sent_again(campaign: Braze, kind: str) -> None:
    campaign.tool.fail(kind)
    first = send(campaign, people(70))
    assert (first.sent, first.lost) == (20, 50)
    second = send(campaign, people(70))
    assert (second.sent, second.lost, second.already, second.requests) == (0, 50, 70, 0)
    assert got(campaign) == people(70)


@pytest.mark.parametrize("kind", ["server_error", "unavailable", "html_error"])
def test_a_server_error_may_have_sent_and_counts_as_lost(campaign: Braze, kind: str) -> None:
    campaign.tool.fail(kind)
    assert send(campaign, people(3)).lost == 3


def test_the_lost_get_it_when_a_person_says_so(campaign: Braze) -> None:
    campaign.tool.fail("server_error")
    send(campaign, people(3))
    report = send(campaign, people(3), resend_lost=True)
    assert (report.sent, report.lost) == (3, 0)
    assert got(campaign) == people(3)


@pytest.mark.parametrize("kind", ["rate_limited", "locked"])
def test_what_was_surely_not_carried_out_is_sent_again(campaign: Braze, kind: str) -> None:
    campaign.tool.fail(kind, times=3)
    report = send(campaign, people(3))
    assert (report.sent, report.lost, report.retries) == (3, 0, 3)
    assert got(campaign) == people(3)


def test_a_host_that_is_not_there_loses_nobody(braze: Braze) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(INSTANCES, "double-01", "http://127.0.0.1:9")
        with pytest.raises(Stop, match="gave up after 8 attempts") as stopped:
            send(braze, people(3))
    report = stopped.value.report
    assert isinstance(report, TriggerReport)
    assert (report.sent, report.lost) == (0, 0)


def test_many_lost_requests_in_a_row_end_the_run(campaign: Braze) -> None:
    campaign.tool.fail("server_error", times=9)
    with pytest.raises(Stop, match="3 requests in a row were lost"):
        send(campaign, people(500))
    campaign.tool.heal()
    report = send(campaign, people(500))
    assert (report.sent, report.lost) == (350, 150)


def test_bad_input_a_refused_recipient_does_not_cost_the_others(campaign: Braze) -> None:
    report = send(campaign, [*people(30), "x" * 2_000_000, *people(31)[30:]])
    assert report.sent == 31


def test_bad_input_an_unknown_campaign_ends_the_run_and_sends_nothing(braze: Braze) -> None:
    with pytest.raises(Stop, match="Invalid Campaign ID"):
        send(braze, people(500))
    braze.tool.define_campaign(CAMPAIGN, template="Hello")
    assert send(braze, people(500)).sent == 500


def test_a_refused_key_ends_the_run_and_a_rerun_goes_on(campaign: Braze) -> None:
    campaign.tool.fail("unauthorized")
    with pytest.raises(Stop, match="the key was refused"):
        send(campaign, people(60))
    assert send(campaign, people(60)).sent == 60


def test_a_run_that_is_asked_to_stop_goes_on_later(campaign: Braze) -> None:
    asked: list[bool] = []

    def after_two() -> bool:
        asked.append(True)
        return len(asked) > 2

    first = send(campaign, people(200), stop=after_two)
    assert (first.finished, first.sent) == (False, 100)
    assert send(campaign, people(200)).sent == 100
    assert got(campaign) == people(200)


def test_a_crash_before_the_answer_counts_as_lost(
    campaign: Braze, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("connectors.braze.connector.Braze.trigger", killed)
        with pytest.raises(KeyboardInterrupt):
            send(campaign, people(60))
    report = send(campaign, people(60))
    assert (report.lost, report.sent) == (50, 10)
    assert got(campaign) == people(60)[50:]


def test_two_runs_at_a_time_are_one_too_many(campaign: Braze) -> None:
    lock = campaign.state_path.with_name("triggered.sqlite.lock")
    with only_one(lock, "a send"), pytest.raises(Busy, match="already running"):
        send(campaign, people(1))


def test_erased_people_leave_the_books(campaign: Braze) -> None:
    send(campaign, people(3))
    books = campaign.state_path.with_name("triggered.sqlite")
    delivery.erase_recipients(books, ["c001"])
    delivery.erase_recipients(books.with_name("none.sqlite"), ["c001"])
    assert b"c001" not in books.read_bytes().replace(b"c0012", b"")
