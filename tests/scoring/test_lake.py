"""The lake's tables: append, upsert, erase, read."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from deltalake import DeltaTable
from hypothesis import given
from hypothesis import strategies as st

from scoring import canonical
from scoring.delta import Delta, LakeError
from scoring.lake import Lake
from tests.scoring.shop import content, event_table, ids

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
FUTURE = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def on(day: float, id_: str) -> dict[str, Any]:
    return {"event_id": id_, "occurred_at": MARCH + timedelta(days=day)}


def customers(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=canonical.schema("customers"))


def items(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=canonical.schema("items"))


def files_with(folder: Path, text: str) -> list[str]:
    """Every file under ``folder`` that holds these bytes (Parquet pages unpacked too)."""
    found = []
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        data = path.read_bytes()
        if path.suffix == ".parquet":
            data += str(pa.parquet.read_table(path).to_pydict()).encode()
        if text.encode() in data:
            found.append(path.name)
    return found


def test_an_empty_lake_has_empty_tables_with_their_columns(lake: Lake) -> None:
    events = lake.events(before=FUTURE)
    assert events.columns == (*canonical.COLUMNS["events"], "day")
    assert events.to_pyarrow().num_rows == 0
    for table in (lake.items(), lake.customers(), lake.campaigns(), lake.offers()):
        assert table.count().to_pyarrow().as_py() == 0


def test_rows_come_back_as_they_were(lake: Lake) -> None:
    rows = event_table(
        {
            "event_id": "e1", "occurred_at": datetime(2026, 3, 1, 23, 59, 59, 999999, UTC),
            "quantity": 0.1, "unit_price": 1e-9, "properties": '{"a": "한"}', "device_id": "d1",
        }
    )  # fmt: skip
    lake.append_events(rows, batch="b")
    found = lake.events(before=FUTURE).to_pyarrow()
    assert found.drop_columns(["day"]).equals(rows)
    assert found["day"].to_pylist() == ["2026-03-01"]


def test_events_before_and_since(lake: Lake) -> None:
    lake.append_events(event_table(*(on(day, f"e{day}") for day in range(5))), batch="b")
    found = lake.events(before=MARCH + timedelta(3), since=MARCH + timedelta(1)).to_pyarrow()
    assert sorted(found["event_id"].to_pylist()) == ["e1", "e2"]


def test_before_prunes_by_day_and_cuts_within_it(lake: Lake) -> None:
    lake.append_events(event_table(on(0.25, "a"), on(0.75, "b"), on(1, "c")), batch="b")
    later = next((lake.folder / "events" / "day=2026-03-02").glob("*.parquet"))
    later.write_bytes(b"never read")
    found = lake.events(before=MARCH + timedelta(days=0.5)).to_pyarrow()
    assert found["event_id"].to_pylist() == ["a"]


def test_appending_again_adds_nothing(lake: Lake) -> None:
    rows = event_table(on(0, "a"), on(1, "b"))
    assert lake.append_events(rows, batch="b").added == 2
    again = lake.append_events(rows, batch="b")
    assert (again.added, again.known, again.conflicts.tolist()) == (0, 2, [])


def test_same_id_with_other_content_is_a_conflict_and_the_first_stays(lake: Lake) -> None:
    lake.append_events(event_table(on(0, "a")), batch="b")
    other = {**on(0, "a"), "quantity": 2.0}
    moved = on(40, "a")
    report = lake.append_events(event_table(on(0, "b"), other, moved, on(0, "a")), batch="c")
    assert (report.added, report.known, report.conflicts.tolist()) == (1, 1, [1, 2])
    assert [(row["event_id"], row["quantity"]) for row in content(lake)] == [
        ("a", None),
        ("b", None),
    ]


def test_within_a_batch_the_first_of_an_id_counts(lake: Lake) -> None:
    other = {**on(0, "a"), "quantity": 2.0}
    report = lake.append_events(event_table(on(0, "a"), other, on(0, "a"), on(0, "b")), batch="b")
    assert (report.added, report.known, report.conflicts.tolist()) == (2, 1, [1])


def test_a_table_that_was_asked_for_does_not_change_under_its_reader(lake: Lake) -> None:
    lake.append_events(event_table(on(0, "a")), batch="b")
    table = Lake(lake.folder).events(before=FUTURE)
    lake.append_events(event_table(on(0, "b")), batch="c")
    lake.compact()
    assert table["event_id"].to_pyarrow().to_pylist() == ["a"]
    assert ids(lake) == ["a", "b"]


def test_upsert_replaces_whole_rows_by_id(lake: Lake) -> None:
    first = items(
        {"item_id": "tea", "name": "Tea", "price": 2.0}, {"item_id": "mug", "name": "Mug"}
    )
    assert lake.upsert("items", first, batch="a").added == 2
    report = lake.upsert("items", items({"item_id": "tea", "name": "Green tea"}), batch="b")
    assert (report.added, report.known) == (1, 0)
    found = {row["item_id"]: row for row in lake.items().to_pyarrow().to_pylist()}
    assert found["tea"]["name"] == "Green tea"
    assert found["tea"]["price"] is None
    assert found["mug"]["name"] == "Mug"


def test_upsert_of_the_same_writes_nothing(lake: Lake) -> None:
    rows = items({"item_id": "tea", "name": "Tea"})
    lake.upsert("items", rows, batch="a")
    log = sorted((lake.folder / "items" / "_delta_log").iterdir())
    assert lake.upsert("items", rows, batch="b").known == 1
    assert sorted((lake.folder / "items" / "_delta_log").iterdir()) == log


def test_upsert_of_one_id_twice_keeps_the_last(lake: Lake) -> None:
    lake.upsert("items", items(*[{"item_id": "tea", "name": f"{i}"} for i in range(3)]), batch="a")
    assert lake.items().to_pyarrow()["name"].to_pylist() == ["2"]


def test_a_lake_from_before_a_column_was_added_is_read_and_written(tmp_path: Path) -> None:
    schema = canonical.schema("items")
    older = schema.remove(schema.get_field_index("tags"))
    row = {"item_id": "tea", "name": "Tea", "price": 2.5}
    folder = tmp_path / "lake" / "items"
    Delta(folder, older).commit(pa.Table.from_pylist([row], schema=older), note="before")
    lake = Lake(tmp_path / "lake")
    assert lake.items().to_pyarrow().to_pylist() == [{**dict.fromkeys(schema.names), **row}]
    report = lake.upsert("items", items({"item_id": "mug", "tags": ["new"]}), batch="after")
    assert report.added == 1
    assert {row["item_id"]: row["tags"] for row in lake.items().to_pyarrow().to_pylist()} == {
        "tea": None, "mug": ["new"],
    }  # fmt: skip
    columns = [field.name for field in DeltaTable(str(folder)).schema().fields]
    assert columns == schema.names  # as any other reader of Delta tables sees them
    assert lake.upsert("items", items({"item_id": "mug", "tags": ["new"]}), batch="x").added == 0


@pytest.mark.parametrize("table", ["events", "nonsense"])
def test_bad_input_upsert_into_what_is_no_such_table(lake: Lake, table: str) -> None:
    with pytest.raises(ValueError, match="no table to upsert into"):
        lake.upsert(table, items(), batch="a")


def test_bad_input_naive_times_are_refused(lake: Lake) -> None:
    with pytest.raises(ValueError, match="time with a zone"):
        lake.events(before=datetime(2026, 1, 1))


def test_bad_input_rows_without_a_canonical_column(lake: Lake) -> None:
    with pytest.raises(KeyError, match="identifier"):
        lake.append_events(event_table(on(0, "a")).drop_columns(["identifier"]), batch="b")


def test_erased_people_are_in_no_file_any_more(lake: Lake) -> None:
    who = {"identifier": "kim-1234567"}
    lake.append_events(
        event_table({**on(0, "a"), **who}, on(0, "b"), {**on(1, "c"), **who}), batch="b"
    )
    lake.upsert(
        "customers", customers({"customer_id": "kim-1234567"}, {"customer_id": "lee"}), batch="b"
    )
    assert files_with(lake.folder, "kim-1234567")
    assert lake.erase([("external_id", "kim-1234567")]) == 3
    assert files_with(lake.folder, "kim-1234567") == []
    assert ids(lake) == ["b"]
    assert lake.customers().to_pyarrow()["customer_id"].to_pylist() == ["lee"]


def test_erasing_a_device_erases_what_it_did_for_others(lake: Lake) -> None:
    lake.append_events(
        event_table(
            {**on(0, "a"), "device_id": "tablet"},
            {**on(0, "b"), "identifier": "tablet", "identifier_kind": "device_id"},
            {**on(0, "c"), "identifier": "tablet"},
        ),
        batch="b",
    )
    assert lake.erase([("device_id", "tablet")]) == 2
    assert ids(lake) == ["c"]


def test_erasing_finds_customers_by_their_listed_identifiers(lake: Lake) -> None:
    lake.upsert(
        "customers",
        customers(
            {"customer_id": "kim", "identifiers": '{"device_id": ["d1", "d2"]}'},
            {"customer_id": "lee", "identifiers": '{"device_id": "d2"}'},
            {"customer_id": "pak", "identifiers": '{"alias": "d2"}'},
        ),
        batch="b",
    )
    assert lake.erase([("device_id", "d2")]) == 2
    assert lake.customers().to_pyarrow()["customer_id"].to_pylist() == ["pak"]


def test_erasing_with_quotes_and_nobody(lake: Lake) -> None:
    lake.append_events(event_table({**on(0, "a"), "identifier": "o'neil"}), batch="b")
    assert lake.erase([]) == 0
    assert lake.erase([("external_id", "nobody")]) == 0
    assert lake.erase([("external_id", "o'neil")]) == 1


def test_small_files_of_a_day_are_joined_and_large_ones_left_alone(lake: Lake) -> None:
    lake.append_events(event_table(*(on(1, f"big-{n}") for n in range(5000))), batch="big")
    (big,) = (lake.folder / "events").rglob("*.parquet")
    for number in range(4):
        lake.append_events(event_table(on(1, f"small-{number}")), batch="small")
    before = content(lake)
    limit = big.stat().st_size
    assert lake.compact(from_files=4, under_bytes=limit) == 0
    assert lake.compact(from_files=3, under_bytes=limit) == 1
    assert lake.compact(from_files=1, under_bytes=limit) == 0
    assert content(lake) == before
    assert len({file.path for file in lake._tables["events"].files()}) == 2
    assert big in {file.path for file in lake._tables["events"].files()}


def test_compaction_joins_the_files_of_a_day_and_changes_no_row(lake: Lake) -> None:
    for i in range(12):
        lake.append_events(event_table(on(0, f"e{i:02}"), on(i, f"f{i:02}")), batch=f"{i}")
    before = content(lake)
    assert lake.compact() == 1
    assert content(lake) == before
    assert lake.compact() == 0


def append(folder: Path, start: int) -> None:
    """Twenty appends of a process of its own, half of which others make too."""
    for i in range(start, start + 20):
        Lake(folder).append_events(event_table(on(0, f"e{i}")), batch=f"{i}")


def test_writers_in_several_processes_lose_and_double_nothing(lake: Lake) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=append, args=(lake.folder, 10 * k)) for k in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert ids(lake) == sorted(f"e{i}" for i in range(40))


EVENTS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 2), st.integers(0, 2)), max_size=8
)


@given(batches=st.lists(EVENTS, max_size=4))
def test_the_first_of_every_id_is_kept_however_rows_are_cut_into_batches(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[tuple[str, int, int]]]
) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake") / "lake")
    first: dict[str, Any] = {}
    added = conflicts = known = 0
    for batch in batches:
        rows = [{**on(day, id_), "quantity": float(n)} for id_, day, n in batch]
        report = lake.append_events(event_table(*rows), batch="b")
        for row in rows:
            first.setdefault(row["event_id"], row)
        added, known = added + report.added, known + report.known
        conflicts += len(report.conflicts)
    found = {row["event_id"]: (row["occurred_at"], row["quantity"]) for row in content(lake)}
    assert found == {id_: (row["occurred_at"], row["quantity"]) for id_, row in first.items()}
    assert added == len(first)
    assert added + known + conflicts == sum(map(len, batches))


def test_fault_a_damaged_log_is_named_with_what_to_do(lake: Lake, tmp_path: Path) -> None:
    lake.append_events(event_table(on(-1, "a")), batch="1")
    for path in (tmp_path / "lake" / "events" / "_delta_log").glob("*.json"):
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(LakeError, match=r"lake/events: its log is damaged .* from a backup"):
        lake.events(before=FUTURE)
    with pytest.raises(LakeError, match="damaged"):
        lake.append_events(event_table(on(-1, "b")), batch="2")
