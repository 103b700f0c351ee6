from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.delivery import Runtime
from rightsend import draining, jobs, publishing, segments
from rightsend.context import Context
from rightsend.errors import RightsendError
from rightsend.nights import NIGHTLY_LOCK
from rightsend.store_process import flock
from scoring.importing import import_sources
from scoring.lake import Lake
from scoring.snapshot import Snapshot
from scoring.store.keys import Keys
from scoring.store.read import Reader
from scoring.store.recent import RecentEvents
from settings.workspace import WorkspaceSettings

REQUEST = {
    "name": "Tea lovers",
    "target": {"categories": ["tea"]},
    "size": {"count": 3},
}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Delivery tries as often as ever, without waiting in between."""
    monkeypatch.setattr("connectors.delivery.Runtime", lambda: Runtime(sleep=lambda _: None))


def quiet(_what: str, _done: int, _total: int | None = None) -> None:
    pass


@pytest.fixture(autouse=True)
def without_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snapshots of random scores have no model to forget somebody."""
    monkeypatch.setattr("rightsend.erasure.forget", lambda *_: None)


@dataclass
class FakeResult:
    members: pa.Table
    summary: dict[str, Any]


@pytest.fixture
def select(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Replaces the ranking by customers 0, 1, 2, the last of them as control; notes its calls."""
    calls: list[dict[str, Any]] = []

    def selected(folder, request, lake, workspace, *, now, progress, secret) -> FakeResult:
        calls.append({"folder": folder, "request": request, "now": now})
        progress("rank", 1, 2)
        rows = [
            {"customer_id": f"customer-{n:03d}", "rank": n + 1, "probability": 0.5, "arm": arm}
            for n, arm in enumerate(("treatment", "treatment", "control"))
        ]
        members = pa.Table.from_pylist(rows, schema=segments.MEMBERS)
        return FakeResult(members, {"customers": 3})

    monkeypatch.setattr(segments.selection, "select", selected)
    return calls


def new_segment(context: Context, workspace: WorkspaceSettings) -> str:
    job, _ = segments.jobs_of(context, workspace).create(REQUEST, now=context.now(workspace))
    return str(job["id"])


def state_of(context: Context, workspace: WorkspaceSettings, segment_id: str) -> dict[str, Any]:
    return segments.jobs_of(context, workspace).get(segment_id)


def active(context: Context, workspace: WorkspaceSettings) -> str | None:
    meta = publishing.publisher_of(context, workspace).active()
    return meta and meta.snapshot


# publishing


def test_activating_publishes_a_snapshot_from_disk(context, workspace, snapshot_of) -> None:
    snapshot_of("20260301T000000")
    jobs.activate_snapshot("shop", "20260301T000000")
    assert active(context, workspace) == "20260301T000000"


def test_bad_input_activating_a_snapshot_that_is_not_there(context, workspace, snapshot_of) -> None:
    snapshot_of("20260301T000000")
    answer = jobs.activate_snapshot("shop", "20250101T000000")
    assert "there is no snapshot 20250101T000000; on disk: 20260301T000000" in answer["error"]
    assert active(context, workspace) is None


def test_rolling_back_goes_to_the_one_before(context, workspace, snapshot_of) -> None:
    for day in ("20260301T000000", "20260302T000000"):
        snapshot = snapshot_of(day, seed=int(day[7]))
    publishing.publish(context, workspace, publishing.open_snapshot(context, workspace), quiet)
    before = active(context, workspace)
    meta = publishing.roll_back(context, workspace, None, quiet)
    assert active(context, workspace) == meta.snapshot != before
    assert snapshot.folder.exists()
    with pytest.raises(RightsendError, match="no earlier snapshot"):
        publishing.roll_back(context, workspace, None, quiet)


def test_an_emptied_store_gets_the_newest_snapshot_again(
    context, workspace, snapshot_of, client
) -> None:
    snapshot_of("20260301T000000")
    jobs.publish_missing("shop")
    client.flushall()
    jobs.publish_missing("shop")
    assert active(context, workspace) == "20260301T000000"


def test_nothing_is_published_over_what_is_active(context, workspace, snapshot_of) -> None:
    snapshot_of("20260301T000000")
    jobs.publish_missing("shop")
    snapshot_of("20260302T000000")
    jobs.publish_missing("shop")
    assert active(context, workspace) == "20260301T000000"


# segments


def test_a_segment_job_keeps_its_members(context, workspace, snapshot_of, select) -> None:
    snapshot_of("20260301T000000")
    segment_id = new_segment(context, workspace)
    jobs.run_segment("shop", segment_id)
    job = state_of(context, workspace, segment_id)
    assert (job["state"], job["summary"]) == ("done", {"customers": 3})
    folder = segments.folder_of(context, workspace, segment_id)
    with gzip.open(folder / "members.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    assert [row["customer_id"] for row in rows] == [f"customer-{n:03d}" for n in range(3)]
    assert list(segments.treated(folder)) == ["customer-000", "customer-001"]


def test_the_same_members_are_the_same_bytes(tmp_path: Path) -> None:
    rows = pa.Table.from_pylist(
        [{"customer_id": "김", "rank": 1, "probability": 0.25, "arm": "treatment"}],
        schema=segments.MEMBERS,
    )
    for name in ("a", "b"):
        segments.write_members(tmp_path / name, rows)
    files = [segments.MEMBERS_CSV, segments.MEMBERS_NDJSON]
    assert [(tmp_path / "a" / f).read_bytes() for f in files] == [
        (tmp_path / "b" / f).read_bytes() for f in files
    ]


def test_a_job_that_was_done_is_not_done_again(context, workspace, snapshot_of, select) -> None:
    snapshot_of("20260301T000000")
    segment_id = new_segment(context, workspace)
    jobs.run_segment("shop", segment_id)
    jobs.run_segment("shop", segment_id)
    assert len(select) == 1


def test_a_cancelled_job_stops_at_its_next_step(
    context, workspace, snapshot_of, monkeypatch
) -> None:
    snapshot_of("20260301T000000")
    segment_id = new_segment(context, workspace)

    def cancelled_meanwhile(*_: Any, progress: Callable[..., None], **__: Any) -> None:
        segments.jobs_of(context, workspace).cancel(segment_id)
        progress("rank", 1, 2)
        raise AssertionError("it went on")

    monkeypatch.setattr(segments.selection, "select", cancelled_meanwhile)
    jobs.run_segment("shop", segment_id)
    assert state_of(context, workspace, segment_id)["state"] == "cancelled"


def test_bad_input_a_segment_before_the_first_night_fails_with_the_reason(
    context, workspace, select
) -> None:
    segment_id = new_segment(context, workspace)
    jobs.run_segment("shop", segment_id)
    job = state_of(context, workspace, segment_id)
    assert job["state"] == "failed"
    assert "run `rightsend nightly` first" in job["error"]


def test_a_passing_trouble_leaves_the_job_to_be_tried_again(
    context, workspace, snapshot_of, monkeypatch
) -> None:
    snapshot_of("20260301T000000")
    segment_id = new_segment(context, workspace)
    monkeypatch.setattr(
        segments.selection, "select", lambda *_, **__: (_ for _ in ()).throw(OSError)
    )
    with pytest.raises(OSError):
        jobs.run_segment("shop", segment_id)
    assert state_of(context, workspace, segment_id)["state"] == "running"
    jobs.given_up("rightsend.jobs.run_segment", ["shop", segment_id], "disk full")
    assert state_of(context, workspace, segment_id)["error"] == "disk full"


def test_a_segment_that_was_forgotten_meanwhile_is_nobodys_business(context, workspace) -> None:
    jobs.run_segment("shop", "20260301T000000-00000000")


def test_bad_input_a_preview_before_the_first_night_says_why_not(context) -> None:
    assert "run `rightsend nightly` first" in jobs.preview_segment("shop", REQUEST)["error"]


def test_pushing_sends_the_treated_and_a_second_time_nothing(
    context, workspace, snapshot_of, select, tool
) -> None:
    snapshot_of("20260301T000000")
    segment_id = new_segment(context, workspace)
    jobs.run_segment("shop", segment_id)
    first = jobs.push_segment("shop", segment_id, "sandbox")
    second = jobs.push_segment("shop", segment_id, "sandbox")
    assert (first["added"], second["added"], second["requests"]) == (2, 0, 0)
    assert tool.members(segment_id) == ["customer-000", "customer-001"]


def test_bad_input_pushing_to_a_connection_that_is_not_there(
    context, workspace, snapshot_of, select
) -> None:
    snapshot_of("20260301T000000")
    segment_id = new_segment(context, workspace)
    jobs.run_segment("shop", segment_id)
    assert (
        "no connection 'braze'; it has sandbox"
        in jobs.push_segment("shop", segment_id, "braze")["error"]
    )


def test_bad_input_pushing_a_segment_without_members(context, workspace) -> None:
    answer = jobs.push_segment("shop", new_segment(context, workspace), "sandbox")
    assert "has no members yet" in answer["error"]


# syncing


def test_a_second_sync_of_the_same_scores_sends_nothing(
    context, workspace, snapshot_of, tool
) -> None:
    snapshot_of("20260301T000000")
    first, second = jobs.sync("shop")["sandbox"], jobs.sync("shop")["sandbox"]
    assert (first["changed"], second["changed"], second["requests"]) == (40, 0, 0)
    top = tool.profile("customer-000")["custom_attributes"]["rightsend_top_items"]
    assert len(top) == 3


def test_a_tool_that_is_away_is_told_in_the_report(
    context, workspace, snapshot_of, impatient
) -> None:
    snapshot_of("20260301T000000")
    jobs.publish_missing("shop")
    reports = jobs.sync("shop")
    assert "sandbox" in reports["sandbox"]["connection"]
    assert reports["sandbox"]["error"]


# events


def event(number: int, context: Context, workspace: WorkspaceSettings) -> dict[str, Any]:
    return {
        "event_id": f"e{number}",
        "occurred_at": context.now(workspace) - timedelta(seconds=5),
        "identifier": "c01",
        "identifier_kind": "external_id",
        "event_type": "purchase",
        "item_id": "tea-1",
    }


def test_events_reach_the_lake_once(context, workspace, client) -> None:
    stream = RecentEvents(client, "shop", context.secret)
    events = [event(n, context, workspace) for n in range(3)]
    stream.remember(events)
    assert jobs.drain_events("shop")["added"] == 3
    stream.remember(events[:1])
    assert draining.drain(context, workspace) == {
        "events": 1, "added": 0, "known": 1, "quarantined": 0,
    }  # fmt: skip
    assert stream.depth() == 0


def test_a_draining_makes_room_for_other_work(context, workspace, client, monkeypatch) -> None:
    monkeypatch.setattr(draining, "BATCH", 2)
    stream = RecentEvents(client, "shop", context.secret)
    stream.remember([event(n, context, workspace) for n in range(5)])
    moments = iter([0.0, 1.0, 29.0, 31.0])
    assert draining.drain(context, workspace, now_s=lambda: next(moments))["added"] == 4
    assert stream.depth() == 1
    assert client.xinfo_consumers(Keys("shop").stream, "lake") == []
    assert draining.drain(context, workspace)["added"] == 1


def test_bad_input_rubbish_in_the_stream_goes_to_quarantine(context, workspace, client) -> None:
    client.xadd(Keys("shop").stream, {b"e": b"\xff not json"})
    assert jobs.drain_events("shop")["quarantined"] == 1
    quarantine = context.workspace_dir(workspace) / "quarantine" / "stream.ndjson"
    assert json.loads(quarantine.read_text())["reason"] == "missing_id"


# erasing


def test_an_erased_customer_is_gone_everywhere(
    context, workspace, snapshot_of, select, tool, client
) -> None:
    gone = "customer-001"
    folder = context.workspace_dir(workspace)
    orders = context.settings.file.parent / "orders.csv"
    orders.write_text(orders.read_text().replace(",c01,", f",{gone},"))
    import_sources(workspace, folder, now=context.now(workspace), secret=context.secret)
    device = ("device_id", "tablet", gone)
    snapshot = snapshot_of("20260301T000000", identifiers=[device])
    jobs.publish_missing("shop")
    jobs.sync("shop")
    segment_id = new_segment(context, workspace)
    jobs.run_segment("shop", segment_id)
    jobs.push_segment("shop", segment_id, "sandbox")

    report = jobs.erase_customer("shop", gone)

    assert report["rows"] > 0
    assert not Reader(client, "shop", context.secret).read(gone).customer_known
    assert not Reader(client, "shop", context.secret).read("device_id:tablet").customer_known
    assert gone not in Snapshot.open(snapshot.folder).scores()["customer_id"].to_pylist()
    assert gone not in _customers(folder, context, workspace)
    assert tool.members(segment_id) == ["customer-000"]
    assert not tool.profile(gone)["custom_attributes"]
    members = segments.members(segments.folder_of(context, workspace, segment_id))
    assert gone not in [member["customer_id"] for member in members]
    import_sources(workspace, folder, now=context.now(workspace), secret=context.secret)
    assert gone not in _customers(folder, context, workspace)


def test_erasing_by_a_device_erases_the_person_behind_it(
    context, workspace, snapshot_of, tool, client
) -> None:
    snapshot_of("20260301T000000", identifiers=[("device_id", "tablet", "customer-001")])
    jobs.publish_missing("shop")
    jobs.erase_customer("shop", "device_id:tablet")
    assert not Reader(client, "shop", context.secret).read("customer-001").customer_known


def test_erasing_somebody_unknown_changes_nothing(context, workspace, snapshot_of, tool) -> None:
    snapshot_of("20260301T000000")
    report = jobs.erase_customer("shop", "nobody")
    assert (report["rows"], report["segments"]) == (0, 0)


def test_an_erasure_that_a_tool_was_not_told_of_is_tried_again(
    context, workspace, snapshot_of, impatient
) -> None:
    snapshot_of("20260301T000000")
    jobs.publish_missing("shop")
    with pytest.raises(RightsendError, match="connection sandbox"):
        jobs.erase_customer("shop", "customer-001")


def test_an_erasure_during_a_night_is_repeated_after_it(
    context, workspace, snapshot_of, tool
) -> None:
    folder = context.workspace_dir(workspace)
    snapshot_of("20260301T000000")
    with flock(folder / NIGHTLY_LOCK):
        assert jobs.erase_customer("shop", "customer-001")["again"]
    (job,) = context.queue("nightly").jobs
    snapshot_of("20260302T000000")  # the night brought the customer back
    assert job.func_name == "rightsend.jobs.carry_out_erasure_after_night"
    assert "customer-001" not in str(job.args)
    assert jobs.carry_out_erasure_after_night(*job.args)["again"] is False
    assert jobs.carry_out_erasure_after_night(*job.args) == {}
    scores = publishing.open_snapshot(context, workspace, "20260302T000000").scores()
    assert "customer-001" not in scores["customer_id"].to_pylist()


def test_an_unfinished_night_begins_anew_after_an_erasure(context, workspace, tool) -> None:
    run = context.workspace_dir(workspace) / "runs" / "20260301T000000Z"
    (run / "identity").mkdir(parents=True)
    (run / "run.json").write_text(
        json.dumps({"run": run.name, "state": "running", "started_at": "2026-03-01T00:00:00"})
    )
    jobs.erase_customer("shop", "customer-001")
    assert not run.exists()


def test_fault_damaged_runs_and_snapshots_keep_nobody_who_was_erased(
    context, workspace, snapshot_of, tool
) -> None:
    folder = context.workspace_dir(workspace)
    for name in ("20260301T000000", "20260302T000000"):
        snapshot_of(name)
    damaged = folder / "snapshots" / "20260301T000000"
    (damaged / "meta.json").write_text("{")
    run = folder / "runs" / "20260301T000000Z"
    (run / "identity").mkdir(parents=True)
    (run / "run.json").write_text("{")
    jobs.erase_customer("shop", "customer-001")
    assert not run.exists() and not damaged.exists()
    scores = publishing.open_snapshot(context, workspace, "20260302T000000").scores()
    assert "customer-001" not in scores["customer_id"].to_pylist()


def _customers(folder: Path, context: Context, workspace: WorkspaceSettings) -> set[str]:
    events = Lake(folder / "lake").events(before=context.now(workspace))
    return set(events.select("identifier").distinct().to_pyarrow()["identifier"].to_pylist())
