"""`rightsend backtest`: what it refuses before it starts to work, and what it writes."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rightsend import cli
from rightsend.commands import backtest
from rightsend.context import Context
from scoring.backtest.report import Choice, Results
from scoring.backtest.run import CutoffReport, Plan
from tests import nightly_shop
from tests.nights import Night, night  # noqa: F401  a fixture
from tests.rightsend import shop

MARCH = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return shop.write(tmp_path / "shop")


def run(config: Path, *words: str | Path) -> int:
    return cli.run(["backtest", "--config", str(config), *map(str, words)])


def judged(cutoff: datetime, snapshot: str | None = None) -> CutoffReport:
    known = dict.fromkeys(("customers", "items", "purchases_before", "purchases_after"), 1)
    return CutoffReport(cutoff, snapshot, known, Results([], {}, []), [], 0.0)


@pytest.mark.parametrize(
    ("windows", "reports", "words"),
    [
        (1, [judged(MARCH, "n1"), judged(MARCH - timedelta(7))], "--snapshot n1 --windows 1"),
        (0, [judged(MARCH)], "--cutoff 2026-03-01T00:00:00"),
    ],
)
def test_the_command_that_repeats_it_names_the_moment(windows, reports, words) -> None:
    when = backtest.When(None, (), windows)
    found = backtest._command(
        when, reports, Plan(Choice(levels=("any",), min_buyers=50), ablations=("ease",))
    )
    assert found == f"rightsend backtest {words} --level any --min-buyers 50 --ablate ease"


@pytest.fixture
def changed(night: Night, tmp_path: Path):  # noqa: F811
    """Runs the command on the night with another configuration than it was made with."""
    state = night.workspace_dir.parents[1]

    def run_changed(old: str, new: str, *words: str) -> int:
        path = nightly_shop.write(tmp_path / "changed", clicks=True)
        path.write_text(path.read_text().replace(old, new))
        return run(path, "--state", state, "--level", "any", *words)

    return run_changed


def test_a_night_is_judged_by_the_horizon_that_it_learned(changed, capsys) -> None:
    assert changed("horizon_days: 7", "horizon_days: 14", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["horizon_days"] == report["settings"]["models"]["horizon_days"] == 7
    (cutoff,) = report["cutoffs"]
    assert cutoff["end"][:10] == "2026-03-08"


def test_the_page_and_its_json_or_the_page_alone_into_a_pipe(changed, tmp_path: Path) -> None:
    assert changed("", "", "--html", str(tmp_path / "page.html")) == 0
    assert json.loads((tmp_path / "page.json").read_text())["workspace"] == "shop"
    pipe, heard = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    assert changed("", "", "--html", str(pipe)) == 0
    reader.join(timeout=10)
    assert heard[0].startswith("<!doctype html>")
    assert not pipe.with_suffix(".json").exists()


def test_bad_input_a_snapshot_whose_window_is_not_over(changed, night, capsys, monkeypatch) -> None:  # noqa: F811
    monkeypatch.setattr(Context, "now", lambda *_: nightly_shop.AS_OF + timedelta(days=3))
    as_of = f"as_of: {nightly_shop.AS_OF.isoformat()}"
    assert changed(as_of, "", "--snapshot", night.report.run) == 1
    assert "the 7 days after 2026-03-01 00:00 UTC are not over" in capsys.readouterr().err


def test_bad_input_a_snapshot_and_a_cutoff(capsys, config: Path) -> None:
    assert run(config, "--snapshot", "n1", "--cutoff", "2026-02-01") == 2
    assert "leave out --cutoff, or use --windows" in capsys.readouterr().err


def test_bad_input_a_cutoff_whose_window_is_not_over(capsys, config: Path) -> None:
    assert run(config, "--cutoff", "2026-02-01", "--cutoff", "2026-02-27") == 1
    error = capsys.readouterr().err
    assert "the 7 days after 2026-02-27 00:00 UTC are not over" in error
    assert "is 2026-02-22T00:00:00" in error


def test_bad_input_a_cutoff_before_all_data(capsys, config: Path) -> None:
    assert run(config, "--cutoff", "2001-01-01") == 1
    assert "the lake holds no purchase of an item before 2001-01-01" in capsys.readouterr().err


def test_bad_input_more_windows_than_there_is_past_trains_nothing(
    changed, capsys, monkeypatch
) -> None:
    monkeypatch.setattr(backtest, "of_snapshot", None)
    monkeypatch.setattr(backtest, "of_lake", None)
    assert changed("", "", "--windows", "30") == 1
    error = capsys.readouterr().err
    assert (
        "no purchase of an item before 2025-12-21 00:00 UTC; the first one was at 2025-12" in error
    )
    assert "fewer --windows" in error


def test_bad_input_a_workspace_without_a_snapshot(capsys, config: Path, tmp_path: Path) -> None:
    assert run(config, "--state", tmp_path / "new") == 1
    assert "run `rightsend nightly` first" in capsys.readouterr().err


def test_bad_input_a_page_that_cannot_be_written_is_told_at_once(
    capsys, config: Path, tmp_path: Path
) -> None:
    assert run(config, "--html", tmp_path / "nowhere" / "page.html") == 1
    assert "cannot be written: the folder is not there" in capsys.readouterr().err
    assert run(config, "--html", tmp_path) == 2
    assert "is a directory" in capsys.readouterr().err


def test_bad_input_a_page_in_the_place_of_its_json(capsys, config: Path, tmp_path: Path) -> None:
    assert run(config, "--html", tmp_path / "page.json") == 1
    assert "the JSON is written there" in capsys.readouterr().err


def test_bad_input_a_folder_in_the_place_of_the_json(capsys, config: Path, tmp_path: Path) -> None:
    (tmp_path / "page.json").mkdir()
    assert run(config, "--html", tmp_path / "page.html") == 1
    assert "page.json is a directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ("--level", "colour"),
        ("--targets", "0"),
        ("--min-buyers", "0"),
        ("--windows", "-1"),
        ("--windows", "99"),
        ("--language", "fr"),
        ("--ablate", "luck"),
        ("--cutoff", "yesterday"),
    ],
)
def test_bad_input_an_option_out_of_range(config: Path, words) -> None:
    assert run(config, *words) == 2
