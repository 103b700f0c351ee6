"""Whatever the tool does, nobody gets a campaign twice, and the books know of everybody."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.delivery.triggering import LOST, REFUSED, SENT, Books, Triggering, TriggerReport
from connectors.errors import ConnectorError, Lost, Reject, Retry, Split, Stop
from connectors.tool import Outcome, Recipient, Target, Tool
from tests.connectors.delivery.fakes import FakeTarget
from tests.connectors.doubles import FakeTime

CAMPAIGN = "spring"
EVENTS = ["ok", "lost", "lost but done", "busy", "stop", "killed", "killed but done"]


class FakeTool(Tool):
    """Does what ``events`` say, one a call, then everything well; refuses who is called bad."""

    most_recipients = 4

    def __init__(self, events: Sequence[str]) -> None:
        self.events = list(events)
        self.got: list[str] = []

    def attributes(self) -> Target:
        return FakeTarget()

    def trigger(self, campaign_id: str, recipients: Sequence[Recipient]) -> Outcome:
        names = [recipient.customer_id for recipient in recipients]
        event = self.events.pop(0) if self.events else "ok"
        if event == "busy":
            raise Retry("later", after_s=1)
        if event == "stop":
            raise Stop("no")
        if event.startswith("ok") and any(name.startswith("bad") for name in names):
            raise Split("one is bad")
        if event in ("ok", "lost but done", "killed but done"):
            self.got += names
        if event.startswith("lost"):
            raise Lost("no answer")
        if event.startswith("killed"):
            raise KeyboardInterrupt
        return Outcome()


def run(tool: FakeTool, people: Sequence[str], path: Path, *, resend: bool = False) -> None:
    time = FakeTime()
    report = TriggerReport("crm", CAMPAIGN)
    sending = Triggering(tool, report, path, resend, runtime=time.runtime())
    with suppress(ConnectorError, KeyboardInterrupt):
        sending.run(Recipient(name) for name in people)


def books_of(path: Path, people: Sequence[str]) -> dict[str, str]:
    books = Books(path, "crm", CAMPAIGN)
    try:
        return books.states(people)
    finally:
        books.close()


@settings(max_examples=150, deadline=None)
@given(
    events=st.lists(st.sampled_from(EVENTS), max_size=12),
    bad=st.sets(st.integers(0, 14), max_size=3),
    runs=st.integers(1, 4),
)
def test_nobody_gets_it_twice_and_the_books_know_of_everybody(
    events: list[str], bad: set[int], runs: int
) -> None:
    people = [f"{'bad' if n in bad else 'good'}{n}" for n in range(15)]
    tool = FakeTool(events)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "books.sqlite"
        for _ in range(runs):
            run(tool, people, path)
        tool.events.clear()
        run(tool, people, path)
        states = books_of(path, people)
    assert len(set(tool.got)) == len(tool.got)
    assert {name for name, state in states.items() if state == SENT} <= set(tool.got)
    assert set(tool.got) <= {name for name, state in states.items() if state in (SENT, LOST)}
    assert states.keys() == set(people)
    for name in people:
        assert name.startswith("good") or states[name] in (REFUSED, LOST)


@given(events=st.lists(st.sampled_from(EVENTS), max_size=8))
@settings(max_examples=50, deadline=None)
def test_with_the_lost_sent_again_everybody_has_got_it(events: list[str]) -> None:
    people = [f"good{n}" for n in range(9)]
    tool = FakeTool(events)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "books.sqlite"
        run(tool, people, path)
        tool.events.clear()
        run(tool, people, path, resend=True)
        assert set(books_of(path, people).values()) == {SENT}
    assert set(tool.got) == set(people)


def test_a_damaged_file_of_books_ends_the_run_before_anything_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "books.sqlite"
    path.write_bytes(b"no database" * 1_000)
    tool = FakeTool([])
    run(tool, ["a"], path)
    assert tool.got == []


def test_two_campaigns_do_not_share_their_books(tmp_path: Path) -> None:
    path = tmp_path / "books.sqlite"
    run(FakeTool([]), ["a"], path)
    other = FakeTool([])
    Triggering(
        other, TriggerReport("crm", "summer"), path, runtime=FakeTime().runtime()
    ).run([Recipient("a")])  # fmt: skip
    assert other.got == ["a"]


@pytest.mark.parametrize(
    ("outcome", "states"),
    [
        (Outcome({1: "blocked"}), [SENT, REFUSED, SENT]),
        (Outcome(unlocated=("one of them",)), [LOST, LOST, LOST]),
        (Outcome({0: "blocked", 1: "blocked"}, ("the third",)), [REFUSED, REFUSED, REFUSED]),
    ],
)
def test_who_was_refused_by_an_accepted_request_is_not_taken_for_sent(
    outcome: Outcome, states: list[str], tmp_path: Path
) -> None:
    class Telling(FakeTool):
        def trigger(self, campaign_id: str, recipients: Sequence[Recipient]) -> Outcome:
            return outcome

    run(Telling([]), ["a", "b", "c"], tmp_path / "books.sqlite")
    found = books_of(tmp_path / "books.sqlite", ["a", "b", "c"])
    assert [found[name] for name in "abc"] == states


def test_whom_the_connector_itself_refuses_costs_nobody_else_the_message(tmp_path: Path) -> None:
    class Choosy(FakeTool):
        def trigger(self, campaign_id: str, recipients: Sequence[Recipient]) -> Outcome:
            if any(each.customer_id == "too-long" for each in recipients):
                raise Reject("the external id is too long")
            return super().trigger(campaign_id, recipients)

    people, path = ["a", "too-long", "b", "c", "d"], tmp_path / "books.sqlite"
    tool = Choosy([])
    run(tool, people, path)
    assert tool.got == ["a", "b", "c", "d"]
    assert books_of(path, ["too-long"]) == {"too-long": REFUSED}


@pytest.mark.parametrize("event", ["stop", "ok bad"])
def test_who_may_have_got_it_before_still_may_when_sending_again_fails(
    event: str, tmp_path: Path
) -> None:
    class Refusing(FakeTool):
        def trigger(self, campaign_id: str, recipients: Sequence[Recipient]) -> Outcome:
            if self.events and self.events[0] == "ok bad":
                self.events = ["stop"]
                raise Split("one is bad")
            return super().trigger(campaign_id, recipients)

    path = tmp_path / "books.sqlite"
    run(FakeTool(["lost but done"]), ["a", "b"], path)
    run(Refusing([event]), ["a", "b", "c"], path, resend=True)
    assert books_of(path, ["a", "b", "c"]) == {"a": LOST, "b": LOST}
    tool = FakeTool([])
    run(tool, ["a", "b", "c"], path)
    assert tool.got == ["c"]
