"""The night as a whole: what it leaves, how it goes on, what the gate keeps back."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from scoring import canonical, nightly, snapshot
from scoring.backtest.report import Results
from scoring.lake import Lake
from scoring.model_files import ModelFilesError
from scoring.snapshot import Snapshot
from scoring.store.publish import Publisher
from scoring.store.read import Reader
from settings.workspace import GateSettings, WorkspaceSettings
from tests import nightly_shop as shop
from tests.nights import Night

STEPS = ["import", "identity", "features", "train", "backtest", "gate", "score", "publish", "sync"]
NEXT_DAY = shop.AS_OF + timedelta(days=1)


@pytest.fixture
def second(night: Night, tmp_path: Path, monkeypatch) -> tuple[WorkspaceSettings, Path]:
    """The shop after its first night, in a place where a second one may follow."""
    shop.train_quickly(monkeypatch.setattr)
    shutil.copytree(night.workspace_dir, tmp_path / "shop")
    return night.workspace, tmp_path / "shop"


@pytest.fixture
def publisher(redis_client, second) -> Publisher:
    """A store that answers from the first night."""
    made = Publisher(redis_client, "shop", b"secret", second[1])
    (first,) = snapshot.kept(second[1])
    made.publish(Snapshot.open(second[1] / "snapshots" / first.snapshot), ttl_s=60, now=shop.AS_OF)
    return made


def run_json(workspace_dir: Path, name: str) -> dict:
    return json.loads((workspace_dir / "runs" / name / "run.json").read_text())


def kept(workspace_dir: Path) -> list[str]:
    return [meta.snapshot for meta in snapshot.kept(workspace_dir)]


# a night that goes well


def test_every_step_is_reported_in_order_with_time_and_memory(night) -> None:
    document = run_json(night.workspace_dir, night.report.run)
    assert document["state"] == "done"
    assert [step["name"] for step in document["steps"]] == STEPS
    for step in document["steps"]:
        assert step["state"] == "done" and step["seconds"] >= 0 and step["peak_mb"] > 0


def test_the_report_says_what_was_read_learnt_and_scored(night) -> None:
    report = run_json(night.workspace_dir, night.report.run)["report"]
    (events, *_) = report["import"]["sources"]
    assert events["rows_added"] > 1000 and events["rows_after_now"] > 100
    assert (report["customers"], report["items"], report["brands"], report["categories"]) == (
        61, 24, 3, 4,
    )  # fmt: skip
    assert report["digest"] == night.snapshot.meta.digest
    assert set(report["backtest"]) == {"item", "brand", "category"}


def test_only_the_report_is_left_of_a_finished_run(night) -> None:
    folder = night.workspace_dir / "runs" / night.report.run
    assert [path.name for path in folder.iterdir()] == ["run.json"]


def test_nothing_from_after_now_is_in_the_lake(night) -> None:
    after = night.lake.events(before=shop.LAST_DAY + timedelta(days=99), since=shop.AS_OF)
    assert after.count().to_pyarrow().as_py() == 0


def test_the_same_night_twice_gives_the_same_bytes(night, tmp_path, monkeypatch) -> None:
    shop.train_quickly(monkeypatch.setattr)
    report = shop.night(night.workspace, tmp_path / "again")
    again = Snapshot.open(tmp_path / "again" / "snapshots" / report.run)
    assert again.meta.digest == night.snapshot.meta.digest
    assert again.meta.files == night.snapshot.meta.files  # the model, too


def test_a_second_night_at_the_same_moment_is_a_run_of_its_own(second) -> None:
    report = shop.night(*second)
    assert report.run == "20260301T000000Z-2"
    assert kept(second[1])[0] == report.run


def test_more_than_the_kept_number_of_snapshots_go(second) -> None:
    workspace, folder = second
    report = shop.night(replace(workspace, keep_snapshots=1), folder, NEXT_DAY)
    assert kept(folder) == [report.run]


def test_a_night_with_a_name(second) -> None:
    assert shop.night(*second, NEXT_DAY, run_id="friday").run == "friday"
    assert kept(second[1])[0] == "friday"


def test_the_second_night_tells_what_is_new_back_and_cheaper(second) -> None:
    workspace, folder = second
    lake = Lake(folder / "lake")
    rows = {row["item_id"]: row for row in lake.items().to_pyarrow().to_pylist()}
    rows[shop.SOLD_OUT]["stock"] = 3
    was = rows["tea-0"]["price"]
    rows["tea-0"]["price"] = was / 2
    rows["tea-9"] = {**rows["tea-0"], "item_id": "tea-9", "name": "Tea no. 9"}
    changed = pa.Table.from_pylist(list(rows.values()), schema=canonical.schema("items"))
    lake.upsert("items", changed, batch="changed")
    report = shop.night(workspace, folder, NEXT_DAY)
    snapshot = Snapshot.open(folder / "snapshots" / report.run)
    items = {row["item_id"]: row for row in snapshot.items().to_pylist()}
    today = (NEXT_DAY - datetime(1970, 1, 1, tzinfo=UTC)).days
    assert {name for name, row in items.items() if row["back_since"]} == {shop.SOLD_OUT}
    assert {name: row["price_before"] for name, row in items.items() if row["price_before"]} == {
        "tea-0": was
    }
    assert items["tea-9"]["new_since"] == today
    names = list(items)
    assert [names[row["item_index"]] for row in snapshot.arrivals().to_pylist()] == ["tea-9"]


# a night that is interrupted


def test_a_night_that_failed_goes_on_at_the_step_that_failed(second, monkeypatch) -> None:
    def away(_snapshot: Snapshot) -> None:
        raise ConnectionError("the store is away")

    with pytest.raises(ConnectionError):
        shop.night(*second, NEXT_DAY, publish=away)
    document = run_json(second[1], "20260302T000000Z")
    assert (document["state"], document["report"]["reason"]) == ("failed", "the store is away")
    monkeypatch.setattr(nightly.training, "train", None)  # it must not be needed again
    published: list[str] = []
    report = shop.night(
        *second, NEXT_DAY + timedelta(hours=3), publish=lambda s: published.append(s.meta.snapshot)
    )
    assert (report.state, report.now) == ("done", NEXT_DAY)
    assert published == [report.run] == ["20260302T000000Z"]
    assert "reason" not in report.report


def test_fault_a_night_whose_models_are_of_another_version_begins_anew(second, monkeypatch) -> None:
    """The program was renewed between the failure and the next try."""

    def unscored(*_arguments: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="full"):
        patch.setattr(nightly.score, "tables", unscored)
        shop.night(*second, NEXT_DAY)
    (path,) = (second[1] / "runs").glob("*/train/tonight/model.json")
    path.write_text(path.read_text().replace('"format":', '"format": 1, "was":'))
    with pytest.raises(ModelFilesError, match="run `rightsend nightly` to train again"):
        shop.night(*second, NEXT_DAY)
    report = shop.night(*second, NEXT_DAY)
    assert (report.state, report.run) == ("done", "20260302T000000Z-2")


def test_a_night_that_failed_long_ago_is_left_for_a_new_one(second) -> None:
    def away(_snapshot: Snapshot) -> None:
        raise ConnectionError("the store is away")

    with pytest.raises(ConnectionError):
        shop.night(*second, NEXT_DAY, publish=away)
    report = shop.night(*second, NEXT_DAY + timedelta(days=1))
    assert report.run == "20260303T000000Z"


# the gate


def strict(workspace: WorkspaceSettings, **gate: float) -> WorkspaceSettings:
    return replace(workspace, gate=GateSettings(**gate))


def refused(workspace, folder, publisher, redis_client, moment=NEXT_DAY) -> nightly.RunReport:
    """A second night that must change nothing for readers."""
    before = kept(folder)
    report = shop.night(
        workspace,
        folder,
        moment,
        publish=lambda found: publisher.publish(found, ttl_s=60, now=moment),
    )
    assert (report.state, kept(folder)) == ("gated", before)
    assert publisher.active().snapshot == before[0]
    reading = Reader(redis_client, "shop", b"secret").read("c05")
    assert reading.snapshot == before[0] and reading.items()
    document = run_json(folder, report.run)
    assert (document["state"], document["report"]["reason"]) == ("gated", report.report["reason"])
    assert document["steps"][-1]["state"] == "failed"
    return report


def test_a_worse_model_is_not_published(second, publisher, redis_client, monkeypatch) -> None:
    workspace, folder = second
    original = nightly.summary.quality

    def poor(results: Results) -> dict:
        found = original(results)
        return found | {"lift@20": {level: was / 4 for level, was in found["lift@20"].items()}}

    monkeypatch.setattr(nightly.summary, "quality", poor)
    report = refused(workspace, folder, publisher, redis_client)
    assert re.match(r"lift@20 of \w+ fell from", report.report["reason"])
    assert "gate.max_quality_drop_share" in report.report["reason"]


def test_scores_of_fewer_customers_are_not_published(second, publisher, redis_client) -> None:
    workspace, folder = second
    report = refused(strict(workspace, min_coverage_share=1.5), folder, publisher, redis_client)
    assert report.report["reason"].startswith("only 61 customers were scored after 61 before")


def test_bad_input_a_model_that_says_nan_is_not_published(
    second, publisher, redis_client, monkeypatch
) -> None:
    original = nightly.score.tables

    def rotten(*arguments):
        tables = original(*arguments)
        scores = tables.scores
        at = scores.column_names.index("purchase_probability")
        rubbish = nightly.pa.array([float("nan")] * len(scores), nightly.pa.float32())
        return replace(tables, scores=scores.set_column(at, "purchase_probability", rubbish))

    monkeypatch.setattr(nightly.score, "tables", rotten)
    report = refused(*second, publisher, redis_client)
    assert report.report["reason"] == "purchase_probability holds numbers that are not finite"


def test_a_refused_night_is_not_gone_on_with(second, publisher, redis_client) -> None:
    workspace, folder = second
    refused(strict(workspace, min_coverage_share=1.5), folder, publisher, redis_client)
    report = shop.night(workspace, folder, NEXT_DAY + timedelta(hours=1))
    assert (report.state, report.run) == ("done", "20260302T010000Z")


# nights that cannot be


def test_bad_input_a_shop_without_a_purchase_says_where_to_look(tmp_path) -> None:
    workspace = shop.workspace(tmp_path)
    (tmp_path / "events.csv").write_text(",".join(shop.HEADER) + "\n")
    with pytest.raises(nightly.NothingToLearnError, match="has no purchase before 2026-03-01"):
        shop.night(workspace, tmp_path / "shop")
    assert run_json(tmp_path / "shop", "20260301T000000Z")["state"] == "failed"


def test_bad_input_purchases_of_no_item_are_one_clear_error(tmp_path) -> None:
    workspace = shop.workspace(tmp_path)
    orders = [[*shop.purchase(f"o{n}", shop.FIRST_DAY, "c01", "tea-0")] for n in range(3)]
    for order in orders:
        order[shop.HEADER.index("item")] = ""
    shop.add_events(tmp_path, orders, name="events.csv")
    with pytest.raises(nightly.NothingToLearnError, match="names an item: map item_id"):
        shop.night(workspace, tmp_path / "shop")


def test_after_nothing_to_learn_from_the_sources_are_read_again(tmp_path, monkeypatch) -> None:
    shop.train_quickly(monkeypatch.setattr)
    workspace = shop.workspace(tmp_path)
    events = (tmp_path / "events.csv").read_text()
    (tmp_path / "events.csv").write_text(",".join(shop.HEADER) + "\n")
    with pytest.raises(nightly.NothingToLearnError):
        shop.night(workspace, tmp_path / "shop")
    (tmp_path / "events.csv").write_text(events)
    assert shop.night(workspace, tmp_path / "shop").state == "done"


def test_bad_input_a_source_that_is_gone_is_reported_and_the_night_goes_on(
    second, night, tmp_path
) -> None:
    workspace, folder = second
    moved = replace(workspace, file=tmp_path / "elsewhere" / "shop.yaml")
    report = shop.night(moved, folder, NEXT_DAY)
    assert report.state == "done"
    assert all(source["error"] for source in report.report["import"]["sources"])


def test_bad_input_a_name_of_a_run_that_leads_elsewhere(second) -> None:
    with pytest.raises(nightly.RunNameError, match=r"found '\.\./\.\./x'"):
        shop.night(*second, NEXT_DAY, run_id="../../x")


def test_bad_input_a_refused_run_cannot_be_gone_on_with_by_name(second) -> None:
    workspace, folder = second
    name = shop.night(strict(workspace, min_coverage_share=1.5), folder, NEXT_DAY).run
    with pytest.raises(nightly.RunNameError, match="start a new one"):
        shop.night(workspace, folder, NEXT_DAY, run_id=name)
