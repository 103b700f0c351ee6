"""The backtest against what came after, which the system never saw."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rightsend import segments
from scoring import segment
from scoring import snapshot as snapshots
from scoring.backtest import run as backtest
from scoring.backtest import summary
from scoring.backtest.report import Choice
from scoring.backtest.run import BacktestError, BacktestReport, CutoffReport, Plan
from scoring.segment_request import SegmentRequest, SizeRule, Target
from scoring.snapshot import Snapshot
from scoring.sources.errors import SourceError
from settings.workspace import WorkspaceSettings
from tests import nightly_shop as shop
from tests.nights import Night

WEEK = timedelta(days=7)


def quiet(_what: str, _done: int, _total: int | None = None) -> None:
    pass


def whole(night: Night, *cutoffs: CutoffReport) -> BacktestReport:
    return BacktestReport(night.workspace, Plan(), list(cutoffs))


def targets(report: CutoffReport, level: str) -> dict[str, dict[str, Any]]:
    found = {judged.level: summary.of_level(judged) for judged in report.results.levels}
    return {row["target"]: row for row in found[level]["targets"]}


def buyers_after(folder: Path, category: str) -> set[str]:
    """Counted from the shop's own file with nothing of ours: who bought in the week after."""
    with (folder / "events.csv").open() as file:
        return {
            row["who"] if row["kind"] == "external_id" else f"{row['kind']}:{row['who']}"
            for row in csv.DictReader(file)
            if row["what"] == "purchase"
            and row["item"].startswith(f"{category}-")
            and shop.AS_OF <= datetime.fromisoformat(row["at"]) < shop.AS_OF + WEEK
        }  # fmt: skip


def exported(night: Night, category: str, folder: Path) -> list[dict[str, str]]:
    """Everybody, as the CSV that a marketer downloads has them."""
    request = SegmentRequest("all", Target(categories=(category,)), SizeRule(share=1.0))
    result = segment.select(
        night.snapshot.folder, request, night.lake, night.workspace,
        now=shop.AS_OF, secret=b"secret", progress=quiet,
    )  # fmt: skip
    segments.write_members(folder, result.members)
    with gzip.open(folder / segments.MEMBERS_CSV, "rt") as file:
        return list(csv.DictReader(file))


def recounted(rows: list[dict[str, str]], buyers: set[str], share: float) -> float:
    """Lift of the best ``share``; who ties with the last of them counts in part."""
    size = round(share * len(rows))
    edge = rows[size - 1]["probability"]
    sure = [row for row in rows[:size] if row["probability"] != edge]
    tied = [row for row in rows if row["probability"] == edge]
    found = sum(row["customer_id"] in buyers for row in sure)
    found += sum(row["customer_id"] in buyers for row in tied) * (size - len(sure)) / len(tied)
    known = sum(row["customer_id"] in buyers for row in rows)
    return found / known / (size / len(rows))


@pytest.mark.parametrize("category", shop.CATEGORIES)
def test_a_recount_from_the_exported_segment_gives_the_tables_lift(
    night, tmp_path, category
) -> None:
    report = backtest.of_snapshot(night.workspace, night.snapshot, quiet)
    row = targets(report, "category")[category]
    rows = exported(night, category, tmp_path)
    buyers = buyers_after(night.workspace.file.parent, category)
    assert row["buyers"] == len(buyers) > 10
    for share in (0.05, 0.1, 0.2):
        assert row[f"rightsend.lift@{round(100 * share)}"] == pytest.approx(
            recounted(rows, buyers, share), abs=1e-3
        )


def test_what_cannot_be_measured_is_a_dash_in_the_table(night) -> None:
    plan = Plan(Choice(levels=("any",)))
    cutoff = backtest.of_snapshot(night.workspace, night.snapshot, quiet, plan)
    *_, line = BacktestReport(night.workspace, plan, [cutoff]).table().splitlines()
    assert line.split()[0] == "any" and line.split()[-1] == "–"  # nobody buys something newly


def test_it_finds_buyers_and_says_so_in_a_table(night) -> None:
    report = whole(night, backtest.of_snapshot(night.workspace, night.snapshot, quiet))
    assert report.to_json()["levels"]["category"]["methods"]["rightsend"]["lift@20"]["mean"] > 1.5
    text = report.table()
    assert "known before 2026-03-01 00:00 UTC, judged by the purchases until 2026-03-08" in text
    for level in ("item", "brand", "category"):
        for method in ("rightsend", "rule 90 days", "activity", "EASE alone"):
            assert f"{level:<10}{method}" in text


def test_the_lake_holds_nothing_from_after_as_of_before_and_after_the_backtest(night) -> None:
    later = shop.LAST_DAY + timedelta(days=400)
    for _ in range(2):
        assert night.lake.events(before=later, since=shop.AS_OF).count().to_pyarrow().as_py() == 0
        backtest.of_snapshot(night.workspace, night.snapshot, quiet)
    assert night.lake.events(before=shop.AS_OF).count().to_pyarrow().as_py() > 1000


def test_who_was_erased_shifts_nobody_elses_purchases(night, tmp_path) -> None:
    """Rows of customers are numbered: one less must not move the others."""
    copied = tmp_path / "snapshot"
    shutil.copytree(night.snapshot.folder, copied)
    snapshots.erase(copied, {"c00", "c17"}, model=segment.forget)
    before = targets(backtest.of_snapshot(night.workspace, night.snapshot, quiet), "category")
    after = targets(backtest.of_snapshot(night.workspace, Snapshot.open(copied), quiet), "category")
    for category, row in after.items():
        buyers = buyers_after(night.workspace.file.parent, category)
        assert row["buyers"] == len(buyers - {"c00", "c17"})
        assert row["rightsend.auc"] == pytest.approx(before[category]["rightsend.auc"], abs=0.08)


def test_a_shop_without_as_of_is_judged_by_its_own_lake(night, tmp_path, monkeypatch) -> None:
    """Trained as of a week earlier; what came since is in the lake."""
    shop.train_quickly(monkeypatch.setattr)
    report = backtest.of_lake(night.workspace, night.workspace_dir, shop.AS_OF - WEEK, quiet)
    document = whole(night, report).to_json()
    assert document["cutoff"] == (shop.AS_OF - WEEK).isoformat()
    assert document["levels"]["category"]["methods"]["rightsend"]["lift@20"]["mean"] > 1.3


def test_bad_input_a_cutoff_before_the_first_purchase(night) -> None:
    early = shop.FIRST_DAY - timedelta(days=3)
    with pytest.raises(
        BacktestError, match=r"no purchase of an item before 2025-12-18 .*another --cutoff"
    ):
        backtest.of_lake(night.workspace, night.workspace_dir, early, quiet)


def test_bad_input_a_cutoff_after_the_last_purchase(night) -> None:
    with pytest.raises(BacktestError, match="no purchase of an item after 2026-03-01"):
        backtest.of_lake(night.workspace, night.workspace_dir, shop.AS_OF, quiet)


def test_bad_input_sources_that_end_at_as_of(night, tmp_path) -> None:
    elsewhere = with_events(night.workspace, tmp_path, "")
    with pytest.raises(
        BacktestError, match="the sources hold no purchase of an item in the 7 days after"
    ):
        backtest.of_snapshot(elsewhere, night.snapshot, quiet)


def test_bad_input_sources_that_are_gone(night, tmp_path) -> None:
    elsewhere = replace(night.workspace, file=tmp_path / "nowhere" / "shop.yaml")
    with pytest.raises(SourceError):
        backtest.of_snapshot(elsewhere, night.snapshot, quiet)


def test_a_target_counts_once_however_often_it_was_judged(night, monkeypatch) -> None:
    shop.train_quickly(monkeypatch.setattr)
    first = backtest.of_snapshot(night.workspace, night.snapshot, quiet)
    plan = Plan(Choice(levels=("category",)))
    (cutoff,) = backtest.earlier(first.cutoff, 1, 7)
    second = backtest.of_lake(night.workspace, night.workspace_dir, cutoff, quiet, plan)
    one, two = targets(first, "category"), targets(second, "category")
    document = whole(night, first, second).to_json()
    rows = {row["target"]: row for row in document["levels"]["category"]["targets"]}
    assert [entry["snapshot"] is None for entry in document["cutoffs"]] == [False, True]
    for name in set(one) & set(two):
        mean = (one[name]["rightsend.auc"] + two[name]["rightsend.auc"]) / 2
        assert rows[name]["rightsend.auc"] == pytest.approx(mean, abs=2e-4)
        assert rows[name]["buyers"] == one[name]["buyers"] + two[name]["buyers"]


def test_items_are_ranked_beside_best_sellers_and_all_is_json(night) -> None:
    report = whole(night, backtest.of_snapshot(night.workspace, night.snapshot, quiet))
    document = json.loads(json.dumps(report.to_json(), allow_nan=False))
    everything, new = document["ranking"]
    assert (everything["new_only"], new["new_only"]) == (False, True)
    ours = everything["methods"]["rightsend"]["hit_rate@10"]["mean"]
    assert 0.5 < ours <= 1
    assert everything["ratio"]["best sellers"] == 1
    assert document["levels"]["category"]["minus"]["activity"]["auc"]["mean"] > 0
    curve = document["levels"]["category"]["curves"]["rightsend"]
    assert (curve[0]["mean"], curve[-1]["mean"]) == (0, 1)


def test_all_targets_with_enough_buyers_are_judged_if_asked(night) -> None:
    plan = Plan(Choice(levels=("category", "any"), targets=1))
    few = backtest.of_snapshot(night.workspace, night.snapshot, quiet, plan)
    assert len(targets(few, "category")) == len(targets(few, "any")) == 1
    plan = Plan(Choice(levels=("category",), targets=1, min_buyers=5))
    every = backtest.of_snapshot(night.workspace, night.snapshot, quiet, plan)
    assert len(targets(every, "category")) == len(shop.CATEGORIES)
    assert every.rankings == []  # only items are


def test_a_model_without_a_scorer_is_a_rival(night, monkeypatch) -> None:
    shop.train_quickly(monkeypatch.setattr)
    plan = Plan(Choice(levels=("category",)), ablations=("ease",))
    found = backtest.of_snapshot(night.workspace, night.snapshot, quiet, plan)
    document = whole(night, found).to_json()["levels"]["category"]
    assert document["methods"]["without ease"]["auc"]["mean"] > 0.5
    assert document["minus"]["without ease"]["auc"]["low"] is not None


def test_bad_input_no_target_has_so_many_buyers(night) -> None:
    plan = Plan(Choice(levels=("category",), min_buyers=1000))
    report = whole(night, backtest.of_snapshot(night.workspace, night.snapshot, quiet, plan))
    assert report.to_json()["levels"] == {}
    assert "no category was bought by 1000 known customers in the window" in report.table()


def test_bad_input_a_window_that_is_not_over(night) -> None:
    with pytest.raises(BacktestError, match=r"are not over: the newest .* is 2026-02-22T00:00:00"):
        backtest.check_window(night.workspace, shop.AS_OF - timedelta(days=6), shop.AS_OF)
    backtest.check_window(night.workspace, shop.AS_OF - WEEK, shop.AS_OF)


def with_events(workspace: WorkspaceSettings, folder: Path, rows: str) -> WorkspaceSettings:
    """The workspace with another file of events."""
    (folder / "events.csv").write_text(",".join(shop.HEADER) + "\n" + rows)
    return replace(workspace, file=folder / "shop.yaml")
