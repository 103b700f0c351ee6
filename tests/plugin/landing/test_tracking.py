"""Opens and clicks on their way: judged together, never in the way, never twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import orjson
import pytest
import redis

from plugin import logs
from plugin.landing import tracking
from plugin.landing.token import Landing
from plugin.landing.tracking import MOST_WAITING, SETTLED_S, Place, Shown, Tap, Tracker, event
from scoring.store.keys import customer_hash
from scoring.store.recent import RecentEvents
from scoring.store.taps import Taps
from tests.conftest import SECRET, WORKSPACE

CUSTOMER = customer_hash(SECRET, WORKSPACE, "customer-001")
LINK = Landing(WORKSPACE, "spring", CUSTOMER, 2_000_000_000, b"\x01" * 16, "email")
NOON = 1_512_345_600.0


def tap(item: str = "", after_s: float = 0.0, sign: str | None = None) -> Tap:
    return Tap(LINK, item, Shown("ab" * 16, 1 if item else None), NOON + after_s, sign)


class Counts:
    def __init__(self) -> None:
        self.taps: Counter[tuple[str, bool]] = Counter()
        self.missing = 0

    def landing(self, event: str, *, robot: bool) -> None:
        self.taps[event, robot] += 1

    def landing_lost(self, count: int) -> None:
        self.missing += count


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Away:
    """A store that does not answer."""

    def note(self, taps: Sequence[object]) -> None:
        raise redis.ConnectionError

    def of(self, customers: Sequence[bytes]) -> None:
        raise redis.TimeoutError


@pytest.fixture
def recent(redis_client):
    return RecentEvents(redis_client, WORKSPACE, SECRET)


@pytest.fixture
def place(redis_client, recent):
    return Place(Taps(redis_client, WORKSPACE), recent)


def told(recent) -> list[tuple[str, str | None]]:
    events = [each.event for each in recent.drain("test")]
    return [(each["event_type"], each["item_id"]) for each in events]


def test_an_open_and_a_click_become_events_of_the_customer(place, recent):
    counts, clock = Counts(), Clock()
    tracker = Tracker({WORKSPACE: place}, counts, clock)
    tracker.add(tap())
    tracker.add(tap("tea", 4))
    tracker.flush()
    assert told(recent) == []  # another worker may know more
    clock.now = SETTLED_S
    tracker.flush()
    opened, clicked = (each.event for each in recent.drain("test"))
    assert (opened["event_type"], opened["item_id"]) == ("open", None)
    assert (clicked["event_type"], clicked["item_id"]) == ("click", "tea")
    assert (clicked["campaign_id"], clicked["channel"]) == ("spring", "email")
    assert clicked["identifier"] == CUSTOMER.hex()
    assert clicked["occurred_at"] == "2017-12-04T00:00:04+00:00"
    assert orjson.loads(clicked["properties"]) == {
        "source": "landing", "decision_id": "01" * 16, "page_decision_id": "ab" * 16,
        "position": 1,
    }  # fmt: skip
    assert counts.taps == {("open", False): 1, ("click", False): 1}


def test_what_a_person_follows_counts_at_once_in_the_next_answer(place, recent, reader, published):
    tracker = Tracker({WORKSPACE: place}, Counts())
    for each in (tap(), tap("item-03", 4), tap("item-04", 8, "user_agent")):
        tracker.add(each)
    tracker.flush(at_once=True)
    found = reader.read("customer-001").recent
    assert [(each.event_type, each.item_id) for each in found] == [("click", "item-03")]


def test_a_scanner_that_reaches_two_workers_is_known_by_both(place, recent):
    first, second = (Tracker({WORKSPACE: place}, Counts(), Clock()) for _ in range(2))
    first.add(tap())
    first.add(tap("tea", 0.7))
    second.add(tap("milk", 0.9))
    first.flush()
    second.flush()
    first.flush(at_once=True)
    second.flush(at_once=True)
    assert told(recent) == [
        ("automated_open", None), ("automated_click", "tea"), ("automated_click", "milk"),
    ]  # fmt: skip


def test_a_page_that_only_a_known_program_opened_is_open_to_nobody(place, recent):
    tracker = Tracker({WORKSPACE: place}, Counts())
    tracker.add(tap(sign="user_agent"))
    tracker.add(tap("tea", 5))
    tracker.flush(at_once=True)
    assert told(recent) == [("automated_open", None), ("automated_click", "tea")]


def test_a_page_that_was_loaded_in_advance_may_be_tapped_on(place, recent):
    tracker = Tracker({WORKSPACE: place}, Counts())
    for each in (tap(sign="prefetch"), tap("milk", 4.9, "prefetch"), tap("tea", 5)):
        tracker.add(each)
    tracker.flush(at_once=True)
    assert told(recent)[-1] == ("click", "tea")


def test_a_reloaded_page_is_one_open_and_a_visit_next_day_another():
    same, later = event(tap()), event(tap(after_s=86_400))
    assert event(tap(after_s=60))["event_id"] == same["event_id"] != later["event_id"]
    assert event(tap(sign="head"))["event_id"] != same["event_id"]  # the person still counts


def test_while_the_store_is_away_taps_wait_and_then_arrive_once(place, recent):
    tracker = Tracker({WORKSPACE: Place(Away(), recent)}, Counts(), Clock())
    tracker.add(tap())
    for _ in range(3):
        tracker.flush(at_once=True)
    assert told(recent) == []
    tracker._places = {WORKSPACE: place}
    tracker.flush(at_once=True)
    tracker.flush(at_once=True)
    assert told(recent) == [("open", None)]


def test_more_than_there_is_room_for_is_lost_and_counted(monkeypatch):
    monkeypatch.setattr(tracking, "MOST_WAITING", 3)
    counts = Counts()
    tracker = Tracker({WORKSPACE: Place(Away(), Away())}, counts)
    for _ in range(5):
        tracker.add(tap())
    assert counts.missing == 2
    assert MOST_WAITING >= 1000


def test_bad_input_an_event_that_cannot_be_queued_stops_nothing(place, recent):
    counts = Counts()
    tracker = Tracker({WORKSPACE: place}, counts)
    tracker.add(tap())
    tracker.flush(at_once=True)
    tracker.add(tap("\ud800", 4))
    tracker.flush(at_once=True)
    tracker.add(tap("tea", 8))
    tracker.flush(at_once=True)
    assert (told(recent), counts.missing) == ([("open", None), ("click", "tea")], 1)


def test_a_surprise_does_not_end_the_thread(place, recent, monkeypatch, capsys):
    """Taps wait for the next round, which carries them."""
    tracker = Tracker({WORKSPACE: place}, Counts())
    monkeypatch.setattr(tracking, "TICK_S", 0.0)
    monkeypatch.setattr(logs, "_troubles", logs.Sampler(1))
    logs.configure("info")
    rounds: list[int] = []
    flush = tracker.flush

    def surprising() -> None:
        rounds.append(1)
        if len(rounds) == 1:
            raise KeyError("surprise")
        flush(at_once=True)
        raise SystemExit

    monkeypatch.setattr(tracker, "flush", surprising)
    tracker.add(tap())
    with pytest.raises(SystemExit):
        tracker._run()
    assert told(recent) == [("open", None)]
    (line,) = [json.loads(each) for each in capsys.readouterr().err.splitlines()]
    assert (line["event"], line["reason"]) == ("background work failed", "taps")
