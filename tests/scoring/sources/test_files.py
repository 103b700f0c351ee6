"""Which files a path means, and source types by name."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from scoring.sources.errors import SourceError
from scoring.sources.registry import SOURCES, open_source
from settings.workspace import SourceSettings
from tests.scoring.shop import events_source


def names(folder: Path, path: str, **changes: str) -> list[str]:
    return [Path(file.name).name for file in open_source(events_source(path, **changes), folder)]


def make(folder: Path, *files: str) -> None:
    for age, name in enumerate(files):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a,b\n1,2\n")
        os.utime(path, (1_700_000_000 + age, 1_700_000_000 + age))


def test_folder_means_its_data_files_oldest_first(tmp_path: Path) -> None:
    make(
        tmp_path,
        "d/b.csv",
        "d/a.csv.gz",
        "d/c.ndjson.zst",
        "d/notes.md",
        "d/.hidden.csv",
        "d/_x.csv",
    )
    assert names(tmp_path, "d") == ["b.csv", "a.csv.gz", "c.ndjson.zst"]


def test_folder_with_a_format_means_every_file(tmp_path: Path) -> None:
    make(tmp_path, "d/export-1", "d/export-2", "d/.hidden")
    assert names(tmp_path, "d", format="csv") == ["export-1", "export-2"]


def test_glob_and_single_file(tmp_path: Path) -> None:
    make(tmp_path, "2026/1.csv", "2026/2.csv", "2027/1.csv")
    assert names(tmp_path, "20*/1.csv") == ["1.csv", "1.csv"]
    assert names(tmp_path, "2026/2.csv") == ["2.csv"]


def test_tab_separated_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text("a\tb\n1\t2,3\n")
    (file,) = open_source(events_source("x.tsv"), tmp_path)
    (chunk,) = file.chunks(["a", "b"])
    assert chunk.table.to_pylist() == [{"a": "1", "b": "2,3", "__line": 2}]


def test_fingerprint_changes_with_the_file(tmp_path: Path) -> None:
    make(tmp_path, "x.csv")
    before = open_source(events_source("x.csv"), tmp_path)[0].fingerprint
    assert open_source(events_source("x.csv"), tmp_path)[0].fingerprint == before
    (tmp_path / "x.csv").write_text("a,b\n1,2\n3,4\n")
    assert open_source(events_source("x.csv"), tmp_path)[0].fingerprint != before


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("none.csv", "no such file or folder"),
        ("*.none", "no file matches"),
        ("empty", "no CSV, NDJSON or Parquet file"),
    ],
)
def test_bad_input_path_that_means_nothing(tmp_path: Path, path: str, problem: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=problem):
        open_source(events_source(path), tmp_path)


def test_bad_input_format_not_known_by_its_name(tmp_path: Path) -> None:
    make(tmp_path, "x.dat")
    (file,) = open_source(events_source("x.dat"), tmp_path)
    with pytest.raises(SourceError, match="set format"):
        list(file.chunks(["a"]))


def test_bad_input_source_type_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=f"no type 'ftp'; there is {', '.join(SOURCES)}"):
        open_source(events_source(type="ftp"), tmp_path)


def warehouse(**changes: str) -> SourceSettings:
    return events_source(None, **{"type": "ibis", "url": "duckdb://shop.duckdb", **changes})


def table_in(folder: Path) -> None:
    with duckdb.connect(str(folder / "shop.duckdb")) as database:
        database.execute("CREATE TABLE orders AS SELECT 1 AS a, DATE '2026-03-01' AS b, 'x' AS c")


@pytest.mark.parametrize(
    "what", [{"relation": "orders"}, {"sql": "SELECT a + 0 AS a, b FROM orders"}]
)
def test_warehouse_table_or_query(tmp_path: Path, what: dict[str, str]) -> None:
    table_in(tmp_path)
    (file,) = open_source(warehouse(**what), tmp_path)
    assert file.fingerprint is None
    (chunk,) = file.chunks(["a"])
    assert chunk.table.to_pylist() == [{"a": 1, "__line": 1}]


def test_bad_input_warehouse_without_such_a_table(tmp_path: Path) -> None:
    table_in(tmp_path)
    (file,) = open_source(warehouse(relation="none"), tmp_path)
    with pytest.raises(SourceError, match="cannot be read"):
        list(file.chunks(["a"]))


def test_bad_input_warehouse_without_such_a_column(tmp_path: Path) -> None:
    table_in(tmp_path)
    (file,) = open_source(warehouse(relation="orders"), tmp_path)
    with pytest.raises(SourceError, match="no column 'z'; the columns are 'a', 'b', 'c'"):
        list(file.chunks(["z"]))


def test_bad_input_warehouse_file_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such database file"):
        open_source(warehouse(relation="orders"), tmp_path)
    assert list(tmp_path.iterdir()) == []  # DuckDB would have made it


def test_bad_input_warehouse_back_end_unknown_does_not_print_the_password(tmp_path: Path) -> None:
    source = warehouse(url="nosuchdb://user:hunter2@host/db", relation="orders")
    (file,) = open_source(source, tmp_path)
    with pytest.raises(SourceError, match="cannot connect") as caught:
        list(file.chunks(["a"]))
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in file.name


def test_bad_input_warehouse_needs_a_relation_or_a_query(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="needs url, and relation or sql"):
        open_source(warehouse(), tmp_path)


def test_packaged_data_set(tmp_path: Path) -> None:
    (file,) = open_source(
        events_source(None, type="completejourney", relation="campaigns"), tmp_path
    )
    (chunk,) = file.chunks(["campaign_id", "household_id"])
    assert chunk.table.num_rows == 6589


def test_bad_input_packaged_data_set_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="completejourney has no 'sales'; it has transactions"):
        open_source(events_source(None, type="completejourney", relation="sales"), tmp_path)


def test_bad_input_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.csv")
    with pytest.raises(SourceError, match=r"x\.csv: neither a file nor a folder"):
        open_source(events_source("x.csv"), tmp_path)
