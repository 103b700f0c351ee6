"""An erased person is nowhere in Redis."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from scoring.store.client import Client
from scoring.store.erasure import erase, erased_hashes
from scoring.store.publish import Publisher
from scoring.store.read import Reader
from scoring.store.recent import RecentEvents
from tests.conftest import SECRET, WORKSPACE
from tests.factories import CUTOFF, make_snapshot, tables

PERSON = [("external_id", "customer-003"), ("device_id", "phone-3"), ("device_id", "tablet-3")]


def dump(client: Client) -> bytes:
    """Everything that Redis holds, keys and values, hashes and identifiers alike."""
    text = b""
    for key in client.scan_iter():
        kind = client.type(key)
        values = {
            b"hash": client.hgetall,
            b"stream": client.xrange,
            b"zset": lambda key: client.zrange(key, 0, -1),
        }
        value = values[kind](key) if kind in values else client.get(key)
        text += key + repr(value).encode()
    return text


def test_nothing_of_an_erased_person_remains(
    workspace_dir: Path, publisher: Publisher, redis_client: Client, reader: Reader
) -> None:
    identifiers = [(kind, text, "customer-003") for kind, text in PERSON[1:2]]
    content = tables(identifiers=[*identifiers, ("device_id", "phone-4", "customer-004")])
    for name in ("old", "new"):  # the old one is still there for a minute
        snapshot = make_snapshot(workspace_dir, name, content=content)
        publisher.publish(snapshot, ttl_s=600, now=CUTOFF)
    events = RecentEvents(redis_client, WORKSPACE, SECRET, counts_sent=True)
    event = {
        "occurred_at": datetime(2017, 12, 4, tzinfo=UTC),
        "event_type": "view",
        "item_id": "item-01",
        "identifier_kind": "external_id",
    }
    events.remember([
        {**event, "event_id": "1", "identifier": "customer-003", "device_id": "tablet-3"},
        {**event, "event_id": "2", "identifier": "phone-3", "identifier_kind": "device_id"},
        {**event, "event_id": "3", "identifier": "customer-004"},
        {**event, "event_id": "4", "identifier": "customer-003", "event_type": "message_sent"},
        {**event, "event_id": "5", "identifier": "customer-003", "device_id": "not in the lake"},
    ])  # fmt: skip
    hashes = erased_hashes(WORKSPACE, SECRET, PERSON)
    before = dump(redis_client)
    assert b"customer-003" in before
    assert all(repr(digest)[2:-1].encode() in before for digest in hashes[:1])

    assert erase(redis_client, WORKSPACE, SECRET, PERSON) == 12
    after = dump(redis_client)
    for kind, text in PERSON:
        assert text.encode() not in after, (kind, text)
    for digest in hashes:
        assert digest.hex().encode() not in after
        assert repr(digest)[2:-1].encode() not in after
    assert not reader.read("customer-003").customer_known
    assert not reader.read("device_id:phone-3").customer_known
    assert reader.read("device_id:phone-4").customer_known
    left = redis_client.scan_iter()
    assert not [key for key in left if b":a:" in key or b":s:" in key]
    assert [q.event["event_id"] for q in events.drain("worker")] == ["3"]


def test_erasing_again_or_nobody_removes_nothing(redis_client: Client, published: object) -> None:
    assert erase(redis_client, WORKSPACE, SECRET, [("external_id", "nobody")]) == 0
    assert erase(redis_client, WORKSPACE, SECRET, []) == 0
    assert erase(redis_client, WORKSPACE, SECRET, PERSON[:1]) == 1
    assert erase(redis_client, WORKSPACE, SECRET, PERSON[:1]) == 0


def test_a_long_queue_is_searched_to_its_end(redis_client: Client) -> None:
    events = RecentEvents(redis_client, WORKSPACE, SECRET)
    events.remember([
        {
            "event_id": str(number),
            "occurred_at": CUTOFF,
            "event_type": "app_open",
            "identifier": f"customer-{number % 3:03d}",
            "identifier_kind": "external_id",
        }
        for number in range(2500)
    ])  # fmt: skip
    assert events.forget([("external_id", "customer-001")]) == 833
    assert events.depth() == 1667
