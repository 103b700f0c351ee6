"""A snapshot's folder: the same bytes for the same tables, and no half-read ones."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scoring import columns as c
from scoring import snapshot as snapshots
from scoring.snapshot import Snapshot, SnapshotError, SnapshotMeta
from scoring.snapshot_export import export_csv
from scoring.snapshot_schema import conform
from scoring.store.extras import Due, Extras
from scoring.store.read import Reader
from tests.factories import CUTOFF, make_snapshot, tables


def test_the_same_tables_give_the_same_bytes_however_they_are_chunked(tmp_path: Path) -> None:
    content = tables(customers=50)
    pieces = pa.concat_tables([content.scores.slice(0, 7), content.scores.slice(7)])
    one = make_snapshot(tmp_path / "a", content=content)
    other = make_snapshot(tmp_path / "b", content=replace(content, scores=pieces))
    assert one.meta == other.meta
    for name in one.meta.files:
        assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes()


def test_a_snapshot_opens_with_what_was_written(tmp_path: Path) -> None:
    content = tables(customers=50, identifiers=[("device_id", "d1", "customer-003")])
    opened = make_snapshot(tmp_path, content=content)
    assert (opened.meta.customers, opened.meta.items, opened.meta.brands) == (50, 30, 5)
    assert opened.meta.quality == {"lift_at_20": 3.1}
    assert opened.meta.cutoff == CUTOFF
    assert opened.scores().to_pylist() == conform("scores", content.scores).to_pylist()
    assert opened.identifiers().to_pylist() == content.identifiers.to_pylist()
    assert opened.items()[c.ITEM_ID].to_pylist() == content.items[c.ITEM_ID].to_pylist()


def test_the_model_folder_is_part_of_the_snapshot(tmp_path: Path) -> None:
    meta = SnapshotMeta("one", "shop", CUTOFF, CUTOFF, 7)
    folder = tmp_path / "snapshots" / "one"
    snapshots.write(folder, meta, tables(), model=lambda to: (to / "a.json").write_text("{}"))
    assert (Snapshot.open(folder).model / "a.json").read_text() == "{}"
    (folder / "model" / "a.json").write_text("[]")
    with pytest.raises(SnapshotError, match=r"a\.json differs from the digest"):
        Snapshot.open(folder)


def test_writing_again_replaces_the_folder_as_a_whole(tmp_path: Path) -> None:
    make_snapshot(tmp_path, customers=40)
    again = make_snapshot(tmp_path, customers=12)
    assert again.scores().num_rows == 12
    assert sorted(path.name for path in (tmp_path / "snapshots").iterdir()) == [again.meta.snapshot]


def test_a_killed_write_leaves_no_snapshot(tmp_path: Path) -> None:
    make_snapshot(tmp_path, "kept")

    def killed(_folder: Path) -> None:
        raise KeyboardInterrupt

    meta = SnapshotMeta("half", "shop", CUTOFF, CUTOFF, 7)
    with pytest.raises(KeyboardInterrupt):
        snapshots.write(tmp_path / "snapshots" / "half", meta, tables(), model=killed)
    assert [meta.snapshot for meta in snapshots.kept(tmp_path)] == ["kept"]


def test_attributes_are_names_and_numbers_in_customer_order(tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path)
    rows = dict(snapshot.attributes(c.ATTRIBUTE_SCORES))
    first = snapshot.scores().slice(0, 1).to_pylist()[0]
    assert list(rows) == snapshot.scores()[c.CUSTOMER_ID].to_pylist()
    assert rows["customer-000"] == {
        c.PURCHASE_PROBABILITY: first[c.PURCHASE_PROBABILITY],
        c.EXPECTED_PURCHASES: first[c.EXPECTED_PURCHASES],
        c.TOP_ITEMS: [f"item-{index:02d}" for index in first[c.ITEM_INDEX]],
        c.TOP_BRANDS: [f"brand-{index}" for index in first[c.BRAND_INDEX]],
        c.TOP_CATEGORIES: [f"food > category-{index}" for index in first[c.CATEGORY_INDEX]],
        c.TOP_BRAND_PROBABILITY: first[c.BRAND_PROBABILITY][0],
        c.TOP_CATEGORY_PROBABILITY: first[c.CATEGORY_PROBABILITY][0],
        c.BEST_HOUR: 0,
        c.SCORED_ON: CUTOFF.date().isoformat(),
    }
    assert [scores[c.BEST_HOUR] for scores in rows.values()][:6] == [0, 1, 2, 3, None, 5]


def test_a_snapshot_from_before_there_were_best_hours_has_none(tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path, customers=3)
    file = snapshot.folder / "scores.parquet"
    pq.write_table(pq.read_table(file).drop_columns([c.BEST_HOUR]), file)
    older = Snapshot.open(snapshot.folder, verify=False)
    assert older.scores()[c.BEST_HOUR].to_pylist() == [None] * 3
    rows = [row for _, row in older.attributes([c.BEST_HOUR, c.PURCHASE_PROBABILITY])]
    assert [row[c.BEST_HOUR] for row in rows] == [None] * 3
    assert all(0 <= row[c.PURCHASE_PROBABILITY] <= 1 for row in rows)


def test_a_customer_without_brands_has_no_top_brand_probability(tmp_path: Path) -> None:
    content = tables(customers=2)
    empty = pa.array([[], [0]], pa.list_(pa.uint32()))
    none = pa.array([[], [0.5]], pa.list_(pa.float32()))
    scores = content.scores.set_column(3, c.BRAND_INDEX, empty)
    scores = scores.set_column(4, c.BRAND_PROBABILITY, none)
    snapshot = make_snapshot(tmp_path, content=replace(content, scores=scores))
    names = (c.TOP_BRANDS, c.TOP_BRAND_PROBABILITY)
    assert [row for _, row in snapshot.attributes(names)] == [
        {c.TOP_BRANDS: [], c.TOP_BRAND_PROBABILITY: None},
        {c.TOP_BRANDS: ["brand-0"], c.TOP_BRAND_PROBABILITY: 0.5},
    ]


@pytest.mark.parametrize(
    ("kind", "label"), [("items", "item_id"), ("brands", "brand"), ("categories", "category")]
)
def test_the_export_lists_every_score_best_first(tmp_path: Path, kind: str, label: str) -> None:
    snapshot = make_snapshot(tmp_path)
    out = io.BytesIO()
    rows = export_csv(snapshot, out, kind=kind)
    lines = out.getvalue().decode().splitlines()
    assert lines[0] == f'"customer_id","rank","{label}","probability"'
    assert rows == len(lines) - 1
    ranks = [int(line.split(",")[1]) for line in lines[1:] if line.startswith('"customer-007"')]
    assert ranks == list(range(1, len(ranks) + 1))


def test_the_export_of_equal_snapshots_is_equal_byte_for_byte(tmp_path: Path) -> None:
    outs = []
    for name in ("a", "b"):
        out = io.BytesIO()
        export_csv(make_snapshot(tmp_path / name), out)
        outs.append(out.getvalue())
    assert outs[0] == outs[1]


def test_kept_lists_the_newest_first_and_prune_keeps_them(tmp_path: Path) -> None:
    for day in range(4):
        make_snapshot(tmp_path, f"day-{day}", created_at=CUTOFF + timedelta(days=day))
    assert [meta.snapshot for meta in snapshots.kept(tmp_path)] == [
        "day-3", "day-2", "day-1", "day-0",
    ]  # fmt: skip
    assert snapshots.prune(tmp_path, 2, protect={"day-0"}) == ["day-1"]
    assert [meta.snapshot for meta in snapshots.kept(tmp_path)] == ["day-3", "day-2", "day-0"]


def test_erased_customers_leave_the_scores_and_the_identifiers(tmp_path: Path) -> None:
    content = tables(
        identifiers=[("device_id", "d", "customer-003"), ("alias", "a", "customer-004")]
    )
    snapshot = make_snapshot(tmp_path, content=content)
    assert snapshots.erase(snapshot.folder, {"customer-003"}) == 1
    again = Snapshot.open(snapshot.folder)
    assert "customer-003" not in again.scores()[c.CUSTOMER_ID].to_pylist()
    assert again.identifiers()[c.IDENTIFIER].to_pylist() == ["a"]
    assert again.meta.customers == 39
    assert b"customer-003" not in b"".join(
        path.read_bytes() for path in snapshot.folder.rglob("*") if path.is_file()
    )


def test_a_table_of_many_row_groups_comes_back_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "ROW_GROUP", 7)
    snapshot = make_snapshot(tmp_path)
    assert [batch.num_rows for batch in snapshot.batches()] == [7, 7, 7, 7, 7, 5]
    assert len(list(snapshot.attributes([c.TOP_ITEMS]))) == 40
    out = io.BytesIO()
    assert export_csv(snapshot, out) == 400


def test_bad_input_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="holds no snapshot"):
        Snapshot.open(tmp_path / "nothing")


def test_bad_input_damaged_scores_are_told_from_whole_ones(tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path)
    with (snapshot.folder / "scores.parquet").open("r+b") as file:
        file.seek(100)
        file.write(b"rubbish")
    with pytest.raises(SnapshotError, match=r"scores\.parquet differs .*`rightsend nightly`"):
        Snapshot.open(snapshot.folder)


def test_bad_input_cut_off_scores_without_verifying_are_an_error_too(tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path)
    os.truncate(snapshot.folder / "scores.parquet", 200)
    with pytest.raises(SnapshotError, match=r"scores\.parquet is unreadable"):
        Snapshot.open(snapshot.folder, verify=False).scores()


def test_bad_input_missing_file(tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path)
    (snapshot.folder / "related.parquet").unlink()
    with pytest.raises(SnapshotError, match=r"related\.parquet is missing"):
        Snapshot.open(snapshot.folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"snapshot": 1}', '{"cutoff": "never"}'])
def test_bad_input_meta_json(tmp_path: Path, text: str) -> None:
    snapshot = make_snapshot(tmp_path)
    (snapshot.folder / "meta.json").write_text(text)
    with pytest.raises(SnapshotError):
        Snapshot.open(snapshot.folder)
    assert snapshots.kept(tmp_path) == []


def test_bad_input_meta_json_with_an_unknown_key_is_of_another_version(tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path)
    document = json.loads((snapshot.folder / "meta.json").read_text()) | {"colour": "red"}
    (snapshot.folder / "meta.json").write_text(json.dumps(document))
    with pytest.raises(SnapshotError, match="colour"):
        Snapshot.open(snapshot.folder)


def test_bad_input_missing_column_is_named(tmp_path: Path) -> None:
    content = tables()
    with pytest.raises(SnapshotError, match="items lacks column price"):
        make_snapshot(tmp_path, content=replace(content, items=content.items.drop([c.PRICE])))


def test_bad_input_ill_typed_column_is_named(tmp_path: Path) -> None:
    content = tables(customers=2)
    wrong = content.scores.set_column(7, c.PURCHASE_PROBABILITY, pa.array(["a", "b"]))
    with pytest.raises(SnapshotError, match="purchase_probability does not fit float"):
        make_snapshot(tmp_path, content=replace(content, scores=wrong))


def test_bad_input_null_customer_id(tmp_path: Path) -> None:
    content = tables(customers=2)
    wrong = content.scores.set_column(0, c.CUSTOMER_ID, pa.array(["a", None]))
    with pytest.raises(SnapshotError, match="customer_id has 1 nulls"):
        make_snapshot(tmp_path, content=replace(content, scores=wrong))


def test_bad_input_index_beyond_the_items(tmp_path: Path) -> None:
    content = tables(customers=1)
    wrong = pa.array([[30] * 10], pa.list_(pa.uint32()))
    scores = content.scores.set_column(1, c.ITEM_INDEX, wrong)
    with pytest.raises(SnapshotError, match="item_index points at row 30 of items"):
        make_snapshot(tmp_path, content=replace(content, scores=scores))


def test_bad_input_unknown_score_name(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="unknown score luck: expected one of purchase_prob"):
        next(make_snapshot(tmp_path).attributes(["luck"]))


def test_bad_input_unknown_export(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="cannot export 'prices': expected one of items"):
        export_csv(make_snapshot(tmp_path), io.BytesIO(), kind="prices")


def written_before_there_were_reasons(workspace_dir: Path, **options: object) -> Snapshot:
    """A snapshot whose scores lack the column, as they were written once."""
    made = make_snapshot(workspace_dir, **options)
    path = made.folder / "scores.parquet"
    pq.write_table(pq.read_table(path).drop_columns([c.ITEM_REASONS]), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    document = json.loads((made.folder / "meta.json").read_text())
    document["digest"] = document["files"]["scores.parquet"] = digest
    (made.folder / "meta.json").write_text(json.dumps(document))
    return Snapshot.open(made.folder)


def test_a_snapshot_of_before_there_were_reasons_is_read_as_one_without(tmp_path: Path) -> None:
    scores = written_before_there_were_reasons(tmp_path, customers=3).scores()
    assert scores[c.ITEM_REASONS].to_pylist() == [[], [], []]
    assert all(len(items) == 10 for items in scores[c.ITEM_INDEX].to_pylist())


def test_a_customer_is_erased_from_a_snapshot_of_before_there_were_reasons(tmp_path: Path) -> None:
    old = written_before_there_were_reasons(tmp_path, customers=3)
    assert snapshots.erase(old.folder, ["customer-001"]) == 1
    scores = Snapshot.open(old.folder).scores()
    assert scores[c.CUSTOMER_ID].to_pylist() == ["customer-000", "customer-002"]
    assert scores[c.ITEM_REASONS].to_pylist() == [[], []]


def test_one_rolls_back_to_a_snapshot_of_before_there_were_reasons(
    workspace_dir: Path, publish: Callable[[Snapshot], str], reader: Reader
) -> None:
    old = written_before_there_were_reasons(workspace_dir, name="old")
    new = make_snapshot(workspace_dir, "new", seed=2)
    publish(new)
    assert any(scored.reasons for scored in reader.read("customer-001").items())
    publish(old)
    items = reader.read("customer-001").items()
    assert [scored.reasons for scored in items] == [()] * 10
    assert reader.read("customer-001").snapshot == "old"


@pytest.mark.parametrize(
    ("numbers", "problem"), [(2, "2 numbers for 10"), (33, "33 numbers for 10")]
)
def test_bad_input_reasons_that_are_not_three_an_item(
    tmp_path: Path, numbers: int, problem: str
) -> None:
    content = tables(customers=1)
    at = content.scores.column_names.index(c.ITEM_REASONS)
    wrong = pa.array([[12 << 26] * numbers], pa.list_(pa.uint32()))
    scores = content.scores.set_column(at, c.ITEM_REASONS, wrong)
    with pytest.raises(SnapshotError, match=problem):
        make_snapshot(tmp_path, content=replace(content, scores=scores))


def test_bad_input_some_customers_with_null_reasons(tmp_path: Path) -> None:
    content = tables(customers=2)
    at = content.scores.column_names.index(c.ITEM_REASONS)
    wrong = pa.array([None, []], pa.list_(pa.uint32()))
    scores = content.scores.set_column(at, c.ITEM_REASONS, wrong)
    with pytest.raises(SnapshotError, match="item_reasons has 1 nulls"):
        make_snapshot(tmp_path, content=replace(content, scores=scores))


def test_bad_input_a_due_item_beyond_the_items(tmp_path: Path) -> None:
    content = tables(customers=1, extras=[Extras(due=(Due(30, 17_500, 7),))])
    with pytest.raises(SnapshotError, match="due_index points at row 30 of items"):
        make_snapshot(tmp_path, content=content)


def test_bad_input_due_items_without_their_days(tmp_path: Path) -> None:
    content = tables(customers=1, extras=[Extras(due=(Due(3, 17_500, 7),))])
    place = content.scores.column_names.index(c.DUE_DAY)
    scores = content.scores.set_column(place, c.DUE_DAY, pa.array([[]], pa.list_(pa.uint32())))
    with pytest.raises(SnapshotError, match="due_day is not as long as"):
        make_snapshot(tmp_path, content=replace(content, scores=scores))
