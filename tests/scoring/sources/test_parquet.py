"""Parquet files."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from scoring.sources.errors import SourceError
from scoring.sources.parquet import read


def written(folder: Path, rows: int = 10, name: str = "x.parquet") -> Path:
    path = folder / name
    pq.write_table(pa.table({"a": range(rows), "b": [str(i) for i in range(rows)]}), path)
    return path


def test_typed_columns_with_row_numbers(tmp_path: Path) -> None:
    (chunk,) = read(written(tmp_path, 3), ["b", "a"])
    assert chunk.table.schema.field("a").type == pa.int64()
    assert chunk.table.to_pylist()[2] == {"b": "2", "a": 2, "__line": 3}
    assert chunk.text(1) == '{"b": "1", "a": 1}'
    assert chunk.fraction == 1.0


def test_long_files_come_in_chunks(tmp_path: Path) -> None:
    path = written(tmp_path, 300_000)
    chunks = list(read(path, ["a"], chunk_rows=131_072))
    assert [chunk.table.num_rows for chunk in chunks] == [131_072, 131_072, 37_856]
    assert chunks[1].table["__line"][0].as_py() == 131_073


@pytest.mark.parametrize(("suffix", "pack"), [("gz", gzip.compress), ("zst", zstandard.compress)])
def test_packed_files(tmp_path: Path, suffix: str, pack: object) -> None:
    path = tmp_path / f"x.parquet.{suffix}"
    path.write_bytes(pack(written(tmp_path).read_bytes()))  # type: ignore[operator]
    (chunk,) = read(path, ["a"])
    assert chunk.table.num_rows == 10


def test_bad_input_not_parquet(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(SourceError, match=r"x\.parquet: cannot be read as Parquet"):
        list(read(path, ["a"]))


def test_bad_input_truncated(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        list(read(path, ["a"]))


def test_bad_input_damaged_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": [str(i) for i in range(100_000)]}), path, compression="zstd")
    data = bytearray(path.read_bytes())
    data[1000:3000] = b"\xff" * 2000
    path.write_bytes(data)
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        list(read(path, ["a"]))


def test_bad_input_missing_column(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no column 'z'; the columns are 'a', 'b'"):
        list(read(written(tmp_path), ["a", "z"]))


def test_bad_input_a_column_twice_is_named(tmp_path: Path) -> None:
    columns = [pa.array([1]), pa.array([2])]
    pq.write_table(pa.Table.from_arrays(columns, names=["a", "a"]), tmp_path / "x.parquet")
    with pytest.raises(SourceError, match=r"x\.parquet: column 'a' occurs twice"):
        list(read(tmp_path / "x.parquet", ["a"]))


def test_numbers_of_unusual_width_become_usual_ones(tmp_path: Path) -> None:
    narrow = pa.array([2.5], pa.float32()).cast(pa.float16())
    wide = pa.array([Decimal("2.50")], pa.decimal256(50, 2))
    pq.write_table(pa.table({"a": narrow, "b": wide}), tmp_path / "x.parquet")
    (chunk,) = read(tmp_path / "x.parquet", ["a", "b"])
    assert chunk.table.to_pylist() == [{"a": 2.5, "b": 2.5, "__line": 1}]
