"""A run on disk: finished steps stay, killed ones leave nothing that looks whole."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scoring import run_log
from scoring.run_log import Run

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.begin(tmp_path / "runs" / "tonight", "shop", NOW)


def on_disk(run: Run) -> dict:
    return json.loads((run.folder / "run.json").read_text())


def writes(text: str = "result", **details):
    def work(folder: Path) -> dict:
        (folder / "result.txt").write_text(text)
        return details

    return work


def test_a_step_keeps_its_results_and_says_what_it_took(run) -> None:
    run.step("import", writes("rows", rows=3))
    assert (run.folder / "import" / "result.txt").read_text() == "rows"
    (step,) = on_disk(run)["steps"]
    assert (step["name"], step["state"], step["rows"]) == ("import", "done", 3)
    assert step["seconds"] >= 0 and step["peak_mb"] > 0


def test_a_finished_step_is_not_done_again_also_after_a_restart(run) -> None:
    run.step("import", writes("first", rows=1))
    again = Run.begin(run.folder, "shop", NOW)
    assert again.step("import", writes("second", rows=2))["rows"] == 1
    assert (run.folder / "import" / "result.txt").read_text() == "first"


def test_a_run_goes_on_with_the_moment_it_began_at(run) -> None:
    assert Run.begin(run.folder, "shop", NOW + timedelta(hours=5)).report.now == NOW


def test_a_failed_step_is_told_and_done_anew(run) -> None:
    def fails(folder: Path) -> dict:
        (folder / "half.txt").write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError):
        run.step("import", fails)
    assert on_disk(run)["steps"] == [
        {"name": "import", "state": "failed", "error": "OSError: disk full"}
    ]
    assert not (run.folder / "import").exists()
    run.step("import", writes())
    assert sorted(path.name for path in (run.folder / "import").iterdir()) == ["result.txt"]
    assert [step["state"] for step in on_disk(run)["steps"]] == ["done"]


def test_what_was_moved_into_place_but_never_noted_is_done_anew(run) -> None:
    """Killed between the renaming and the noting."""
    run.step("import", writes("old"))
    document = on_disk(run)
    document["steps"][0]["state"] = "running"
    (run.folder / "run.json").write_text(json.dumps(document))
    Run.begin(run.folder, "shop", NOW).step("import", writes("new"))
    assert (run.folder / "import" / "result.txt").read_text() == "new"


def test_the_end_leaves_the_report_alone(run) -> None:
    run.step("import", writes())
    run.finish(run_log.DONE)
    assert [path.name for path in run.folder.iterdir()] == ["run.json"]
    assert on_disk(run)["state"] == "done" and on_disk(run)["finished_at"]


def test_a_report_comes_back_as_it_was(run) -> None:
    run.step("import", writes(rows=3))
    run.report.report["sync"] = {"crm": {"requests": 2}}
    run.save()
    assert run_log.read(run.folder) == run.report


def test_runs_are_listed_newest_first(tmp_path) -> None:
    for day in (1, 2, 3):
        run = Run.begin(tmp_path / "runs" / f"day-{day}", "shop", NOW)
        run.report.started_at = f"2026-03-0{day}"
        run.save()
    assert [run["run"] for run in run_log.runs(tmp_path)] == ["day-3", "day-2", "day-1"]


def test_there_are_no_runs_before_the_first(tmp_path) -> None:
    assert run_log.runs(tmp_path) == []


def test_only_old_finished_runs_are_removed(tmp_path) -> None:
    for day in range(1, 6):
        run = Run.begin(tmp_path / "runs" / f"day-{day}", "shop", NOW)
        run.report.started_at = f"2026-03-0{day}"
        run.report.state = "running" if day == 1 else "done"
        run.save()
    run_log.remove_old(tmp_path, keep=2)
    assert {run["run"] for run in run_log.runs(tmp_path)} == {"day-5", "day-4", "day-1"}


def test_bad_input_a_folder_without_a_report_is_no_run(tmp_path, run) -> None:
    (tmp_path / "runs" / "empty").mkdir()
    assert [found["run"] for found in run_log.runs(tmp_path)] == ["tonight"]


DAMAGED = ["", "{", "[]", "null", "{}", '{"run": 1}', "\x00", '{"run": "other", "now": "?"}']


@pytest.mark.parametrize("content", DAMAGED)
def test_fault_a_damaged_report_hides_its_run_and_no_other(run, content: str) -> None:
    run.finish(run_log.DONE)
    damaged = run.folder.parent / "damaged"
    damaged.mkdir()
    (damaged / "run.json").write_text(content)
    workspace_dir = run.folder.parent.parent
    assert [each["run"] for each in run_log.runs(workspace_dir)] == ["tonight"]
    run_log.remove_old(workspace_dir, keep=30)
    assert run_log.read(run.folder) == run.report


def test_fault_a_run_whose_report_is_damaged_is_begun_anew(run) -> None:
    run.step("import", writes("first"))
    (run.folder / "run.json").write_text('{"run": "toni')
    again = Run.begin(run.folder, "shop", NOW)
    again.step("import", writes("second"))
    assert (run.folder / "import" / "result.txt").read_text() == "second"
