"""Events of now: on the queue until acknowledged, and in the customer's answer at once."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rightsend.valkey import EmbeddedValkey
from scoring.columns import EVENT_TYPES
from scoring.snapshot import Snapshot
from scoring.store.client import Client, connect
from scoring.store.errors import RecordError
from scoring.store.keys import Keys
from scoring.store.read import Reader
from scoring.store.recent import RecentEvents
from scoring.store.recent_list import KEPT_S, LOOK_S, MOST_KEPT, MOST_LOOKS, RECENT_EVENTS
from scoring.store.recent_record import RecentEvent, pack_recent, unpack_recent
from tests.conftest import SECRET, WORKSPACE
from tests.factories import make_snapshot, tables

NOON = datetime(2017, 12, 4, 12, tzinfo=UTC)


def event(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "event_id": f"event-{number}",
        "occurred_at": NOON + timedelta(seconds=number),
        "identifier": "customer-001",
        "identifier_kind": "external_id",
        "event_type": "purchase",
        "item_id": f"item-{number:02d}",
        **changes,
    }


@pytest.fixture
def events(redis_client: Client) -> RecentEvents:
    return RecentEvents(redis_client, WORKSPACE, SECRET)


def test_what_happened_is_in_the_next_answer_newest_first(
    published: Snapshot, events: RecentEvents, reader: Reader
) -> None:
    events.remember([event(2), event(1, event_type="view")])
    assert list(reader.read("customer-001").recent) == [
        RecentEvent("purchase", "item-02", int(NOON.timestamp()) + 2),
        RecentEvent("view", "item-01", int(NOON.timestamp()) + 1),
    ]
    assert reader.read("customer-001").recent[0].occurred_at == NOON + timedelta(seconds=2)
    assert reader.read("customer-002").recent == ()


def test_an_unknown_customers_events_count_too(
    published: Snapshot, events: RecentEvents, reader: Reader
) -> None:
    events.remember([event(identifier="new here")])
    reading = reader.read("new here")
    assert not reading.customer_known
    assert [recent.item_id for recent in reading.recent] == ["item-00"]


def test_the_same_event_twice_is_there_once(
    published: Snapshot, events: RecentEvents, reader: Reader
) -> None:
    events.remember([event(1), event(1)])
    events.remember([event(1)])
    assert len(reader.read("customer-001").recent) == 1


def test_two_views_in_the_same_second_are_two(
    published: Snapshot, events: RecentEvents, reader: Reader
) -> None:
    events.remember([event(1), event(1, event_id="another")])
    assert len(reader.read("customer-001").recent) == 2


@pytest.mark.parametrize(
    ("kind", "most", "life_s"),
    [("view", MOST_LOOKS, LOOK_S), ("purchase", MOST_KEPT, KEPT_S), ("cart", MOST_KEPT, KEPT_S)],
)
def test_the_list_keeps_the_newest_events_and_does_not_stay_for_ever(
    published: Snapshot,
    events: RecentEvents,
    reader: Reader,
    redis_client: Client,
    kind: str,
    most: int,
    life_s: int,
) -> None:
    events.remember([event(number, event_type=kind) for number in range(most + 10)])
    recent = reader.read("customer-001").recent
    assert len(recent) == most
    assert recent[-1].item_id == "item-10"
    ttl_s = redis_client.ttl(Keys(WORKSPACE).recent(reader.hash_of("customer-001")))
    assert life_s - 60 < ttl_s <= life_s


def test_looks_do_not_push_a_purchase_or_the_cart_out(
    published: Snapshot, events: RecentEvents, reader: Reader
) -> None:
    events.remember([event(0), event(1, event_type="cart")])
    for start in range(2, 302, 60):
        events.remember([event(n, event_type="view") for n in range(start, start + 60)])
    recent = reader.read("customer-001").recent
    assert [each.event_type for each in recent[-2:]] == ["cart", "purchase"]
    assert [each.item_id for each in recent[:2]] == ["item-301", "item-300"]
    assert len(recent) == MOST_LOOKS + 2


def test_purchases_leave_room_for_what_is_looked_at_now(
    published: Snapshot, events: RecentEvents, reader: Reader
) -> None:
    events.remember([event(number) for number in range(60)])
    events.remember([event(60 + n, event_type="view") for n in range(60)])
    kinds = [each.event_type for each in reader.read("customer-001").recent]
    assert kinds == ["view"] * (RECENT_EVENTS - MOST_KEPT) + ["purchase"] * MOST_KEPT


def test_the_list_lasts_as_long_as_what_is_in_it(
    published: Snapshot, events: RecentEvents, reader: Reader, redis_client: Client
) -> None:
    key = Keys(WORKSPACE).recent(reader.hash_of("customer-001"))
    days = [timedelta(days=number) for number in range(100)]
    events.remember([event(0), event(1, event_type="view")])
    events.remember([event(2, event_type="view", occurred_at=NOON + days[80])])
    assert [each.event_type for each in reader.read("customer-001").recent] == ["view", "purchase"]
    assert 10 * 86_400 - 60 < redis_client.ttl(key) <= 10 * 86_400
    events.remember([event(3, event_type="view", occurred_at=NOON + days[91])])
    assert [each.item_id for each in reader.read("customer-001").recent] == ["item-03"]
    assert LOOK_S - 60 < redis_client.ttl(key) <= LOOK_S


def test_a_shops_clock_that_is_ahead_makes_nothing_old(
    published: Snapshot, events: RecentEvents, reader: Reader
) -> None:
    now = datetime.now(UTC)
    events.remember([event(0, occurred_at=now), event(1, occurred_at=now, event_type="view")])
    events.remember([event(2, occurred_at=now + timedelta(days=365))])
    assert len(reader.read("customer-001").recent) == 3


WHAT_IS_DONE = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from(["view", "view", "view", "interest", "cart", "purchase"]),
            st.integers(0, 100 * 24),
        ),
        max_size=80,
    ),
    max_size=4,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(WHAT_IS_DONE, st.data())
def test_no_purchase_goes_within_its_time_while_there_are_looks(
    published: Snapshot,
    redis_client: Client,
    reader: Reader,
    batches: list[list[tuple[str, int]]],
    data: st.DataObject,
) -> None:
    """In whatever order and however often they come."""
    redis_client.delete(Keys(WORKSPACE).recent(reader.hash_of("customer-001")))
    events = RecentEvents(redis_client, WORKSPACE, SECRET)
    sent = [
        [
            event(
                at, event_id=f"{one}-{n}", event_type=kind, occurred_at=NOON + timedelta(hours=at)
            )
            for n, (kind, at) in enumerate(batch)
        ]
        for one, batch in enumerate(batches)
    ]
    for batch in sent:
        events.remember(batch)
    whole = reader.read("customer-001").recent
    everything = [each for batch in sent for each in batch]
    newest = max((each["occurred_at"] for each in everything), default=NOON)
    kept = sorted(
        (
            each["occurred_at"]
            for each in everything
            if each["event_type"] in ("cart", "purchase")
            and newest - each["occurred_at"] <= timedelta(seconds=KEPT_S)
        ),
        reverse=True,
    )
    there = [each.occurred_at for each in whole if each.event_type in ("cart", "purchase")]
    assert there == kept[:MOST_KEPT]
    assert len(whole) <= RECENT_EVENTS
    for batch in data.draw(st.permutations(sent)):
        events.remember(batch)
    again = reader.read("customer-001").recent
    assert [e.at_s for e in again if e.event_type in ("cart", "purchase")] == [
        e.at_s for e in whole if e.event_type in ("cart", "purchase")
    ]
    assert len(again) <= RECENT_EVENTS


def test_a_devices_events_belong_to_its_customer(
    workspace_dir: Path, publish: Callable[[Snapshot], str], events: RecentEvents, reader: Reader
) -> None:
    publish(
        make_snapshot(
            workspace_dir, content=tables(identifiers=[("device_id", "old", "customer-001")])
        )
    )
    events.remember([event(1, device_id="new")])  # from now on the device is known, too
    for number, device in ((2, "old"), (3, "new")):
        events.remember([event(number, identifier=device, identifier_kind="device_id")])
    for customer in ("customer-001", "device_id:old", "device_id:new"):
        reading = reader.read(customer)
        assert reading.customer_known
        assert [recent.item_id for recent in reading.recent] == ["item-03", "item-02", "item-01"]


def test_an_unknown_devices_events_are_its_own_until_it_is_identified(
    published: Snapshot, events: RecentEvents, reader: Reader
) -> None:
    events.remember([event(1, identifier="d", identifier_kind="device_id")])
    assert not reader.read("device_id:d").customer_known
    assert [recent.item_id for recent in reader.read("device_id:d").recent] == ["item-01"]
    events.remember([event(2, device_id="d")])
    reading = reader.read("device_id:d")
    assert reading.customer_known
    assert [recent.item_id for recent in reading.recent] == ["item-02", "item-01"]


def test_events_without_an_item_are_queued_only(
    published: Snapshot, events: RecentEvents, reader: Reader
) -> None:
    events.remember([event(1, event_type="app_open", item_id=None)])
    assert events.depth() == 1
    assert reader.read("customer-001").recent == ()


def test_the_queue_gives_events_until_they_are_acknowledged(events: RecentEvents) -> None:
    events.remember([event(number) for number in range(5)])
    first = events.drain("a", 3)
    second = events.drain("a", 10)
    assert [q.event["event_id"] for q in (*first, *second)] == [f"event-{n}" for n in range(5)]
    assert first[0].event == {**event(0), "occurred_at": "2017-12-04T12:00:00+00:00"}
    assert events.drain("a") == []
    events.acknowledge([queued.entry for queued in first])
    assert events.depth() == 2
    again = events.drain("b", claim_after_s=0)  # the worker "a" died
    assert [queued.event["event_id"] for queued in again] == ["event-3", "event-4"]
    events.acknowledge([queued.entry for queued in again])
    assert events.depth() == 0
    assert events.drain("b", claim_after_s=0) == []


def test_more_than_one_trip_takes(events: RecentEvents) -> None:
    events.remember([event(number) for number in range(2500)])
    queued = events.drain("a", 2300)
    assert [each.event["event_id"] for each in queued] == [f"event-{n}" for n in range(2300)]
    events.acknowledge([each.entry for each in queued])
    assert events.depth() == 200
    assert len(events.drain("a", 2300)) == 200


def test_a_dead_workers_share_is_taken_over_at_once(events: RecentEvents) -> None:
    events.remember([event(number) for number in range(2500)])
    assert len(events.drain("dead", 2400)) == 2400
    again = events.drain("b", 5000, claim_after_s=0)
    assert [each.event["event_id"] for each in again] == [f"event-{n}" for n in range(2500)]


def test_what_is_acknowledged_is_deleted_in_the_same_step(
    events: RecentEvents, redis_client: Client
) -> None:
    events.remember([event(1)])
    (queued,) = events.drain("a")
    redis_client.config_resetstat()
    events.acknowledge([queued.entry])
    calls = {name: stats["calls"] for name, stats in redis_client.info("commandstats").items()}
    assert (calls["cmdstat_xack"], calls["cmdstat_xdel"], calls["cmdstat_exec"]) == (1, 1, 1)


def test_consumers_that_are_done_are_forgotten(events: RecentEvents, redis_client: Client) -> None:
    events.remember([event(1)])
    for consumer in ("a", "b", "c"):
        taken = events.drain(consumer)
        assert events.drain(consumer) == []
        if consumer == "b":
            events.acknowledge([queued.entry for queued in taken])
    left = redis_client.xinfo_consumers(Keys(WORKSPACE).stream, "lake")
    assert [consumer["name"] for consumer in left] == [b"a"]  # it still owes event-1
    assert len(events.drain("d", claim_after_s=0)) == 1


def test_nothing_to_remember_and_nothing_to_acknowledge(events: RecentEvents) -> None:
    events.remember([])
    events.acknowledge([])
    assert events.depth() == 0
    assert events.drain("a") == []


def test_queued_events_survive_a_killed_server(own_valkey: EmbeddedValkey) -> None:
    with connect(own_valkey.url) as client:
        events = RecentEvents(client, WORKSPACE, SECRET)
        events.remember([event(number) for number in range(100)])
        assert len(events.drain("a", 40)) == 40
        assert own_valkey._process is not None
        own_valkey._process.kill()
        own_valkey._process.wait()
        own_valkey.start()
        own_valkey.wait_ready()
        rest = [*events.drain("b", 1000, claim_after_s=0)]
        assert len({queued.event["event_id"] for queued in rest}) == 100


def test_what_the_queue_cannot_take_is_not_acknowledged(
    events: RecentEvents, redis_client: Client
) -> None:
    redis_client.config_set("maxmemory", 1)
    try:
        with pytest.raises(redis.RedisError):
            events.remember([event()])
    finally:
        redis_client.config_set("maxmemory", 0)
    assert events.depth() == 0


def test_a_time_may_be_text(published: Snapshot, events: RecentEvents, reader: Reader) -> None:
    events.remember([event(occurred_at="2017-12-04T21:00:00+09:00")])
    assert reader.read("customer-001").recent[0].occurred_at == NOON


def test_bad_input_rubbish_on_the_queue_goes_to_the_lakes_quarantine(
    events: RecentEvents, redis_client: Client
) -> None:
    for rubbish in (b"{", b"[]", b"\xff"):
        redis_client.xadd(Keys(WORKSPACE).stream, {"e": rubbish})
    redis_client.xadd(Keys(WORKSPACE).stream, {"other": "x"})
    raws = [queued.event for queued in events.drain("a")]
    assert raws == [{"raw": "{"}, {"raw": "[]"}, {"raw": "\ufffd"}, {"raw": ""}]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"event_id": None}, "no event_id"),
        ({"identifier": ""}, "no identifier"),
        ({"identifier_kind": None}, "no identifier"),
        ({"occurred_at": None}, "no usable occurred_at"),
        ({"occurred_at": "yesterday"}, "no usable occurred_at"),
        ({"occurred_at": datetime(1960, 1, 1, tzinfo=UTC)}, "out of range"),
        ({"item_id": "\ud800"}, "no valid text"),
        ({"item_id": None, "channel": "\ud800"}, "cannot be written as JSON"),
        ({"event_type": "dance"}, "unknown event type 'dance'"),
    ],
)
def test_bad_input_event_is_refused_with_its_whole_batch(
    events: RecentEvents, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(RecordError, match=says):
        events.remember([event(1), event(2, **changes)])
    assert events.depth() == 0


NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.builds(
        RecentEvent,
        st.sampled_from(EVENT_TYPES),
        st.text(max_size=40),
        st.integers(0, 2**32 - 1),
        NUMBERS,
        NUMBERS,
    )
)
def test_a_recent_event_is_packed_and_unpacked(recent: RecentEvent) -> None:
    assert unpack_recent(pack_recent(recent, "id")) == recent


def test_what_an_older_version_wrote_is_still_read() -> None:
    raw = struct.pack("<BBI4s", 1, EVENT_TYPES.index("cart"), 1_512_388_800, b"abcd") + b"item-1"
    assert unpack_recent(raw) == RecentEvent("cart", "item-1", 1_512_388_800, None, None)


def test_an_answer_knows_price_and_quantity(
    published: Snapshot, events: RecentEvents, reader: Reader
) -> None:
    events.remember([event(1, event_type="cart", quantity=2.0, unit_price=1.99)])
    (recent,) = reader.read("customer-001").recent
    assert (recent.price, recent.quantity) == (1.99, 2.0)


def test_within_a_second_the_later_event_is_the_newer_one(
    published: Snapshot, events: RecentEvents, reader: Reader
) -> None:
    for number in range(8):  # in any order of their ids
        put = event(1, event_id=f"put-{number}", event_type="cart", quantity=1.0)
        took = event(1, event_id=f"took-{number}", event_type="cart", quantity=0.0)
        took["occurred_at"] += timedelta(milliseconds=500)
        events.remember([took, put])
        assert reader.read("customer-001").recent[0].quantity == 0.0


@given(st.binary(max_size=30))
def test_bad_input_rubbish_as_recent_event(raw: bytes) -> None:
    try:
        unpack_recent(raw)
    except RecordError:
        return
    assert raw[0] in (1, 2)
