"""Redis hung, killed, paused or away: quick failures, and personal answers at once afterwards."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rightsend.valkey import EmbeddedValkey
from scoring.store.client import connect
from scoring.store.errors import StoreUnavailable
from scoring.store.publish import Publisher
from scoring.store.read import Reader
from tests.conftest import SECRET, WORKSPACE
from tests.factories import CUTOFF, make_snapshot

RECOVERY_S = 2.0
SLOWEST_S = 1.0


@dataclass
class Shop:
    """A reader of a server of its own, and how long the slowest call took."""

    server: EmbeddedValkey
    reader: Reader
    publisher: Publisher
    slowest_s: float = 0.0
    reasons: set[str] = field(default_factory=set)

    def call(self, _number: int = 0) -> bool:
        """Whether the answer was personal."""
        started = time.monotonic()
        try:
            return bool(self.reader.read("customer-001").items())
        except StoreUnavailable as problem:
            self.reasons.add(problem.reason)
            return False
        finally:
            self.slowest_s = max(self.slowest_s, time.monotonic() - started)

    def recovers(self) -> bool:
        """Whether an answer is personal again within RECOVERY_S."""
        deadline = time.monotonic() + RECOVERY_S
        while time.monotonic() < deadline:
            if self.call():
                return True
        return False

    def pid(self) -> int:
        assert self.server._process is not None
        return self.server._process.pid


@pytest.fixture
def shop(own_valkey: EmbeddedValkey, workspace_dir: Path) -> Iterator[Shop]:
    with connect(own_valkey.url) as patient, connect(own_valkey.url, send_time=True) as hasty:
        publisher = Publisher(patient, WORKSPACE, SECRET, workspace_dir)
        publisher.publish(make_snapshot(workspace_dir), ttl_s=600, now=CUTOFF)
        shop = Shop(own_valkey, Reader(hasty, WORKSPACE, SECRET, workspace_dir), publisher)
        assert shop.call()
        yield shop


def test_hung_redis(shop: Shop) -> None:
    os.kill(shop.pid(), signal.SIGSTOP)
    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(shop.call, range(200)))
    os.kill(shop.pid(), signal.SIGCONT)
    assert shop.recovers()
    assert shop.slowest_s < SLOWEST_S
    assert "timeout" in shop.reasons


def test_killed_and_restarted_redis_keeps_what_was_published(shop: Shop) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(shop.call, range(50)))  # connections in the pool that will be dead
    os.kill(shop.pid(), signal.SIGKILL)
    assert shop.server._process is not None
    shop.server._process.wait()
    assert not any(shop.call() for _ in range(50))
    shop.server.start()
    shop.server.wait_ready()
    assert shop.recovers()
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(shop.call, range(50)))
    assert shop.slowest_s < SLOWEST_S
    assert "connection" in shop.reasons


def test_paused_redis(shop: Shop) -> None:
    with connect(shop.server.url) as client:
        client.client_pause(600, all=True)
    assert not shop.call()
    assert shop.recovers()
    assert shop.slowest_s < SLOWEST_S


def test_emptied_redis_is_no_snapshot_until_published_again(
    shop: Shop, workspace_dir: Path
) -> None:
    with connect(shop.server.url) as client:
        client.flushall()
    assert not shop.call()
    assert shop.reasons == {"no_snapshot"}
    shop.publisher.publish(make_snapshot(workspace_dir), ttl_s=600, now=CUTOFF)
    assert shop.call()


def test_redis_away_from_the_start(tmp_path: Path, workspace_dir: Path) -> None:
    with connect(f"unix://{tmp_path}/nobody.sock", send_time=True) as client:
        reader = Reader(client, WORKSPACE, SECRET, workspace_dir)
        reasons = []
        for _ in range(3):
            with pytest.raises(StoreUnavailable) as problem:
                reader.read("customer-001")
            reasons.append(problem.value.reason)
    assert reasons == ["connection", "open", "open"]


def test_redis_that_refuses_writes_still_answers(shop: Shop) -> None:
    with connect(shop.server.url) as client:
        client.config_set("maxmemory", 1)
    assert shop.call()


def test_an_unreachable_address_costs_no_more_than_the_connect_timeout(workspace_dir: Path) -> None:
    with connect("redis://192.0.2.1:6379", send_time=True) as client:  # RFC 5737: goes nowhere
        reader = Reader(client, WORKSPACE, SECRET, workspace_dir)
        started = time.monotonic()
        with pytest.raises(StoreUnavailable):
            reader.read("customer-001")
        assert time.monotonic() - started < SLOWEST_S
