"""From the stream to the lake, and what an erasure does to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from rightsend import clock, draining, erasure, jobs, nights, timekeeping
from rightsend.context import Context
from scoring.decision_ledger import FILE, GRACE_S
from scoring.decisions import Decisions
from scoring.delta import Delta
from scoring.store.client import Client
from scoring.store.decisions import Decision, command, pack_block
from scoring.store.erasure import erased_hashes
from scoring.store.keys import Keys
from scoring.store.stream import Stream
from settings.workspace import WorkspaceSettings
from tests.decisions import AT_S, decision

DAY_S = 86_400


@pytest.fixture
def queue(client: Client) -> Callable[..., None]:
    """Puts a block on the stream."""

    def call(first: int, *made: Decision, process: str = "p", ended: bool = False) -> None:
        block = pack_block(process, first, made, ended=ended)
        client.execute_command(*command(Keys("shop"), block))

    return call


@pytest.fixture
def table(context: Context, workspace: WorkspaceSettings) -> Decisions:
    return Decisions(context.workspace_dir(workspace))


def count(table: Decisions) -> int:
    return sum(pq.read_metadata(file.path).num_rows for file in table.files())


def today(context: Context, workspace: WorkspaceSettings, number: int = 0, **changes) -> Decision:
    return decision(number, at_s=context.now(workspace).timestamp(), **changes)


def test_decisions_reach_the_lake_once(context, workspace, client, queue, table) -> None:
    queue(0, today(context, workspace, 0), today(context, workspace, 1))
    queue(0, today(context, workspace, 0), today(context, workspace, 1))
    queue(2, ended=True)
    assert jobs.drain_decisions("shop") == {
        "blocks": 3, "added": 2, "known": 2, "erased": 0, "unreadable": 0, "late": 0, "lost": 0,
    }  # fmt: skip
    assert count(table) == 2
    assert Stream(client, Keys("shop").decisions).depth() == 0
    assert jobs.drain_decisions("shop")["blocks"] == 0


def test_a_worker_that_dies_before_it_acknowledges_doubles_nothing(
    context, workspace, queue, table, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    queue(0, today(context, workspace))
    with monkeypatch.context() as patch:
        patch.setattr(Stream, "acknowledge", killed)
        with pytest.raises(KeyboardInterrupt):
            draining.drain_decisions(context, workspace)
    again = draining.drain_decisions(context, workspace, claim_after_s=0)
    assert (again["blocks"], again["added"], again["known"]) == (1, 0, 1)
    assert count(table) == 1


def test_a_worker_that_dies_before_the_commit_loses_nothing(
    context, workspace, queue, table, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    queue(0, today(context, workspace))
    with monkeypatch.context() as patch:
        patch.setattr(Delta, "commit", killed)
        with pytest.raises(KeyboardInterrupt):
            draining.drain_decisions(context, workspace)
    assert draining.drain_decisions(context, workspace, claim_after_s=0)["added"] == 1
    assert count(table) == 1


def test_what_did_not_come_is_late_and_then_lost(context, workspace, queue) -> None:
    queue(0, today(context, workspace))
    queue(5, ended=True)
    at_s = AT_S
    drained = draining.drain_decisions(context, workspace, now_s=lambda: at_s)
    assert (drained["late"], drained["lost"]) == (4, 0)
    at_s += GRACE_S
    drained = draining.drain_decisions(context, workspace, now_s=lambda: at_s)
    assert (drained["late"], drained["lost"]) == (0, 4)


def test_bad_input_rubbish_in_the_stream_costs_itself_alone(
    context, workspace, client, queue, table
) -> None:
    key = Keys("shop").decisions
    client.xadd(key, {b"b": b"rubbish"})
    client.xadd(key, {b"x": b"y"})
    queue(0, today(context, workspace))
    assert jobs.drain_decisions("shop")["added"] == 1
    assert (count(table), client.xlen(key)) == (1, 0)


def test_old_decisions_go_and_the_nights_report_says_how_it_stands(
    context, workspace, queue, table
) -> None:
    now_s = context.now(workspace).timestamp()
    ages = (workspace.keep_decisions_days + 1, workspace.keep_decisions_days - 1, 0)
    queue(0, *(decision(n, at_s=now_s - age * DAY_S) for n, age in enumerate(ages)))
    assert jobs.drain_decisions("shop")["added"] == 3
    assert count(table) == 2
    assert nights.decisions(context, workspace) == {
        "logged": 3, "late": 0, "lost": 0, "processes": 1, "retired_days": 0, "compacted_days": 0,
    }  # fmt: skip


def test_a_damaged_ledger_stops_no_night(context, workspace, queue) -> None:
    queue(0, today(context, workspace))
    jobs.drain_decisions("shop")
    (context.workspace_dir(workspace) / "lake" / FILE).write_text("{")
    assert "restore it" in nights.decisions(context, workspace)["error"]


def test_an_erased_customer_leaves_the_lake_and_what_is_on_its_way_to_it(
    context, workspace, client, queue, table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rightsend.erasure._tell_host_tools", lambda *_: [])
    (gone,) = erased_hashes("shop", context.secret, [("external_id", "c01")])
    (other,) = erased_hashes("shop", context.secret, [("external_id", "c02")])
    queue(0, *(today(context, workspace, n, customer=who) for n, who in enumerate((gone, other))))
    jobs.drain_decisions("shop")
    queue(2, today(context, workspace, 2, customer=gone))
    assert erasure.erase(context, workspace, "c01")["rows"] == 1
    queue(3, today(context, workspace, 3, customer=gone))  # a web process still held it
    assert jobs.drain_decisions("shop")["erased"] == 1
    assert count(table) == 1
    assert client.xlen(Keys("shop").decisions) == 0
    for path in Path(context.settings.state_dir).rglob("*"):
        if path.is_file():
            text = path.read_bytes()
            if path.suffix == ".parquet":
                text += str(pq.read_table(path, partitioning=None).to_pydict()).encode()
            assert gone.hex().encode() not in text, path


def test_the_clock_asks_for_draining_where_something_waits(context, client, queue) -> None:
    jobs_of = context.queue("interactive")
    drain = timekeeping.decision_drainer(context)
    drain()
    assert jobs_of.get_job_ids() == []
    queue(0, decision())
    drain()
    drain()
    assert jobs_of.get_job_ids() == ["shop-drain-decisions"]
    assert clock.enqueue_drain("shop", jobs_of)  # that of events is another


def test_each_workspace_drains_its_own(context, workspace, client, queue, table) -> None:
    queue(0, today(context, workspace))
    client.execute_command(*command(Keys("other"), pack_block("p", 0, [decision()])))
    assert jobs.drain_decisions("shop")["added"] == 1
    assert client.xlen(Keys("other").decisions) == 1
    assert json.loads((context.workspace_dir(workspace) / "lake" / FILE).read_text())
