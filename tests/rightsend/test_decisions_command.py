"""`rightsend decisions`, and the examples of docs/decisions.md."""

from __future__ import annotations

import csv
import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from rightsend import cli
from rightsend.context import Context
from scoring.decision_report import GROUPS, SHOWN
from scoring.decisions import Decisions
from scoring.holdout import CONTROL
from scoring.importing import import_events
from scoring.store.decisions import Decision, pack_block, unpack_block
from scoring.store.keys import customer_hash
from tests.decisions import AT_S, decision
from tests.rightsend import shop

PAGE = (Path(__file__).parents[2] / "docs" / "decisions.md").read_text()


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context.load(shop.write(tmp_path / "shop", more=""), tmp_path / "state")


@pytest.fixture
def run(context: Context, capsys) -> Callable[..., str]:
    """A command in the installation; what it prints."""
    where = ("--config", str(context.settings.file), "--state", str(context.settings.state_dir))

    def call(*words: str | Path, status: int = 0) -> str:
        assert cli.run(["decisions", *map(str, words), *where]) == status
        captured = capsys.readouterr()
        return captured.err if status else captured.out

    return call


def store(context: Context, *made: Decision, process: str = "p", first: int = 0) -> None:
    block = unpack_block(pack_block(process, first, made))
    folder = context.workspace_dir(context.workspace())
    Decisions(folder).store([block], at_s=AT_S, secret=context.secret)


def hash_of(context: Context, customer: str) -> bytes:
    return customer_hash(context.secret, "shop", customer)


@pytest.fixture
def logged(context: Context) -> None:
    """Three decisions of two campaigns, the first one asked for twice."""
    one = decision(1, customer=hash_of(context, "c01"))
    control = decision(
        2, customer=hash_of(context, "c02"), arm=CONTROL, send=False, send_reason="holdout"
    )
    fallback = decision(3, customer=b"", campaign="", kind="related", reason="unknown_item")
    store(context, one, one._replace(at_s=AT_S + 2), control, fallback)


def test_count_tells_decisions_from_answers(logged, run) -> None:
    found = json.loads(run("count", "--json"))
    assert found["by"] == "campaign_id"
    assert found["counts"] == [
        {
            "campaign_id": "spring", "decisions": 2, "answers": 3, "customers": 2,
            "fallback_share": 0.0, "unsent_share": 0.5, "control_share": 0.5,
        },
        {
            "campaign_id": None, "decisions": 1, "answers": 1, "customers": 0,
            "fallback_share": 1.0, "unsent_share": 0.0, "control_share": 0.0,
        },
    ]  # fmt: skip
    assert found["log"] == {"logged": 4, "late": 0, "lost": 0, "processes": 1}


def test_count_says_what_is_lost(logged, run, context) -> None:
    store(context, decision(9), first=7)
    assert time.time() > AT_S + 60
    assert run("count").endswith("answers in the lake: 5, late: 0, lost: 3\n")


@pytest.mark.parametrize("by", GROUPS)
def test_count_groups_by(logged, run, by: str) -> None:
    found = json.loads(run("count", "--by", by, "--json"))["counts"]
    assert sum(row["answers"] for row in found) == 4
    assert by in run("count", "--by", by)


def test_count_of_some(logged, run) -> None:
    def answers(*words: str) -> int:
        found = json.loads(run("count", "--json", *words))["counts"]
        return sum(row["answers"] for row in found)

    assert answers("--campaign", "spring") == 3
    assert answers("--kind", "related") == 1
    assert answers("--since", "2026-03-02", "--until", "2026-03-02") == 4
    assert answers("--since", "2026-03-03") == answers("--until", "2026-03-01") == 0


def test_list_shows_the_newest_of_a_customer(logged, run) -> None:
    found = json.loads(run("list", "--customer", "c01", "--json"))["decisions"]
    assert [row["sequence"] for row in found] == [1, 0]
    assert found[0]["items"] == ["item-03", "item-01"]
    assert json.loads(run("list", "--limit", "1", "--json"))["decisions"][0]["kind"] == "related"
    text = run("list", "--customer", "c02")
    assert "holdout" in text
    assert "item-03 item-01" in text
    assert len(text.splitlines()) == 2


def test_export_as_parquet_holds_all_of_it(logged, run, tmp_path: Path) -> None:
    run("export", "--output", tmp_path / "all.parquet")
    table = pq.read_table(tmp_path / "all.parquet")
    assert table.schema.equals(SHOWN)
    assert table["sequence"].to_pylist() == [0, 1, 2, 3]
    run("export", "--once", "--campaign", "spring", "--output", tmp_path / "once.parquet")
    assert pq.read_table(tmp_path / "once.parquet")["sequence"].to_pylist() == [0, 2]


def test_export_as_csv_writes_lists_as_json(logged, run, tmp_path: Path) -> None:
    run("export", "--output", tmp_path / "all.csv")
    with (tmp_path / "all.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    assert json.loads(rows[0]["items"]) == ["item-03", "item-01"]
    assert json.loads(rows[0]["scores"]) == [0.5, 0.25]


def test_without_any_decision_there_are_empty_tables(run, tmp_path: Path) -> None:
    assert json.loads(run("count", "--json"))["counts"] == []
    assert json.loads(run("list", "--json"))["decisions"] == []
    run("export", "--output", tmp_path / "none.parquet")
    assert pq.read_table(tmp_path / "none.parquet").schema.equals(SHOWN)
    run("customers", "--output", tmp_path / "who.csv")
    assert len((tmp_path / "who.csv").read_text().splitlines()) == 1


def test_bad_input_a_file_of_another_kind_is_refused(run, tmp_path: Path) -> None:
    error = run("export", "--output", tmp_path / "x.xlsx", status=1)
    assert "ends with .parquet or .csv" in error
    assert "ends with .parquet or .csv" in run("customers", "--output", "x", status=1)


def test_bad_input_a_campaign_with_quotes_is_a_name_like_any_other(run, context) -> None:
    store(context, decision(campaign="a' OR 'b"))
    found = json.loads(run("count", "--campaign", "a' OR 'b", "--json"))["counts"]
    assert [row["campaign_id"] for row in found] == ["a' OR 'b"]
    assert json.loads(run("count", "--campaign", "' OR ''='", "--json"))["counts"] == []


def purchase(number: int, customer: str, at_s: float, price: float) -> dict[str, Any]:
    return {
        "event_id": f"e{number}",
        "occurred_at": datetime.fromtimestamp(at_s, UTC),
        "identifier": customer,
        "identifier_kind": "external_id",
        "event_type": "purchase",
        "item_id": "item-01",
        "quantity": 2,
        "unit_price": price,
    }


def test_the_examples_of_the_page_work(
    logged, run, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = context.workspace_dir(context.workspace())
    events = [
        purchase(1, "c01", AT_S + 3600, 5.0),
        purchase(2, "c01", AT_S - 3600, 7.0),  # before
        purchase(3, "c02", AT_S + 8 * 86_400, 9.0),  # too late
    ]
    import_events(events, folder, now=datetime(2026, 3, 20, tzinfo=UTC), secret=context.secret)
    monkeypatch.chdir(tmp_path)  # where the page's `state` is
    run("customers", "--output", "who.parquet")
    found: list[Any] = []
    names: dict[str, Any] = {"print": lambda relation: found.append(relation.fetchall())}
    for example in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(example, names)
    (control, treatment), places = found
    assert control[:3] == (CONTROL, 1, 0.0)
    assert treatment[:3] == ("treatment", 1, 1.0)
    assert (control[4], treatment[4]) == (0.0, 10.0)
    assert places == [(1, 1, 0.0), (2, 1, 1.0)]


def test_the_page_names_every_column() -> None:
    for name in SHOWN.names:
        assert re.search(rf"^\| .*\b{name}\b.* \|", PAGE, re.MULTILINE), name


def test_the_page_calls_commands_that_exist() -> None:
    assert set(re.findall(r"^rightsend decisions (\w+)", PAGE, re.MULTILINE)) == {
        "count", "list", "export", "customers",
    }  # fmt: skip
