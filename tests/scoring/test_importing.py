"""Sources → lake, as an operator sees it."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.erasure import ErasureError
from scoring.import_report import SourceReport
from scoring.importing import erase, import_events, import_sources, read_events_after
from scoring.lake import Lake
from scoring.sources.errors import SourceError
from settings.workspace import ColumnMapping, SourceSettings, WorkspaceSettings
from tests.scoring.shop import (
    EVENT_COLUMNS,
    HEADER,
    NOW,
    content,
    events_source,
    ids,
    line,
    quarantined,
    workspace,
)

SECRET = b"a secret"


def run(
    folder: Path, *sources: SourceSettings, now: datetime = NOW, **options: Any
) -> SourceReport:
    """Import the workspace in ``folder``; the report of its first source."""
    changes = {"as_of": options.pop("as_of", None)}
    shop = workspace(folder, *sources, **changes)
    return import_sources(shop, folder / "state", now=now, **options).sources[0]


def lake(folder: Path) -> Lake:
    return Lake(folder / "state" / "lake")


def orders(folder: Path, *lines: str, name: str = "orders.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + "".join(lines))
    return path


def adds_up(report: SourceReport) -> bool:
    parts = report.rows_added + report.rows_known + report.rows_after_now + report.rows_erased
    return report.rows_read == parts + sum(report.rows_quarantined.values())


def test_rows_arrive_in_the_lake(tmp_path: Path) -> None:
    orders(tmp_path, line(1), line(2, who="lee"))
    report = run(tmp_path)
    assert (report.rows_read, report.rows_added, report.error) == (2, 2, None)
    assert [row["identifier"] for row in content(lake(tmp_path))] == ["kim", "lee"]


def test_a_second_run_reads_nothing(tmp_path: Path) -> None:
    orders(tmp_path, line(1))
    run(tmp_path)
    again = run(tmp_path)
    assert (again.rows_read, again.files_skipped) == (0, 1)


def test_a_file_that_grew_adds_only_its_new_rows(tmp_path: Path) -> None:
    orders(tmp_path, line(1))
    run(tmp_path)
    orders(tmp_path, line(1), line(2))
    report = run(tmp_path)
    assert (report.rows_added, report.rows_known) == (1, 1)
    assert ids(lake(tmp_path)) == ["1", "2"]


def test_another_mapping_reads_the_file_again(tmp_path: Path) -> None:
    orders(tmp_path, line(1))
    run(tmp_path)
    prefixed = {**EVENT_COLUMNS, "event_id": ColumnMapping(join=("who", "id"))}
    assert run(tmp_path, events_source(columns=prefixed)).rows_added == 1
    assert ids(lake(tmp_path)) == ["1", "kim-1"]


def test_bad_input_every_bad_row_is_in_quarantine_with_its_line_and_reason(tmp_path: Path) -> None:
    orders(
        tmp_path,
        line(1), line("", who="lee"), line(3, when="noon"), line(4, when="2027-01-01"),
        line(5, what="sale"), line(6, n=-1), line(7, n="many"), "8,too,few\n", line(1, n=9),
        line(9, what="return", n=-1),
    )  # fmt: skip
    report = run(tmp_path)
    expected = [
        (3, "missing_id"), (4, "unparsable_time"), (5, "future_time"), (6, "unknown_event_type"),
        (7, "negative_quantity"), (8, "unparsable_number"), (9, "broken_line"),
        (10, "duplicate_id"),
    ]  # fmt: skip
    assert quarantined(tmp_path / "state") == expected
    assert report.rows_quarantined == dict.fromkeys((reason for _, reason in expected), 1)
    assert (report.rows_read, report.rows_added, adds_up(report)) == (10, 2, True)
    assert ids(lake(tmp_path)) == ["1", "9"]


def test_quarantine_holds_the_row_as_it_stood(tmp_path: Path) -> None:
    path = orders(tmp_path, line(1, when="noon"))
    run(tmp_path)
    entry = json.loads((tmp_path / "state/quarantine/orders.ndjson").read_text())
    assert entry == {
        "source": "orders", "file": str(path), "line": 2, "reason": "unparsable_time",
        "row": line(1, when="noon").strip(),
    }  # fmt: skip


def test_quarantine_is_not_doubled_by_reading_again(tmp_path: Path) -> None:
    orders(tmp_path, line(1, when="noon"), name="d/1.csv")
    second = orders(tmp_path, line(2, when="noon"), name="d/2.csv")
    for _ in range(3):
        run(tmp_path, events_source("d"))
        os.utime(second)
    assert quarantined(tmp_path / "state") == [(2, "unparsable_time")] * 2


def test_a_corrected_file_leaves_quarantine(tmp_path: Path) -> None:
    orders(tmp_path, line(1, when="noon"), line(2))
    run(tmp_path)
    orders(tmp_path, line(1), line(2))
    run(tmp_path)
    assert quarantined(tmp_path / "state") == []
    assert ids(lake(tmp_path)) == ["1", "2"]


def test_bad_input_a_file_that_cannot_be_read_stops_no_other(tmp_path: Path) -> None:
    packed = gzip.compress((HEADER + line(1)).encode())
    (tmp_path / "d").mkdir()
    (tmp_path / "d/1.csv.gz").write_bytes(packed[:-6])
    (tmp_path / "d/2.csv").write_text("other,columns\n1,2\n")
    (tmp_path / "d/3.parquet").write_text("no parquet")
    orders(tmp_path, line(4), name="d/5.csv")
    report = run(tmp_path, events_source("d"))
    assert ids(lake(tmp_path)) == ["1", "4"]  # of 1.csv.gz what came before the damage
    assert [next(n for n in "123" if f"d/{n}." in error) for error in report.errors] == [
        "1",
        "2",
        "3",
    ]
    assert run(tmp_path, events_source("d")).files_read == 0  # still broken, still told
    assert len(run(tmp_path, events_source("d")).errors) == 3


def test_bad_input_a_source_that_cannot_be_opened_stops_no_other(tmp_path: Path) -> None:
    orders(tmp_path, line(1))
    shop = workspace(tmp_path, events_source("none.csv", name="lost"), events_source())
    lost, found = import_sources(shop, tmp_path / "state", now=NOW).sources
    assert lost.error is not None
    assert "none.csv: no such file or folder" in lost.error
    assert found.rows_added == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_bad_input_a_file_without_permission(tmp_path: Path) -> None:
    orders(tmp_path, line(1)).chmod(0)
    error = run(tmp_path).error
    assert error is not None
    assert "Permission denied" in error


def test_bad_input_unknown_source_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such source: nope"):
        run(tmp_path, only=["nope"])


def test_only_the_named_sources_are_read(tmp_path: Path) -> None:
    orders(tmp_path, line(1))
    shop = workspace(tmp_path, events_source(), events_source("none", name="other"))
    (report,) = import_sources(shop, tmp_path / "state", now=NOW, only=["orders"]).sources
    assert report.source == "orders"


def test_replay_imports_what_has_happened_when_it_has(tmp_path: Path) -> None:
    as_of = NOW - timedelta(days=5)
    orders(tmp_path, line(1), line(2, when="2026-03-07T00:00:00Z"), line(3, when="2026-03-09"))
    first = run(tmp_path, now=as_of, as_of=as_of)
    assert (first.rows_added, first.rows_after_now, adds_up(first)) == (1, 2, True)
    assert run(tmp_path, now=as_of + timedelta(days=1), as_of=as_of).files_skipped == 1
    third = run(tmp_path, now=as_of + timedelta(days=3), as_of=as_of)
    assert (third.rows_added, third.rows_known, third.rows_after_now) == (1, 1, 1)
    assert ids(lake(tmp_path)) == ["1", "2"]


def test_replay_and_the_truth_after_it_are_parts_of_one_whole(tmp_path: Path) -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    days = [f"2026-03-0{day}T00:00:00Z" for day in range(1, 8)]
    orders(tmp_path, *(line(i, when=day) for i, day in enumerate(days)), line(9, when="noon"))
    run(tmp_path, now=now, as_of=now)
    shop = workspace(tmp_path)
    until = now + timedelta(days=4)
    truth = read_events_after(shop, since=now, until=until)["event_id"].to_pylist()
    assert (ids(lake(tmp_path)), truth) == (["0"], ["1", "2", "3", "4"])
    assert ids(lake(tmp_path)) == ["0"]  # reading the truth has not told it


def test_bad_input_truth_of_a_source_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        read_events_after(workspace(tmp_path), since=NOW, until=NOW + timedelta(days=1))


def test_newest_item_file_wins_also_when_an_older_one_is_read_later(tmp_path: Path) -> None:
    columns = {"item_id": ColumnMapping(column="sku"), "name": ColumnMapping(column="title")}
    source = events_source("d", name="items", table="items", columns=columns)
    (tmp_path / "d").mkdir()
    for age, (name, title) in enumerate([("z.csv", "old"), ("a.csv", "new")]):
        path = tmp_path / "d" / name
        path.write_text(f"sku,title\ntea,{title}\nmug,{title}\n,nameless\n")
        os.utime(path, (1_700_000_000 + age, 1_700_000_000 + age))
    report = run(tmp_path, source)
    assert lake(tmp_path).items().to_pyarrow()["name"].to_pylist() == ["new", "new"]
    assert report.rows_quarantined == {"missing_id": 2}
    assert adds_up(report)


def test_progress_counts_rows(tmp_path: Path) -> None:
    orders(tmp_path, line(1), line(2))
    seen: list[tuple[str, int, int | None]] = []
    run(tmp_path, progress=lambda *args: seen.append(args))
    assert seen == [("orders", 2, 2)]


def test_report_as_json(tmp_path: Path) -> None:
    orders(tmp_path, line(1), line(2, n="x"))
    document = import_sources(workspace(tmp_path), tmp_path / "state", now=NOW).to_json()
    (source,) = json.loads(json.dumps(document))["sources"]
    assert source["rows_quarantined"] == {"unparsable_number": 1}
    assert source["error"] is None


# erasure


def test_an_erased_person_does_not_come_back(tmp_path: Path) -> None:
    orders(tmp_path, line(1), line(2, who="lee"), line(3, n="x"), line(4, who="lee", n="x"))
    run(tmp_path)
    assert erase(tmp_path / "state", [("external_id", "kim")], secret=SECRET) == 1
    assert quarantined(tmp_path / "state") == [(5, "unparsable_number")]
    orders(tmp_path, line(1), line(2, who="lee"), line(5), line(6, who="lee"))
    report = run(tmp_path, secret=SECRET)
    assert (report.rows_erased, report.rows_added, adds_up(report)) == (2, 1, True)
    assert ids(lake(tmp_path)) == ["2", "6"]
    assert "kim" not in (tmp_path / "state/erased.json").read_text()


def test_erased_customers_records_stay_out_by_any_identifier(tmp_path: Path) -> None:
    columns = {
        "customer_id": ColumnMapping(column="id"),
        "identifiers": ColumnMapping(column="ids"),
    }
    source = events_source("c.ndjson", name="members", table="customers", columns=columns)
    people = [
        {"id": "kim", "ids": {"alias": ["k"]}},
        {"id": "lee", "ids": {"alias": "l"}},
        {"id": "pak"},
    ]
    (tmp_path / "c.ndjson").write_text("".join(json.dumps(person) + "\n" for person in people))
    erase(tmp_path / "state", [("alias", "k"), ("external_id", "pak")], secret=SECRET)
    report = run(tmp_path, source, secret=SECRET)
    assert lake(tmp_path).customers().to_pyarrow()["customer_id"].to_pylist() == ["lee"]
    assert report.rows_erased == 2


def test_bad_input_erasures_cannot_be_forgotten_by_leaving_out_the_secret(tmp_path: Path) -> None:
    orders(tmp_path, line(1))
    erase(tmp_path / "state", [("external_id", "kim")], secret=SECRET)
    with pytest.raises(ErasureError, match="secret is needed"):
        run(tmp_path)


def test_bad_input_damaged_list_of_erasures_stops_the_import(tmp_path: Path) -> None:
    orders(tmp_path, line(1))
    (tmp_path / "state").mkdir()
    (tmp_path / "state/erased.json").write_text("{")
    with pytest.raises(ErasureError, match="restore it from a backup"):
        run(tmp_path, secret=SECRET)


# real-time events


def event(id_: str | None = "e1", **changes: Any) -> dict[str, Any]:
    return {
        "event_id": id_, "occurred_at": NOW, "identifier": "kim", "event_type": "view",
        "item_id": "tea", "properties": {"page": 1}, **changes,
    }  # fmt: skip


def test_stream_batch_arrives_once_however_often_it_is_delivered(tmp_path: Path) -> None:
    for _ in range(2):
        report = import_events([event(), event("e2", quantity=2)], tmp_path / "state", now=NOW)
    assert (report.rows_added, report.rows_known) == (0, 2)
    first, second = content(lake(tmp_path))
    assert (first["occurred_at"], json.loads(first["properties"])) == (NOW, {"page": 1})
    assert second["quantity"] == 2.0


def test_stream_event_without_an_id_is_known_by_its_content(tmp_path: Path) -> None:
    for _ in range(2):
        import_events([event(None), event(None, item_id="mug")], tmp_path / "state", now=NOW)
    assert len(ids(lake(tmp_path))) == 2


def test_bad_input_stream_events_go_to_quarantine_once(tmp_path: Path) -> None:
    bad = [
        event("e1", event_type="sneeze"),
        event("e2", occurred_at="noon"),
        event("e3", quantity=-1),
    ]
    for _ in range(2):
        report = import_events([*bad, event("e4")], tmp_path / "state", now=NOW)
    reasons = [reason for _, reason in quarantined(tmp_path / "state", "stream")]
    assert reasons == ["unknown_event_type", "unparsable_time", "negative_quantity"]
    assert sum(report.rows_quarantined.values()) == 3
    assert ids(lake(tmp_path)) == ["e4"]


def test_empty_stream_batch(tmp_path: Path) -> None:
    assert import_events([], tmp_path / "state", now=NOW).rows_read == 0


def test_erased_people_do_not_come_back_by_the_stream(tmp_path: Path) -> None:
    erase(tmp_path / "state", [("device_id", "d1")], secret=SECRET)
    events = [event("e1", device_id="d1"), event("e2")]
    report = import_events(events, tmp_path / "state", now=NOW, secret=SECRET)
    assert (report.rows_erased, ids(lake(tmp_path))) == (1, ["e2"])


# any cut of the same rows


@settings(max_examples=25)
@given(
    rows=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3)), max_size=12),
    cuts=st.lists(st.integers(0, 12), max_size=3),
)
def test_the_lake_is_the_same_however_rows_are_cut_into_files(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int]], cuts: list[int]
) -> None:
    found = []
    lines = [line(id_, n=n) for id_, n in rows]
    for bounds in ([], sorted(cuts)):
        folder = tmp_path_factory.mktemp("shop")
        edges = [0, *bounds, len(lines)]
        (folder / "d").mkdir()
        for number, (start, end) in enumerate(pairwise(edges)):
            path = orders(folder, *lines[start:end], name=f"d/{number}.csv")
            os.utime(path, (1_700_000_000 + number,) * 2)
        report = run(folder, events_source("d"))
        assert adds_up(report)
        found.append((content(lake(folder)), report.rows_added, report.rows_quarantined))
    assert found[0] == found[1]


def test_workspace_of_several_sources_reports_in_order(tmp_path: Path) -> None:
    orders(tmp_path, line(1))
    shop: WorkspaceSettings = workspace(tmp_path, events_source(name="b"), events_source(name="a"))
    report = import_sources(shop, tmp_path / "state", now=NOW)
    assert [(source.source, source.rows_added, source.rows_known) for source in report.sources] == [
        ("b", 1, 0),
        ("a", 0, 1),
    ]
