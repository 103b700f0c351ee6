"""A real Valkey for every pytest worker, emptied before each test, and small snapshots."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from rightsend.valkey import EmbeddedValkey
from scoring.snapshot import Snapshot
from scoring.store.client import Client, connect
from scoring.store.publish import Publisher
from scoring.store.read import Reader
from tests.factories import CUTOFF, make_snapshot

hypothesis.settings.register_profile("noisy machine", deadline=None)
hypothesis.settings.load_profile("noisy machine")

WORKSPACE = "shop"
SECRET = b"a secret of thirty-two bytes ...."


@pytest.fixture(autouse=True)
def patient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine's store may answer late; tests of faults (``own_valkey``) keep the limit."""
    if "own_valkey" not in request.fixturenames:
        monkeypatch.setattr("scoring.store.wire.ANSWER_TIMEOUT_S", 3.0)
        monkeypatch.setattr("scoring.store.client.ANSWER_TIMEOUT_S", 3.0)


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """The worker's server. Do not stop it: tests of faults start one with ``own_valkey``."""
    server = EmbeddedValkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    server.wait_ready()
    yield server
    server.stop()


@pytest.fixture
def redis_url(valkey_server: EmbeddedValkey) -> str:
    """URL of an empty Valkey."""
    with connect(valkey_server.url) as client:
        client.flushall()
    return valkey_server.url


@pytest.fixture
def redis_client(redis_url: str) -> Iterator[Client]:
    """A patient client to an empty Valkey."""
    with connect(redis_url) as client:
        yield client


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A running server of this test alone, to be stopped, killed and started again."""
    server = EmbeddedValkey(tmp_path / "own-valkey")
    server.start()
    server.wait_ready()
    yield server
    server.stop()


@pytest.fixture
def workspace_dir(tmp_path: Path) -> Path:
    """Where the workspace ``shop`` keeps its files."""
    folder = tmp_path / "state" / "workspaces" / WORKSPACE
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def snapshot(workspace_dir: Path) -> Snapshot:
    """40 customers, 30 items, 5 brands, 4 categories; see tests.factories."""
    return make_snapshot(workspace_dir)


@pytest.fixture
def publisher(redis_client: Client, workspace_dir: Path) -> Publisher:
    return Publisher(redis_client, WORKSPACE, SECRET, workspace_dir)


@pytest.fixture
def publish(publisher: Publisher) -> Callable[[Snapshot], str]:
    """Publishes a snapshot for an hour."""
    return lambda snapshot: publisher.publish(snapshot, ttl_s=3600, now=CUTOFF)


@pytest.fixture
def reader(redis_url: str, workspace_dir: Path) -> Iterator[Reader]:
    """A send-time reader of the workspace ``shop``."""
    with connect(redis_url, send_time=True) as client:
        yield Reader(client, WORKSPACE, SECRET, workspace_dir)


@pytest.fixture
def published(snapshot: Snapshot, publish: Callable[[Snapshot], str]) -> Snapshot:
    """The small snapshot, published."""
    publish(snapshot)
    return snapshot
