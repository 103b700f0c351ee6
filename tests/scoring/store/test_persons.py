"""Whose device it is: linked with its history, separated again, read in one round trip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoring.snapshot import Snapshot
from scoring.store.client import Client, connect, round_trip
from scoring.store.errors import RecordError
from scoring.store.keys import Keys, customer_hash
from scoring.store.links import NOBODY, TTL_S, link_command, pack_link, unpack_link
from scoring.store.persons import Person, parse_person, person_command
from scoring.store.published import Pointer
from scoring.store.read import Reader
from scoring.store.recent import RecentEvents
from scoring.store.recent_list import MOST_LOOKS, RECENT_EVENTS
from scoring.store.recent_record import SENT_MESSAGES, unpack_recent
from tests.conftest import SECRET, WORKSPACE
from tests.factories import make_snapshot, tables

NOON = datetime(2017, 12, 4, 12, tzinfo=UTC)
KEYS = Keys(WORKSPACE)


def event(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "event_id": f"event-{number}",
        "occurred_at": NOON + timedelta(seconds=number),
        "identifier": "d",
        "identifier_kind": "device_id",
        "event_type": "view",
        "item_id": f"item-{number:02d}",
        **changes,
    }


def known(number: int, customer: str = "customer-001", **changes: Any) -> dict[str, Any]:
    """The customer on the device d."""
    who = {"identifier": customer, "identifier_kind": "external_id", "device_id": "d"}
    return event(number, **{**who, **changes})


def unlink(number: int) -> dict[str, Any]:
    return event(number, event_type="unlink", item_id=None)


@pytest.fixture
def events(redis_client: Client) -> RecentEvents:
    return RecentEvents(redis_client, WORKSPACE, SECRET)


@pytest.fixture
def linked(workspace_dir: Path, publish: Callable[[Snapshot], str]) -> str:
    """A snapshot that knows the device d as one of customer-001."""
    content = tables(identifiers=[("device_id", "d", "customer-001")])
    return publish(make_snapshot(workspace_dir, content=content))


@pytest.fixture
def hasty(redis_url: str) -> Iterator[Client]:
    with connect(redis_url, send_time=True) as client:
        yield client


def read(client: Client, customer: str, *, load: bool = True) -> Person:
    pointer: Any = client.get(KEYS.pointer)
    generation = Pointer.unpack(pointer).generation if pointer else ""
    asked = customer_hash(SECRET, WORKSPACE, customer)
    (answer,) = round_trip(
        client, [person_command(KEYS, generation, asked, RECENT_EVENTS, load=load)]
    )
    return parse_person(answer)


def items(person: Person) -> list[str]:
    return [unpack_recent(raw).item_id for raw in person.recent]


def test_an_identified_device_brings_its_history_at_once(
    published: Snapshot, events: RecentEvents, reader: Reader, redis_client: Client
) -> None:
    events.remember([event(1), event(2)])
    events.remember([known(3)])
    expected = ["item-03", "item-02", "item-01"]
    for customer in ("customer-001", "device_id:d"):
        assert [each.item_id for each in reader.read(customer).recent] == expected
        assert items(read(redis_client, customer)) == expected
        assert read(redis_client, customer).customer == reader.hash_of("customer-001")


def test_history_and_identification_in_one_batch(
    published: Snapshot, events: RecentEvents, reader: Reader
) -> None:
    events.remember([event(1), known(2, item_id=None, event_type="signup"), event(3)])
    recent = reader.read("customer-001").recent
    assert [each.item_id for each in recent] == ["item-03", "item-01"]


def test_what_a_device_did_for_its_first_owner_is_not_the_second_ones(
    published: Snapshot, events: RecentEvents, reader: Reader
) -> None:
    events.remember([event(1)])
    events.remember([known(2), event(3)])
    events.remember([known(4, "customer-002"), event(5)])
    of = {name: reader.read(name).recent for name in ("customer-001", "customer-002")}
    assert [each.item_id for each in of["customer-001"]] == ["item-03", "item-02", "item-01"]
    assert [each.item_id for each in of["customer-002"]] == ["item-05", "item-04"]


@pytest.mark.parametrize("together", [True, False])
def test_a_separated_device_is_nobodys(
    linked: str, events: RecentEvents, reader: Reader, redis_client: Client, together: bool
) -> None:
    batch = [known(1), event(2), unlink(3), event(4)]
    for part in [batch] if together else [[each] for each in batch]:
        events.remember(part)
    assert [each.item_id for each in reader.read("customer-001").recent] == ["item-02", "item-01"]
    reading, person = reader.read("device_id:d"), read(redis_client, "device_id:d")
    assert not reading.customer_known
    assert [each.item_id for each in reading.recent] == ["item-04"] == items(person)
    assert person.record is None
    events.remember([known(5, "customer-002")])  # and now it is somebody else's
    assert items(read(redis_client, "device_id:d")) == ["item-05", "item-04"]
    assert items(read(redis_client, "customer-001")) == ["item-02", "item-01"]


def test_a_customer_who_leaves_a_device_separates_it(
    linked: str, events: RecentEvents, redis_client: Client
) -> None:
    events.remember([known(1), known(2, event_type="unlink", item_id=None)])
    assert read(redis_client, "device_id:d").record is None
    assert items(read(redis_client, "customer-001")) == ["item-01"]


def test_the_snapshots_link_is_followed_and_the_lists_are_one(
    published: Snapshot,
    events: RecentEvents,
    workspace_dir: Path,
    publish: Callable[[Snapshot], str],
    redis_client: Client,
    reader: Reader,
) -> None:
    events.remember([event(1), event(4)])
    events.remember([known(2, device_id=None), known(3, device_id=None)])
    content = tables(identifiers=[("device_id", "d", "customer-001")])
    publish(make_snapshot(workspace_dir, name="later", content=content))
    person = read(redis_client, "device_id:d")
    assert items(person) == ["item-04", "item-03", "item-02", "item-01"]
    record = reader.read("customer-001").record
    assert record is not None
    assert person.record == record.raw


def test_a_long_history_is_cut(linked: str, events: RecentEvents, redis_client: Client) -> None:
    events.remember([known(number, device_id=None) for number in range(80)])
    newest = [f"item-{number:02d}" for number in range(79, 79 - MOST_LOOKS, -1)]
    assert items(read(redis_client, "device_id:d")) == newest


def test_of_two_lists_nothing_is_cut(
    workspace_dir: Path,
    publish: Callable[[Snapshot], str],
    published: Snapshot,
    events: RecentEvents,
    redis_client: Client,
) -> None:
    """What was bought is the oldest in both."""
    bought = {"event_type": "purchase"}
    events.remember([known(0, device_id=None, **bought), event(1, **bought)])
    events.remember([known(number, device_id=None) for number in range(2, 120, 2)])
    events.remember([event(number) for number in range(3, 120, 2)])
    content = tables(identifiers=[("device_id", "d", "customer-001")])
    publish(make_snapshot(workspace_dir, name="later", content=content))
    found = items(read(redis_client, "device_id:d"))
    assert found[:2] == ["item-119", "item-118"]
    assert found[-2:] == ["item-01", "item-00"]
    assert len(found) == 2 * MOST_LOOKS + 2


def test_messages_sent_are_counted_where_there_is_a_cap(
    published: Snapshot, redis_client: Client, hasty: Client, workspace_dir: Path
) -> None:
    sent = {"event_type": "message_sent", "item_id": None, "channel": "push"}
    capped = RecentEvents(redis_client, WORKSPACE, SECRET, counts_sent=True)
    capped.remember([known(1, **sent), event(2, **sent), known(2, event_id="same", **sent)])
    capped.remember([known(1, **sent)])  # once more
    at_s = [NOON.timestamp() + seconds for seconds in (2, 2, 1)]
    for customer in ("customer-001", "device_id:d"):
        counting = Reader(hasty, WORKSPACE, SECRET, workspace_dir, sends=SENT_MESSAGES)
        assert list(counting.read(customer).sent) == at_s
        assert Reader(hasty, WORKSPACE, SECRET, workspace_dir).read(customer).sent == ()
    RecentEvents(redis_client, WORKSPACE, SECRET).remember([known(3, **sent)])
    assert len(counting.read("customer-001").sent) == 3


def test_somebody_unknown_is_themselves(redis_client: Client) -> None:
    me = customer_hash(SECRET, WORKSPACE, "device_id:new")
    assert read(redis_client, "device_id:new") == Person(me, None, [])


def test_the_script_is_brought_along_once(redis_client: Client) -> None:
    redis_client.script_flush()
    with pytest.raises(redis.exceptions.NoScriptError):
        read(redis_client, "device_id:d", load=False)
    assert read(redis_client, "device_id:d") == read(redis_client, "device_id:d", load=False)


# late events


def owner(client: Client) -> bytes:
    return read(client, "device_id:d").customer


def test_a_late_event_gives_no_device_back(
    published: Snapshot, events: RecentEvents, reader: Reader, redis_client: Client
) -> None:
    for each in (known(1), unlink(5), known(7, "customer-002")):
        events.remember([each])
    events.remember([known(4)])  # of customer-001, sent once more
    assert owner(redis_client) == reader.hash_of("customer-002")
    assert reader.read("device_id:d").customer == reader.hash_of("customer-002")
    events.remember([event(8)])
    assert items(read(redis_client, "customer-002")) == ["item-08", "item-07"]
    assert items(read(redis_client, "customer-001")) == [
        "item-04",
        "item-01",
    ]  # its own all the same


def test_a_late_event_links_no_device_that_was_separated(
    linked: str, events: RecentEvents, reader: Reader, redis_client: Client
) -> None:
    for each in (known(1), unlink(5), event(6), known(4)):
        events.remember([each])
    assert owner(redis_client) == reader.hash_of("device_id:d")
    assert not reader.read("device_id:d").customer_known
    assert items(read(redis_client, "customer-001")) == ["item-04", "item-01"]
    assert items(read(redis_client, "device_id:d")) == ["item-06"]


@pytest.mark.parametrize("together", [True, False])
def test_a_late_unlink_separates_nobody_who_came_after(
    published: Snapshot,
    events: RecentEvents,
    reader: Reader,
    redis_client: Client,
    together: bool,
) -> None:
    events.remember([known(1), known(7, "customer-002")])
    late = [unlink(5), event(8)]
    for part in [late] if together else [[each] for each in late]:
        events.remember(part)
    assert owner(redis_client) == reader.hash_of("customer-002")
    assert items(read(redis_client, "customer-002")) == ["item-08", "item-07"]


def test_within_a_second_what_comes_last_counts(
    events: RecentEvents, reader: Reader, redis_client: Client
) -> None:
    """Some senders know no fractions of a second."""
    events.remember([known(1, occurred_at=NOON + timedelta(milliseconds=800))])
    events.remember([unlink(0)])
    assert owner(redis_client) == reader.hash_of("device_id:d")


def test_a_link_from_the_future_keeps_nobody_from_separating(
    events: RecentEvents, reader: Reader, redis_client: Client
) -> None:
    """Local time sent as UTC must not hold a device for hours."""
    events.remember([known(1, occurred_at=datetime.now(UTC) + timedelta(hours=9))])
    assert owner(redis_client) == reader.hash_of("customer-001")
    events.remember([unlink(0) | {"occurred_at": datetime.now(UTC)}])
    assert owner(redis_client) == reader.hash_of("device_id:d")


def test_a_newer_link_that_another_process_wrote_meanwhile_stays(redis_client: Client) -> None:
    device = customer_hash(SECRET, WORKSPACE, "device_id:d")
    one, other = b"1" * 12, b"2" * 12
    for who, at_s in ((one, 10), (other, 20), (NOBODY, 15), (one, 19)):
        round_trip(redis_client, [link_command(KEYS, device, pack_link(who, at_s))])
    assert unpack_link(redis_client.get(KEYS.alias(device))) == (other, 20)
    assert 0 < redis_client.ttl(KEYS.alias(device)) <= TTL_S


@pytest.mark.parametrize("old", ["customer-001", None])
def test_links_without_a_moment_are_read_and_give_way(
    linked: str, events: RecentEvents, reader: Reader, redis_client: Client, old: str | None
) -> None:
    mine = reader.hash_of(old) if old else NOBODY
    redis_client.set(KEYS.alias(reader.hash_of("device_id:d")), mine)
    now = mine or reader.hash_of("device_id:d")
    assert (owner(redis_client), reader.read("device_id:d").customer) == (now, now)
    events.remember([event(1)])
    assert items(read(redis_client, old or "device_id:d")) == ["item-01"]
    events.remember([known(2, "customer-002")])
    assert owner(redis_client) == reader.hash_of("customer-002")


def test_the_link_of_an_erased_customer_goes(events: RecentEvents, redis_client: Client) -> None:
    events.remember([known(1)])
    assert redis_client.exists(KEYS.alias(customer_hash(SECRET, WORKSPACE, "device_id:d")))
    events.forget([("external_id", "customer-001")])
    assert not redis_client.exists(KEYS.alias(customer_hash(SECRET, WORKSPACE, "device_id:d")))


STEPS = st.lists(
    st.sampled_from(["anonymous", "customer-001", "customer-002", "unlink"]), max_size=8
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(STEPS, st.booleans())
def test_one_round_trip_says_what_two_do(
    linked: str, redis_client: Client, reader: Reader, steps: list[str], together: bool
) -> None:
    for key in [*redis_client.keys(b"*:a:*"), *redis_client.keys(b"*:r:*")]:
        redis_client.delete(key)
    events = RecentEvents(redis_client, WORKSPACE, SECRET)
    batch = [
        event(n) if step == "anonymous" else unlink(n) if step == "unlink" else known(n, step)
        for n, step in enumerate(steps)
    ]
    for part in [batch] if together else [[each] for each in batch]:
        events.remember(part)
    for customer in ("device_id:d", "customer-001", "customer-002"):
        reading, person = reader.read(customer), read(redis_client, customer)
        assert person.customer == reading.customer
        assert (person.record is not None) == reading.customer_known
        assert [unpack_recent(raw) for raw in person.recent] == list(reading.recent)
    everything = [each for name in ("customer-001", "customer-002") for each in _of(reader, name)]
    if reader.read("device_id:d").customer == reader.hash_of("device_id:d"):
        everything += _of(reader, "device_id:d")
    assert sorted(everything) == [
        f"item-{number:02d}" for number, step in enumerate(steps) if step != "unlink"
    ]


def _of(reader: Reader, customer: str) -> list[str]:
    return [each.item_id for each in reader.read(customer).recent]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        [b"short", None, []],
        [b"x" * 12, 3, [], []],
        [b"x" * 12, None, [], [b"a", b"b"]],
        b"text",
    ],
)
def test_bad_input_an_answer_that_is_none(answer: Any) -> None:
    with pytest.raises(RecordError):
        parse_person(answer)


def test_bad_input_rubbish_where_the_link_stands(published: Snapshot, redis_client: Client) -> None:
    device = customer_hash(SECRET, WORKSPACE, "device_id:d")
    redis_client.set(KEYS.alias(device), b"rubbish")
    with pytest.raises(RecordError):
        read(redis_client, "device_id:d")


def test_bad_input_an_unlink_without_a_device(events: RecentEvents) -> None:
    with pytest.raises(RecordError, match="names no device"):
        events.remember([known(1, event_type="unlink", device_id=None)])
    assert events.depth() == 0
