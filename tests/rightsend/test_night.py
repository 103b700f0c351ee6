"""Whole nights of a small shop, as the command line runs them."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rightsend import shop

pytestmark = pytest.mark.slow


class Installation:
    """A small shop and the commands that are run in it."""

    def __init__(self, folder: Path) -> None:
        self.config = shop.write(folder / "shop", customers=40, days=120, more="")
        self.state = folder / "state"

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        where = ["--config", str(self.config), "--state", str(self.state)]
        return subprocess.Popen(
            [sys.executable, "-m", "rightsend.cli", *words, *where],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *words: str) -> bytes:
        process = self.start(*words)
        out, error = process.communicate(timeout=300)
        assert process.returncode == 0, error.decode()
        return out


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation after one night."""
    made = Installation(tmp_path_factory.mktemp("undisturbed"))
    made.run("nightly", "--run", "first", "--json")
    return made


def test_a_segment_made_on_the_command_line_is_exported_best_first(
    undisturbed: Installation,
) -> None:
    words = ("--category", "tea", "--share", "0.25", "--holdout-share", "0.2", "--json")
    made = json.loads(undisturbed.run("segment", "create", *words))
    lines = undisturbed.run("segment", "export", made["id"]).decode().splitlines()
    ranks = [int(line.split(",")[1]) for line in lines[1:]]
    assert len(ranks) == made["count"] == 10
    assert ranks == sorted(ranks)
    header = lines[0].replace('"', "")
    assert header == "customer_id,rank,probability,arm,reasons,reason_codes"
    listed = json.loads(undisturbed.run("segment", "list", "--json"))["segments"]
    assert made["id"] in [segment["id"] for segment in listed]


def test_a_rule_a_list_and_a_profit_on_the_command_line(undisturbed: Installation) -> None:
    ids = undisturbed.config.parent / "ids.txt"
    ids.write_text("\ufefftea-1\n\ntea-2\n")
    size = ("--max-profit", "--margin", "1", "--cost", "0.02", "--horizon-days", "3")
    words = ("--items-file", str(ids), "--where", "category is coffee", *size)
    told = json.loads(undisturbed.run("segment", "create", *words, "--preview", "--json"))
    assert told["requested"] == told["most_profitable"]
    assert told["horizon_days"] == 3
    table = undisturbed.run("segment", "create", *words, "--preview").decode()
    assert {"low", "high"} <= set(table.splitlines()[0].split())
    made = json.loads(undisturbed.run("segment", "create", *words, "--json"))
    assert made["name"] == "category is coffee, ids"
    assert made["low"] <= made["expected_responses"] <= made["high"] <= made["count"]
    shown = undisturbed.run("segment", "show", made["id"], "--members", "3").decode()
    assert len(shown.splitlines()) > 4
    assert "one of these products" in shown


def test_the_backtest_judges_by_what_came_after(undisturbed: Installation) -> None:
    report = json.loads(undisturbed.run("backtest", "--json"))
    assert report["cutoff"].startswith("2026-03-01T00:00")
    assert report["levels"]["category"]["methods"]["rightsend"]["lift@20"]["mean"] > 1.5


def test_the_backtest_writes_a_page_and_the_same_as_json(
    undisturbed: Installation, tmp_path: Path
) -> None:
    page = tmp_path / "backtest.html"
    words = ("--level", "category", "--windows", "1", "--language", "ko")
    printed = json.loads(undisturbed.run("backtest", *words, "--html", str(page), "--json"))
    assert json.loads(page.with_suffix(".json").read_text()) == printed
    assert [entry["snapshot"] for entry in printed["cutoffs"]] == ["first", None]
    assert printed["cutoffs"][1]["cutoff"].startswith("2026-02-22")
    assert "90일 규칙" in page.read_text()


def test_bad_input_a_category_that_the_shop_does_not_have(undisturbed: Installation) -> None:
    process = undisturbed.start("segment", "create", "--category", "shoes", "--count", "5")
    _, error = process.communicate(timeout=120)
    assert process.returncode == 1
    assert b"not in the catalogue: category 'shoes'" in error


def test_bad_input_a_shop_without_purchases_says_so(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    orders = installation.config.parent / "orders.csv"
    orders.write_text(orders.read_text().splitlines()[0] + "\n")
    process = installation.start("nightly")
    _, error = process.communicate(timeout=120)
    assert process.returncode == 1
    assert b"has no purchase before" in error
    assert b"Traceback" not in error


def test_bad_input_a_source_that_is_cut_off_is_told_after_the_night(tmp_path: Path) -> None:
    made = Installation(tmp_path)
    folder = made.config.parent
    whole = gzip.compress(b"sku\n" + b"\n".join(b"item-%d" % n for n in range(20_000)))
    (folder / "more.csv.gz").write_bytes(whole[: len(whole) // 2])
    source = (
        "  - {name: more, type: file, table: items, path: more.csv.gz, columns: {item_id: sku}}"
    )
    text = made.config.read_text()
    made.config.write_text(text.replace("sources:\n", f"sources:\n{source}\n"))
    process = made.start("nightly")
    out, error = process.communicate(timeout=300)
    assert process.returncode == 1
    assert b"snapshot " in out
    assert b"published, but not all was read: source more: " in error
