from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from connectors.sandbox.app import CLOSE, create_app
from connectors.sandbox.client import Sandbox
from rightsend import jobs
from rightsend.context import REDIS_VARIABLE, Context, ports_file
from scoring.snapshot import Snapshot
from scoring.store.client import Client
from settings.workspace import WorkspaceSettings
from tests.connectors.servers import serving
from tests.factories import make_snapshot, tables
from tests.rightsend import shop


@pytest.fixture
def client(redis_client: Client) -> Client:
    """A client of an empty store."""
    return redis_client


@pytest.fixture
def connections() -> str:
    """The connections of the installation's workspace."""
    return shop.SANDBOX


@pytest.fixture
def context(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch, connections: str
) -> Iterator[Context]:
    """A small shop's installation whose store is empty; jobs of this process use it."""
    monkeypatch.setenv(REDIS_VARIABLE, redis_url)
    found = Context.load(shop.write(tmp_path / "shop", more=connections), tmp_path / "state")
    with jobs.installed(found):
        yield found


@pytest.fixture
def tool(context: Context) -> Iterator[Sandbox]:
    """The installation's sandbox, served by this process at the port that `up` would choose."""
    folder = context.settings.state_dir / "sandbox"
    app = create_app(folder, api_keys=[context.sandbox_key])
    with serving(app) as url:
        file = ports_file(context.settings.state_dir)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"sandbox": int(url.rsplit(":", 1)[1])}))
        fresh = Context.load(context.settings.file, context.settings.state_dir)
        with jobs.installed(fresh):
            yield Sandbox(url, context.sandbox_key)
    app.extensions[CLOSE]()


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
