"""NDJSON files, good and broken."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.sources.errors import SourceError
from scoring.sources.ndjson import read


def parsed(
    path: Path, *columns: str, block_bytes: int = 1 << 20
) -> tuple[list[tuple[object, ...]], list[tuple[int, str]]]:
    rows, broken = [], []
    for chunk in read(path, columns, block_bytes=block_bytes):
        for row in chunk.table.to_pylist():
            rows.append((row["__line"], *(row[name] for name in columns)))
        broken += [(bad.line, bad.reason) for bad in chunk.broken]
    return rows, broken


def write(folder: Path, data: str | bytes, name: str = "x.ndjson") -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def test_values_come_as_text_with_their_lines(tmp_path: Path) -> None:
    path = write(tmp_path, '{"a": 12, "b": "x"}\n\n{"a": true, "b": null}\n{"a": 1.5}')
    assert parsed(path, "a", "b")[0] == [(1, "12", "x"), (3, "true", None), (4, "1.5", None)]


def test_nested_keys_by_dotted_path_and_nested_values_as_json(tmp_path: Path) -> None:
    path = write(tmp_path, '{"user": {"id": "kim"}, "tags": {"x": [1]}, "a.b": "flat"}\n')
    assert parsed(path, "user.id", "tags", "a.b")[0] == [(1, "kim", '{"x":[1]}', "flat")]


def test_packed(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(b'{"a": 1}\n'), "x.ndjson.gz")
    assert parsed(path, "a")[0] == [(1, "1")]


def test_a_key_that_only_later_rows_lack_is_no_mistake(tmp_path: Path) -> None:
    path = write(tmp_path, '{"a": 1}\n{"b": 1}\n')
    assert parsed(path, "a")[0] == [(1, "1"), (2, None)]


@pytest.mark.parametrize("text", ["{", "[1]", '"x"', "12", "null", "{'a': 1}", '{"a": 1} {"a": 2}'])
def test_bad_input_line_that_is_no_object(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, f'{{"a": 1}}\n{text}\n{{"a": 2}}\n')
    rows, broken = parsed(path, "a")
    assert rows == [(1, "1"), (3, "2")]
    assert broken == [(2, "broken_line")]


def test_bad_input_wrong_bytes(tmp_path: Path) -> None:
    path = write(tmp_path, b'{"a": "\xff"}\n{"a": "\xc3\xa9"}\n')
    assert parsed(path, "a") == ([(2, "é")], [(1, "wrong_encoding")])


def test_bad_input_key_that_no_object_has(tmp_path: Path) -> None:
    path = write(tmp_path, '{"a": 1, "c": 2}\n')
    with pytest.raises(SourceError, match="no column 'b'; the columns are 'a', 'c'"):
        parsed(path, "a", "b")


def test_bad_input_truncated_gzip(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(b'{"a": 1}\n' * 1000)[:-12], "x.ndjson.gz")
    with pytest.raises(SourceError, match="cannot be read"):
        parsed(path, "a")


@given(values=st.lists(st.text(max_size=8), max_size=10), block=st.integers(1, 40))
def test_any_text_survives_in_blocks_of_any_size(
    tmp_path_factory: pytest.TempPathFactory, values: list[str], block: int
) -> None:
    lines = "".join(json.dumps({"a": value}) + "\n" for value in ["first", *values])
    path = write(tmp_path_factory.mktemp("json"), lines)
    rows, broken = parsed(path, "a", block_bytes=block)
    assert broken == []
    assert rows == [(i, value) for i, value in enumerate(["first", *values], 1)]


def test_bad_input_a_json_array_is_told_from_broken_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('[\n {"a": 1},\n {"a": 2}\n]\n')
    with pytest.raises(SourceError, match="a JSON array; expected one object a line"):
        list(read(path, ["a"]))
