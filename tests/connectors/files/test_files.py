"""What a consumer of the files sees."""

from __future__ import annotations

import json
from pathlib import Path

import fsspec
import marshmallow
import pyarrow.parquet as pq
import pytest

from connectors.delivery import Stop, check
from connectors.files.layout import Layout
from connectors.files.options import FilesOptions
from connectors.files.store import open_store
from tests.connectors.files.conftest import Exports
from tests.connectors.files.reading import held, members, rows_of, run_rows

EVERY_FORMAT = pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
EVERY_CONTENT = pytest.mark.parametrize("content", ["changes", "full"])
SOME = {"rs_probability": 0.5, "rs_items": ["a", "b"]}


@EVERY_FORMAT
@EVERY_CONTENT
def test_whoever_applies_the_runs_has_the_desired_state(
    exports: Exports, form: str, content: str
) -> None:
    exports = exports.with_(format=form, content=content)
    exports.customers(30)
    exports.sync()
    assert held(exports.out) == {f"c{n:03}": SOME for n in range(30)}
    exports.desired["c001"]["purchase_probability"] = 0.9
    exports.desired["c002"]["top_items"] = []
    del exports.desired["c003"]
    exports.sync()
    expected = {f"c{n:03}": SOME for n in range(30) if n != 3}
    expected["c001"] = {"rs_probability": 0.9, "rs_items": ["a", "b"]}
    expected["c002"] = {"rs_probability": 0.5}
    assert held(exports.out) == expected
    assert len(run_rows(exports.runs()[1])) == (3 if content == "changes" else 29)


@EVERY_FORMAT
def test_changes_hold_what_changed_and_say_what_is_gone(exports: Exports, form: str) -> None:
    exports = exports.with_(format=form)
    exports.customers(3)
    exports.sync()
    exports.desired["c001"]["purchase_probability"] = 0.9
    del exports.desired["c002"]
    exports.sync()
    changed, gone = run_rows(exports.runs()[1])
    assert changed == {"customer_id": "c001", "rs_probability": 0.9}
    assert (gone.pop("customer_id"), sorted(gone.pop("removed"))) == (
        "c002", ["rs_items", "rs_probability"],
    )  # fmt: skip
    assert gone == {}


def test_a_run_without_changes_makes_no_files(exports: Exports) -> None:
    exports.customers(3)
    exports.sync()
    exports.sync()
    assert len(exports.runs()) == 1


def test_runs_sort_by_time_and_the_newest_is_named(exports: Exports) -> None:
    for probability in (0.1, 0.2, 0.3):
        exports.customers(1, probability)
        exports.sync()
    latest = json.loads((exports.out / "attributes" / "latest.json").read_text())
    assert latest == {"run": exports.runs()[-1].name}
    assert [run_rows(run)[0]["rs_probability"] for run in exports.runs()] == [0.1, 0.2, 0.3]


@EVERY_FORMAT
def test_no_file_is_larger_than_asked_for(exports: Exports, form: str) -> None:
    exports = exports.with_(format=form, file_bytes=10_000)
    exports.customers(900)
    exports.sync()
    files = sorted(exports.runs()[0].glob("part-*"))
    assert len(files) > 2
    assert max(file.stat().st_size for file in files) <= 10_000
    assert len(held(exports.out)) == 900


def test_nothing_but_runs_is_left(exports: Exports) -> None:
    exports.customers(3)
    exports.sync()
    assert {each.name for each in (exports.out / "attributes").iterdir()} == {
        "latest.json", exports.runs()[0].name,
    }  # fmt: skip


def test_a_dry_run_and_a_check_write_no_run(exports: Exports) -> None:
    exports.customers(3)
    assert exports.sync(dry_run=True).data_points == 6
    assert check(exports.connection) is None
    assert list(exports.out.iterdir()) == []


def test_everybody_with_an_id_is_written_whatever_it_is_called(exports: Exports) -> None:
    ids = ["a/b", "ü", 'quote"', "line\nbreak", "with,comma", " space "]
    exports.desired = {each: {"purchase_probability": 0.5} for each in ids}
    exports.sync()
    assert held(exports.out) == {each: {"rs_probability": 0.5} for each in ids}


@pytest.mark.parametrize(
    "text", ["=1+1", "+82 10", "-1", "@sum", "\tx", "\rx", "\0x", "＝1+1", "＠sum"]
)
def test_a_text_that_a_spreadsheet_would_calculate_is_defused_in_csv(
    exports: Exports, text: str
) -> None:
    exports.desired = {text: {"purchase_probability": -0.5, "top_items": [text]}}
    exports.sync()
    row = rows_of(next(exports.runs()[0].glob("part-*")))[0]
    assert row == {"customer_id": f"'{text}", "rs_probability": -0.5, "rs_items": [text]}


@pytest.mark.parametrize("options", [{"spreadsheet_safe": False}, {"format": "ndjson"}])
def test_for_machines_texts_stay_as_they_are(exports: Exports, options: dict[str, object]) -> None:
    exports = exports.with_(**options)
    exports.desired = {"=1+1": {"purchase_probability": 0.5}}
    exports.sync()
    assert list(held(exports.out)) == ["=1+1"]


def test_parquet_columns_have_the_same_types_in_every_run(exports: Exports) -> None:
    exports = exports.with_(format="parquet")
    exports.customers(2)
    exports.sync()
    exports.desired = {"c000": {"purchase_probability": 1}, "c001": {}}
    exports.sync()
    schemas = [pq.read_schema(next(run.glob("part-*"))) for run in exports.runs()]
    assert [str(field.type) for field in schemas[0]] == [
        "string", "double", "list<element: string>", "list<element: string>",
    ]  # fmt: skip
    assert schemas[0].equals(schemas[1])


@EVERY_FORMAT
@EVERY_CONTENT
def test_a_segment_is_kept_in_files_of_its_own(exports: Exports, form: str, content: str) -> None:
    exports = exports.with_(format=form, content=content)
    exports.push(["b", "a", "c"])
    exports.push(["b", "c", "d"], name="New name")
    assert members(exports.out, "seg-1") == ["b", "c", "d"]
    declared = json.loads((exports.out / "segments" / "seg-1" / "segment.json").read_text())
    assert declared == {"segment_id": "seg-1", "name": "New name"}
    exports.push([])
    assert members(exports.out, "seg-1") == []


def test_a_full_run_is_not_made_of_nothing(exports: Exports) -> None:
    exports = exports.with_(content="full")
    exports.customers(3)
    exports.sync()
    for file in exports.runs()[0].iterdir():
        file.unlink()
    exports.customers(3, 0.9)
    with pytest.raises(Stop, match="has no full run"):
        exports.sync()


def test_bad_input_a_folder_that_is_a_file_is_named(exports: Exports) -> None:
    exports.out.write_text("a file")
    problem = check(exports.connection)
    assert problem is not None
    assert str(exports.out) in problem


def test_bad_input_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(Stop, match="s3:// needs the package s3fs: pip install s3fs"):
        open_store("s3://bucket/out", {})


@pytest.mark.parametrize(
    "url", ["relative", "", "ftp://host/x", "file://", "memory://x", "/a/../b", "s3://b/../c",
            "simplecache::s3://b", "s3://key:secret@b", "/a::b", "s3://b?x=1"],
)  # fmt: skip
def test_bad_input_another_place_is_refused(url: str) -> None:
    with pytest.raises(marshmallow.ValidationError):
        FilesOptions().load({"url": url})


def test_bad_input_an_attribute_called_like_a_column_stops() -> None:
    with pytest.raises(Stop, match="the attribute removed is called like a column"):
        Layout(("removed",), frozenset(), False, "csv", 1, True)


def test_a_folder_may_be_given_as_an_address(exports: Exports, tmp_path: Path) -> None:
    exports = exports.with_(url=f"file://{tmp_path}/elsewhere")
    exports.customers(1)
    exports.sync()
    assert list(held(tmp_path / "elsewhere")) == ["c000"]
