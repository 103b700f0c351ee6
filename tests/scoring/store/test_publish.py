"""Publishing: all of the old or all of the new, and nothing left behind."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from scoring import columns as c
from scoring.snapshot import Snapshot
from scoring.store.client import Client, connect
from scoring.store.errors import PublishError, StoreUnavailable
from scoring.store.keys import Keys
from scoring.store.publish import Publisher
from scoring.store.read import Reader
from tests.conftest import SECRET, WORKSPACE
from tests.factories import CUTOFF, make_snapshot, tables

Publish = Callable[[Snapshot], str]


def generations_in(client: Client) -> set[str]:
    """Generations that any key but the register belongs to."""
    return {
        key.decode().rpartition(":")[2]
        for key in client.scan_iter("rs:*")
        if any(part in key for part in (b":c:", b":items:", b":related:", b":meta:"))
    }


def items_of(reader: Reader, customer: str) -> list[str]:
    return [scored.item.id for scored in reader.read(customer).items()]


def test_the_next_snapshot_takes_over_and_the_old_one_leaves(
    workspace_dir: Path, publisher: Publisher, reader: Reader, redis_client: Client
) -> None:
    old = make_snapshot(workspace_dir, "old", seed=1)
    new = make_snapshot(workspace_dir, "new", seed=2)
    publisher.publish(old, ttl_s=3600, now=CUTOFF)
    before = items_of(reader, "customer-001")
    generation = publisher.publish(new, ttl_s=3600, now=CUTOFF, grace_s=0)
    assert reader.read("customer-001").snapshot == "new"
    assert items_of(reader, "customer-001") != before
    assert generations_in(redis_client) == {generation}
    assert publisher.published() == ["new"]
    active = publisher.active()
    assert active is not None
    assert active == new.meta
    assert publisher.previous() == "old"


def test_the_old_snapshot_stays_a_minute_for_readers_who_still_load(
    workspace_dir: Path, publisher: Publisher, redis_client: Client
) -> None:
    first = publisher.publish(make_snapshot(workspace_dir, "a"), ttl_s=3600, now=CUTOFF)
    publisher.publish(make_snapshot(workspace_dir, "b"), ttl_s=3600, now=CUTOFF)
    lives = [redis_client.ttl(key) for key in redis_client.scan_iter(f"*:{first}")]
    assert lives
    assert max(lives) <= 60
    third = publisher.publish(make_snapshot(workspace_dir, "c"), ttl_s=3600, now=CUTOFF)
    assert first not in generations_in(redis_client)
    assert third in generations_in(redis_client)


def test_rolling_back_is_publishing_the_earlier_folder_again(
    workspace_dir: Path, publish: Publish, reader: Reader
) -> None:
    old = make_snapshot(workspace_dir, "old", seed=1)
    publish(old)
    before = items_of(reader, "customer-001")
    publish(make_snapshot(workspace_dir, "new", seed=2))
    publish(Snapshot.open(old.folder))
    assert reader.read("customer-001").snapshot == "old"
    assert items_of(reader, "customer-001") == before


def test_publishing_the_active_snapshot_again_changes_nothing_for_readers(
    workspace_dir: Path, publisher: Publisher, publish: Publish, reader: Reader
) -> None:
    publish(make_snapshot(workspace_dir, "old", seed=3))
    snapshot = make_snapshot(workspace_dir, "one")
    publish(snapshot)
    before = items_of(reader, "customer-001")
    publish(snapshot)
    assert items_of(reader, "customer-001") == before
    assert publisher.previous() == "old"


def test_workspaces_do_not_touch_each_other(
    workspace_dir: Path, tmp_path: Path, publish: Publish, redis_client: Client, reader: Reader
) -> None:
    publish(make_snapshot(workspace_dir, "mine"))
    theirs = make_snapshot(tmp_path / "theirs", "theirs", seed=9)
    for _ in range(2):
        Publisher(redis_client, "theirs", SECRET, tmp_path / "theirs").publish(
            theirs, ttl_s=60, now=CUTOFF, grace_s=0
        )
    assert reader.read("customer-001").snapshot == "mine"
    assert reader.read("customer-001").items()


def test_erased_customers_are_left_out(
    workspace_dir: Path, publisher: Publisher, reader: Reader
) -> None:
    content = tables(identifiers=[("device_id", "d", "customer-003")])
    publisher.publish(
        make_snapshot(workspace_dir, content=content),
        ttl_s=60,
        now=CUTOFF,
        without=[reader.hash_of("customer-003")],
    )
    assert not reader.read("customer-003").customer_known
    assert not reader.read("device_id:d").customer_known
    assert reader.read("customer-004").customer_known


def test_progress_ends_with_every_customer(
    workspace_dir: Path, publisher: Publisher, snapshot: Snapshot
) -> None:
    seen: list[tuple[str, int, int | None]] = []
    publisher.publish(snapshot, ttl_s=60, now=CUTOFF, progress=lambda *step: seen.append(step))
    assert seen[-1] == ("publish", 40, 40)


def test_nothing_is_active_before_the_first_publication(publisher: Publisher) -> None:
    assert publisher.active() is None
    assert publisher.previous() is None
    assert publisher.published() == []


def test_readers_see_the_old_or_the_new_snapshot_and_never_a_mixture(
    workspace_dir: Path, publisher: Publisher, redis_url: str
) -> None:
    snapshots = {name: make_snapshot(workspace_dir, name, seed=seed) for seed, name in
                 enumerate(("red", "blue", "green"))}  # fmt: skip
    expected = {
        (name, row[c.CUSTOMER_ID]): [f"item-{index:02d}" for index in row[c.ITEM_INDEX]]
        for name, snapshot in snapshots.items()
        for row in snapshot.scores().to_pylist()
    }
    publisher.publish(snapshots["red"], ttl_s=600, now=CUTOFF)
    stop = threading.Event()
    wrong: list[str] = []
    seen: set[str] = set()

    def read(reader: Reader) -> None:
        for number in itertools.cycle(range(40)):
            if stop.is_set():
                return
            customer = f"customer-{number:03d}"
            try:
                reading = reader.read(customer)
            except StoreUnavailable as problem:
                if problem.reason not in ("loading", "timeout", "open"):
                    wrong.append(problem.reason)
                continue
            found = [scored.item.id for scored in reading.items()]
            if found != expected[reading.snapshot, customer]:
                wrong.append(f"{reading.snapshot} {customer} {found}")
            seen.add(reading.snapshot)

    with connect(redis_url, send_time=True) as client:
        readers = [Reader(client, WORKSPACE, SECRET) for _ in range(2)] * 2
        threads = [threading.Thread(target=read, args=(reader,)) for reader in readers]
        for thread in threads:
            thread.start()
        for turn, name in enumerate(["blue", "green", "red"] * 6):
            publisher.publish(snapshots[name], ttl_s=600, now=CUTOFF, grace_s=turn % 2)
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert seen == {"red", "blue", "green"}


_PUBLISH_SLOWLY = """
    import sys, pathlib, datetime
    from scoring.snapshot import Snapshot
    from scoring.store import publish
    from scoring.store.client import connect
    url, folder, step = sys.argv[1:]
    publish.COMMANDS_A_TRIP = 8
    folder = pathlib.Path(folder)
    publisher = publish.Publisher(
        connect(url), "shop", {secret!r}, folder.parent.parent
    )
    def wait(*_):
        print("here", flush=True)
        sys.stdin.read()
    if step == "customers":
        progress = wait
    else:
        progress = lambda *_: None
        setattr(publisher, step, wait)
    publisher.publish(
        Snapshot.open(folder), ttl_s=600, now=datetime.datetime.now(datetime.UTC),
        progress=progress,
    )
"""


@pytest.mark.parametrize("step", ["_write_content", "customers", "_move_pointer", "_retire"])
def test_killed_while_publishing_readers_stay_on_one_snapshot_and_the_next_one_cleans_up(
    workspace_dir: Path,
    publisher: Publisher,
    reader: Reader,
    redis_client: Client,
    redis_url: str,
    step: str,
) -> None:
    publisher.publish(make_snapshot(workspace_dir, "old", seed=1), ttl_s=600, now=CUTOFF)
    before = items_of(reader, "customer-001")
    new = make_snapshot(workspace_dir, "new", seed=2)
    code = textwrap.dedent(_PUBLISH_SLOWLY.format(secret=SECRET))
    process = subprocess.Popen(
        [sys.executable, "-c", code, redis_url, str(new.folder), step],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stdin is not None
    assert process.stdout.readline() == b"here\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()
    if step == "_retire":  # the pointer had moved
        assert reader.read("customer-001").snapshot == "new"
    else:
        assert reader.read("customer-001").snapshot == "old"
        assert items_of(reader, "customer-001") == before
    assert len(generations_in(redis_client)) == 2 - (step == "_write_content")
    generation = publisher.publish(new, ttl_s=600, now=CUTOFF, grace_s=0)
    assert generations_in(redis_client) == {generation}
    assert reader.read("customer-001").snapshot == "new"


def test_two_publishers_wait_for_each_other(
    workspace_dir: Path, publisher: Publisher, redis_client: Client
) -> None:
    snapshots = [make_snapshot(workspace_dir, name) for name in ("a", "b")]
    threads = [
        threading.Thread(
            target=publisher.publish,
            args=(snapshot,),
            kwargs={"ttl_s": 600, "now": CUTOFF, "grace_s": 0},
        )
        for snapshot in snapshots
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    active = publisher.active()
    assert active is not None
    assert active.snapshot in ("a", "b")
    assert len(generations_in(redis_client)) == 1


def test_a_full_redis_refuses_and_readers_keep_the_old_snapshot(
    workspace_dir: Path, publisher: Publisher, reader: Reader, redis_client: Client
) -> None:
    publisher.publish(make_snapshot(workspace_dir, "old"), ttl_s=600, now=CUTOFF)
    used = redis_client.info("memory")["used_memory"]
    redis_client.config_set("maxmemory", used + 20_000)
    try:
        with pytest.raises(PublishError, match=r"Redis failed or refused.*maxmemory"):
            publisher.publish(
                make_snapshot(workspace_dir, "new", customers=900), ttl_s=600, now=CUTOFF
            )
    finally:
        redis_client.config_set("maxmemory", 0)
    assert reader.read("customer-001").snapshot == "old"
    assert len(generations_in(redis_client)) == 1


def test_bad_input_nan_scores_are_not_published(
    workspace_dir: Path, publisher: Publisher, reader: Reader, redis_client: Client
) -> None:
    publisher.publish(make_snapshot(workspace_dir, "old"), ttl_s=600, now=CUTOFF)
    content = tables(customers=2)
    nan = pa.array([float("nan"), 0.5], pa.float32())
    scores = content.scores.set_column(7, c.PURCHASE_PROBABILITY, nan)
    broken = make_snapshot(
        workspace_dir, "broken", content=type(content)(**{**vars(content), "scores": scores})
    )
    with pytest.raises(PublishError, match=r"broken cannot be published.*outside 0 to 1"):
        publisher.publish(broken, ttl_s=600, now=CUTOFF)
    assert reader.read("customer-001").snapshot == "old"
    assert len(generations_in(redis_client)) == 1


def test_bad_input_snapshot_whose_files_went_away(snapshot: Snapshot, publisher: Publisher) -> None:
    (snapshot.folder / "scores.parquet").unlink()
    with pytest.raises(PublishError, match="unreadable"):
        publisher.publish(snapshot, ttl_s=600, now=CUTOFF)


def test_redis_away_is_one_clear_error(snapshot: Snapshot, workspace_dir: Path) -> None:
    with connect(f"unix://{workspace_dir}/nobody.sock") as client:
        publisher = Publisher(client, WORKSPACE, SECRET, workspace_dir)
        started = time.monotonic()
        with pytest.raises(PublishError, match="Redis failed or refused"):
            publisher.publish(snapshot, ttl_s=600, now=CUTOFF)
        assert time.monotonic() - started < 10


def test_a_damaged_pointer_does_not_stop_the_next_publication(
    workspace_dir: Path, snapshot: Snapshot, publisher: Publisher, reader: Reader,
    redis_client: Client,
) -> None:  # fmt: skip
    publisher.publish(make_snapshot(workspace_dir, "old"), ttl_s=600, now=CUTOFF)
    redis_client.set(Keys(WORKSPACE).pointer, b"rubbish")
    assert publisher.active() is None
    publisher.publish(snapshot, ttl_s=600, now=CUTOFF)
    assert reader.read("customer-001").snapshot == snapshot.meta.snapshot
