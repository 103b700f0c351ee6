"""Live items on their way: into the lake within minutes, out of the store with a new snapshot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from rightsend import jobs, live_items, nights, publishing
from rightsend.context import Context
from rightsend.timekeeping import drainer
from scoring.importing import import_sources
from scoring.lake import Lake
from scoring.snapshot import Snapshot
from scoring.store.client import Client
from scoring.store.keys import Keys
from scoring.store.live import changes, remember
from settings.workspace import WorkspaceSettings
from tests.factories import CUTOFF

KEYS = Keys("shop")


def say(client: Client, item_id: str, got_s: float = 1.0, **facts: Any) -> None:
    remember(client, KEYS, [(item_id, facts, got_s)], got_s)


def quiet(_what: str, _done: int, _total: int | None = None) -> None:
    pass


@pytest.fixture
def stock(context: Context, workspace: WorkspaceSettings) -> Callable[[str], Any]:
    """What the lake says of an item's stock, after an import of the sources."""
    folder = context.workspace_dir(workspace)
    import_sources(workspace, folder, now=context.now(workspace), secret=context.secret)

    def find(item_id: str) -> Any:
        rows = Lake(folder / "lake").items().to_pyarrow().to_pylist()
        return {row["item_id"]: row["stock"] for row in rows}[item_id]

    return find


def test_the_worker_brings_them_and_then_waits_a_while(
    context: Context, workspace: WorkspaceSettings, client: Client, stock: Callable[[str], Any]
) -> None:
    say(client, "tea-1", stock=0)
    assert live_items.waiting(client, KEYS)
    jobs.drain_events("shop")
    assert stock("tea-1") == 0
    say(client, "tea-1", stock=8, got_s=2.0)
    jobs.drain_events("shop")
    assert stock("tea-1") == 0  # not a commit each five seconds
    client.delete(KEYS.live_pause)
    jobs.drain_events("shop")
    assert stock("tea-1") == 8
    assert live_items.bring_sometimes(context, workspace) is None


def test_the_clock_asks_for_it_without_any_event(context: Context, client: Client) -> None:
    drain = drainer(context)
    drain()
    assert len(context.queue("interactive")) == 0
    say(client, "tea-1", stock=0)
    drain()
    assert len(context.queue("interactive")) == 1


def test_an_import_does_not_put_a_withdrawn_item_on_sale(
    context: Context, workspace: WorkspaceSettings, client: Client, stock: Callable[[str], Any]
) -> None:
    say(client, "tea-1", sellable=False)
    live_items.bring(context, workspace)
    products = context.settings.file.parent / "products.csv"
    products.write_text(products.read_text().replace("tea no. 1", "Tea 1"))  # the catalogue is new
    folder = context.workspace_dir(workspace)
    import_sources(workspace, folder, now=context.now(workspace), secret=context.secret)
    assert stock("tea-1") is None
    live_items.bring(context, workspace)
    assert stock("tea-1") == 0


def test_a_new_snapshot_takes_over_what_it_knows(
    context: Context,
    workspace: WorkspaceSettings,
    client: Client,
    stock: Callable[[str], Any],
    snapshot_of: Callable[..., Snapshot],
) -> None:
    before, after = ((CUTOFF + timedelta(seconds=seconds)).timestamp() for seconds in (-60, 60))
    say(client, "tea-1", before, stock=0)
    say(client, "tea-2", before, sellable=False)
    live_items.bring(context, workspace)
    say(client, "cup-1", before, stock=0)  # not in the lake yet
    say(client, "cup-2", after, stock=0)
    publishing.publish(context, workspace, snapshot_of("20171204T000000"), quiet)
    assert set(changes(client, KEYS, 0).items) == {"tea-2", "cup-1", "cup-2"}


def test_a_night_knows_what_was_said_a_moment_before(
    context: Context,
    workspace: WorkspaceSettings,
    client: Client,
    stock: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    say(client, "tea-1", stock=0)
    found: dict[str, Any] = {}

    def until_imported(night: Any) -> Any:
        night.bring_live()
        found["stock"] = stock("tea-1")
        raise RuntimeError("the night is over for this test")

    monkeypatch.setattr("rightsend.nights.nightly.run", until_imported)
    with pytest.raises(RuntimeError, match="over for this test"):
        nights.run(context, workspace, quiet)
    assert found == {"stock": 0}
