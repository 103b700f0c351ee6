"""A call's answer comes from the published snapshot and from the last events."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from scoring import columns as c
from scoring.snapshot import Snapshot
from scoring.store.breaker import HOLD_S, Breaker
from scoring.store.client import Client, connect
from scoring.store.errors import StoreUnavailable
from scoring.store.keys import Keys, bucket
from scoring.store.read import Reader
from scoring.store.wire import Line
from tests.conftest import SECRET, WORKSPACE
from tests.factories import make_snapshot, tables

Publish = Callable[[Snapshot], str]


def row_of(snapshot: Snapshot, number: int) -> dict[str, list[int]]:
    row: dict[str, list[int]] = snapshot.scores().slice(number, 1).to_pylist()[0]
    return row


def test_a_published_customer_gets_the_snapshots_scores_in_order(
    published: Snapshot, reader: Reader
) -> None:
    row = row_of(published, 3)
    reading = reader.read("customer-003")
    assert reading.customer_known
    assert reading.snapshot == published.meta.snapshot
    assert [s.item.id for s in reading.items()] == [f"item-{i:02d}" for i in row[c.ITEM_INDEX]]
    assert [s.score for s in reading.items()] == pytest.approx(row[c.ITEM_PROBABILITY], rel=0.03)
    assert [b for b, _ in reading.brands()] == [f"brand-{i}" for i in row[c.BRAND_INDEX]]
    assert [name for name, _ in reading.categories(2)] == [
        f"food > category-{i}" for i in row[c.CATEGORY_INDEX][:2]
    ]
    assert reading.record is not None
    assert reading.record.purchase_probability == pytest.approx(
        row[c.PURCHASE_PROBABILITY], rel=1e-3
    )


def test_every_customer_is_found(published: Snapshot, reader: Reader) -> None:
    for customer_id in published.scores()[c.CUSTOMER_ID].to_pylist():
        assert reader.read(customer_id).customer_known


def test_items_come_whole(published: Snapshot, reader: Reader) -> None:
    item = reader.published().item("item-07")
    assert item is not None
    assert item.to_json() == {
        "id": "item-07",
        "name": "Item 07",
        "brand": "brand-2",
        "category": "food > category-3",
        "price": 7.5,
        "image_url": "https://shop.example/item-07.jpg",
        "url": "https://shop.example/item-07",
    }
    assert item.margin == 1.875


def test_excluded_items_make_room_for_the_next(published: Snapshot, reader: Reader) -> None:
    reading = reader.read("customer-003")
    first, second, third, *_ = [scored.item.id for scored in reading.items()]
    assert [s.item.id for s in reading.items(2, exclude={first})] == [second, third]


def test_what_cannot_be_sold_is_never_shown(
    workspace_dir: Path, publish: Publish, reader: Reader
) -> None:
    content = tables()
    sellable = [number % 2 == 0 for number in range(30)]
    items = content.items.set_column(8, "sellable", pa.array(sellable))
    publish(make_snapshot(workspace_dir, content=replace(content, items=items)))
    reading = reader.read("customer-001")
    shown = [*reading.items(), *reading.published.popular(), *reading.published.related("item-01")]
    assert {int(scored.item.id[-2:]) % 2 for scored in shown} == {0}


def test_related_together_and_popular_are_those_of_the_snapshot(
    published: Snapshot, reader: Reader
) -> None:
    row = published.related().slice(4, 1).to_pylist()[0]
    snapshot = reader.published()
    wanted = [f"item-{index:02d}" for index in row["related_index"]]
    assert [s.item.id for s in snapshot.related("item-04")] == wanted
    assert [s.score for s in snapshot.related("item-04")] == pytest.approx(
        row["related_score"], rel=0.03
    )
    assert [s.item.id for s in snapshot.related("item-04", 2, exclude={wanted[0]})] == wanted[1:3]
    assert [s.item.id for s in snapshot.together("item-04")] == [
        f"item-{index:02d}" for index in row["together_index"]
    ]
    assert [s.item.id for s in snapshot.popular(3)] == ["item-00", "item-01", "item-02"]


def test_an_unknown_customer_and_an_unknown_item_have_nothing(
    published: Snapshot, reader: Reader
) -> None:
    reading = reader.read("nobody")
    assert not reading.customer_known
    assert reading.items() == reading.brands() == reading.categories() == []
    assert reading.published.related("nothing") == []
    assert reading.published.item("nothing") is None


def test_an_identifier_of_the_snapshot_finds_its_customer(
    workspace_dir: Path, publish: Publish, reader: Reader
) -> None:
    identifiers = [
        ("device_id", "phone-1", "customer-005"),
        ("external_id", "old-5", "customer-005"),
    ]
    publish(make_snapshot(workspace_dir, content=tables(identifiers=identifiers)))
    wanted = [scored.item.id for scored in reader.read("customer-005").items()]
    for identifier in ("device_id:phone-1", "old-5"):
        reading = reader.read(identifier)
        assert [scored.item.id for scored in reading.items()] == wanted
        assert reading.customer == reader.hash_of("customer-005")
    assert not reader.read("phone-1").customer_known  # a device id is no external id


def test_a_customer_is_found_by_hash_as_a_landing_link_does(
    published: Snapshot, reader: Reader
) -> None:
    by_hash = reader.read(reader.hash_of("customer-009"))
    assert [s.item for s in by_hash.items()] == [
        s.item for s in reader.read("customer-009").items()
    ]


def test_one_call_is_one_round_trip(
    published: Snapshot, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader.read("customer-001")
    trips = []
    ask = Line.ask

    def counted(line: Line, request: bytes, count: int) -> list[object]:
        trips.append(request)
        return ask(line, request, count)

    monkeypatch.setattr(Line, "ask", counted)
    reader.read("customer-002").items()
    assert len(trips) == 1


def test_only_items_that_occur_are_held_in_process(
    workspace_dir: Path, publish: Publish, reader: Reader
) -> None:
    content = tables(customers=1, items=30, per_customer=2)
    few = replace(content, related=content.related.slice(0, 0), popular=content.popular.slice(0, 3))
    publish(make_snapshot(workspace_dir, content=few))
    assert 3 <= len(reader.published().catalogue) <= 5


def test_redis_knows_no_customer_id(
    workspace_dir: Path, publish: Publish, redis_client: Client
) -> None:
    content = tables(identifiers=[("email_hash", "e-mail-of-5", "customer-005")])
    publish(make_snapshot(workspace_dir, content=content))
    text = b""
    for key in redis_client.scan_iter():
        text += key + redis_client.dump(key)
    assert b"customer-0" not in text
    assert b"e-mail-of-5" not in text


def test_everything_published_has_a_time_to_live(published: Snapshot, redis_client: Client) -> None:
    lives = {key: redis_client.ttl(key) for key in redis_client.scan_iter()}
    assert lives
    assert {key for key, ttl_s in lives.items() if not 3000 < ttl_s < 4 * 3600} == set()


def test_workspaces_and_installations_know_different_hashes(reader: Reader) -> None:
    client = connect("redis://127.0.0.1:1/0", send_time=True)
    others = (Reader(client, "other", SECRET), Reader(client, WORKSPACE, b"another secret"))
    hashes = {each.hash_of("customer-001") for each in (reader, *others)}
    assert len(hashes) == 3
    assert {len(digest) for digest in hashes} == {12}


def test_a_web_worker_loads_no_array_library() -> None:
    code = (
        "import sys, scoring.store.read, scoring.store.recent, scoring.store.segments,"
        " scoring.store.erasure, scoring.store.locks;"
        "print({'numpy', 'pyarrow', 'pandas'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_bad_input_nothing_published(reader: Reader) -> None:
    with pytest.raises(StoreUnavailable) as problem:
        reader.read("customer-001")
    assert problem.value.reason == "no_snapshot"


def test_a_store_that_has_nothing_published_is_not_away(
    redis_url: str, workspace_dir: Path
) -> None:
    """After a failure the first answer counts, also one that says that there is nothing to read."""
    now_s = [0.0]
    breaker = Breaker(clock=lambda: now_s[0])
    with connect(redis_url, send_time=True) as client:
        reader = Reader(client, WORKSPACE, SECRET, workspace_dir, breaker=breaker)
        breaker.failure()
        assert reader.away
        now_s[0] += HOLD_S
        for _ in range(3):
            with pytest.raises(StoreUnavailable) as problem:
                reader.read("customer-001")
            assert problem.value.reason == "no_snapshot"
        assert not reader.away


@pytest.mark.parametrize("rubbish", [b"", b"rubbish", b"\x01", b"\x81short", b"\x01" * 400])
def test_bad_input_rubbish_as_record_harms_that_customer_only(
    published: Snapshot, reader: Reader, redis_client: Client, rubbish: bytes
) -> None:
    customer = reader.hash_of("customer-001")
    generation = reader.published().generation
    key = Keys(WORKSPACE).customers(generation, bucket(customer))
    redis_client.hset(key, customer, rubbish)
    with pytest.raises(StoreUnavailable) as problem:
        reader.read("customer-001").items()
    assert problem.value.reason == "rubbish"
    assert reader.read("customer-002").items()


@pytest.mark.parametrize("rubbish", [b"", b"{", b"[]", b'{"a": 1}', b'{"generation": 1}'])
def test_bad_input_rubbish_as_pointer(
    published: Snapshot, reader: Reader, redis_client: Client, rubbish: bytes
) -> None:
    redis_client.set(Keys(WORKSPACE).pointer, rubbish)
    with pytest.raises(StoreUnavailable) as problem:
        reader.read("customer-001")
    assert problem.value.reason == "rubbish"


def test_bad_input_a_key_of_the_wrong_type(
    published: Snapshot, reader: Reader, redis_client: Client
) -> None:
    redis_client.set(Keys(WORKSPACE).recent(reader.hash_of("customer-001")), b"a string")
    with pytest.raises(StoreUnavailable) as problem:
        reader.read("customer-001")
    assert problem.value.reason == "error"
    assert reader.read("customer-002").items()


@pytest.mark.parametrize("name", ["items", "related", "meta"])
def test_bad_input_rubbish_in_the_catalogue_is_no_answer_until_published_again(
    snapshot: Snapshot, publish: Publish, reader: Reader, redis_client: Client, name: str
) -> None:
    generation = publish(snapshot)
    keys = Keys(WORKSPACE)
    damaged = {
        "items": keys.items(generation, 0),
        "related": keys.related(generation, 0),
        "meta": keys.meta(generation),
    }
    redis_client.set(damaged[name], b"rubbish")
    with pytest.raises(StoreUnavailable) as problem:
        reader.read("customer-001")
    assert problem.value.reason == "rubbish"
    publish(snapshot)
    assert reader.read("customer-001").items()


def test_bad_input_half_a_snapshot_is_no_answer(
    snapshot: Snapshot, publish: Publish, reader: Reader, redis_client: Client
) -> None:
    redis_client.delete(Keys(WORKSPACE).items(publish(snapshot), 0))
    with pytest.raises(StoreUnavailable) as problem:
        reader.read("customer-001")
    assert problem.value.reason == "loading"


def test_bad_input_strange_customer_ids_are_unknown_customers(
    published: Snapshot, reader: Reader
) -> None:
    for strange in ("", "\x00", "고객", "\ud800", "a" * 100_000, "{shop}", "* * *"):
        assert not reader.read(strange).customer_known
