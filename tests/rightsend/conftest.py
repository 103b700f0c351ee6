from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from rightsend import jobs
from rightsend.context import REDIS_VARIABLE, Context
from scoring.snapshot import Snapshot
from scoring.store.client import Client
from settings.workspace import WorkspaceSettings
from tests.factories import make_snapshot, tables
from tests.rightsend import shop


@pytest.fixture
def client(redis_client: Client) -> Client:
    """A client of an empty store."""
    return redis_client


@pytest.fixture
def context(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    """A small shop's installation whose store is empty; jobs of this process use it."""
    monkeypatch.setenv(REDIS_VARIABLE, redis_url)
    found = Context.load(shop.write(tmp_path / "shop"), tmp_path / "state")
    with jobs.installed(found):
        yield found


@pytest.fixture
def workspace(context: Context) -> WorkspaceSettings:
    return context.workspace()


@pytest.fixture
def snapshot_of(context: Context, workspace: WorkspaceSettings) -> Callable[..., Snapshot]:
    """Makes snapshots of random scores on disk."""

    def make(name: str, *, seed: int = 1, identifiers: Sequence = ()) -> Snapshot:
        folder = context.workspace_dir(workspace)
        content = tables(seed=seed, identifiers=identifiers)
        return make_snapshot(folder, name, content=content)

    return make
