"""CSV files, good and broken."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from scoring.sources.delimited import read
from scoring.sources.errors import SourceError

Rows = list[tuple[int, str | None, str | None]]


def parsed(
    path: Path, block_bytes: int = 1 << 20, **options: Any
) -> tuple[Rows, list[tuple[int, str, str]]]:
    """(line, a, b) of each row, and (line, reason, text) of what is broken."""
    rows, broken = [], []
    for chunk in read(path, ["a", "b"], block_bytes=block_bytes, **options):
        rows += [(row["__line"], row["a"], row["b"]) for row in chunk.table.to_pylist()]
        broken += [(bad.line, bad.reason, bad.text) for bad in chunk.broken]
    return rows, broken


def write(folder: Path, data: bytes | str, name: str = "x.csv") -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def test_rows_come_with_their_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1,x\n\n2,\n")
    assert parsed(path) == ([(2, "1", "x"), (4, "2", None)], [])


def test_columns_are_found_by_name_in_any_order(tmp_path: Path) -> None:
    path = write(tmp_path, "b,unused,a\nx,?,1\n")
    assert parsed(path)[0] == [(2, "1", "x")]


def test_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    path = write(tmp_path, b"\xef\xbb\xbfa,b\r\n1,x\r\n\r\n2,y")
    assert parsed(path) == ([(2, "1", "x"), (4, "2", "y")], [])


def test_quoted_delimiters_quotes_and_line_breaks(tmp_path: Path) -> None:
    path = write(tmp_path, 'a,b\n1,"x, ""y""\nz"\n2,w\n')
    assert parsed(path) == ([(2, "1", 'x, "y"\nz'), (4, "2", "w")], [])


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gz", "zst"])
def test_packed_files(tmp_path: Path, pack: object) -> None:
    suffix = "gz" if pack is gzip.compress else "zst"
    path = write(tmp_path, pack(b"a,b\n1,x\n"), f"x.csv.{suffix}")  # type: ignore[operator]
    assert parsed(path) == ([(2, "1", "x")], [])


def test_without_a_header_columns_are_numbered(tmp_path: Path) -> None:
    path = write(tmp_path, "1;x\n2;y\n")
    chunks = list(read(path, ["c1", "c0"], header=False, delimiter=";"))
    rows = [row for chunk in chunks for row in chunk.table.to_pylist()]
    assert [(row["c0"], row["c1"], row["__line"]) for row in rows] == [("1", "x", 1), ("2", "y", 2)]


@pytest.mark.parametrize("encoding", ["cp949", "euc-kr", "utf-16", "utf-8-sig"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, "a,b\n1,한글\n2,차\n".encode(encoding))
    assert parsed(path, encoding=encoding)[0] == [(2, "1", "한글"), (3, "2", "차")]


def test_a_literal_quote_inside_a_field_is_text(tmp_path: Path) -> None:
    path = write(tmp_path, 'a,b\n1,5" pipe\n2,x\n')
    assert parsed(path) == ([(2, "1", '5" pipe'), (3, "2", "x")], [])


def test_bad_input_wrong_number_of_fields_is_one_broken_line(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1,x\n2\n3,y,z\n4,w\n")
    rows, broken = parsed(path)
    assert [row[1] for row in rows] == ["1", "4"]
    assert broken == [(3, "broken_line", "2"), (4, "broken_line", "3,y,z")]


def test_bad_input_a_stray_quote_costs_one_line_and_not_the_rest(tmp_path: Path) -> None:
    good = "".join(f"{i},x\n" for i in range(3, 2000))
    path = write(tmp_path, f'a,b\n1,x\n2,"open\n{good}')
    rows, broken = parsed(path)
    assert len(rows) == 1998
    assert broken == [(3, "broken_line", '2,"open')]


def test_bad_input_two_stray_quotes_do_not_join_the_lines_between(tmp_path: Path) -> None:
    path = write(tmp_path, 'a,b\n1,"open\n2,x\n3,"open\n4,y\n')
    rows, broken = parsed(path)
    assert [row[1] for row in rows] == ["2", "4"]
    assert [bad[0] for bad in broken] == [2, 4]


def test_bad_input_wrong_bytes_cost_only_their_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1,é\n".encode() + b"2,\xe9\n" + "3,ü\n".encode())
    rows, broken = parsed(path)
    assert rows == [(2, "1", "é"), (4, "3", "ü")]
    assert broken == [(3, "wrong_encoding", "2,\\xe9")]


def test_bad_input_wrong_bytes_in_another_encoding(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1,한\n".encode("cp949") + b"2,\xff\n3,x\n")
    rows, broken = parsed(path, encoding="cp949")
    assert [row[1] for row in rows] == ["1", "3"]
    assert [bad[:2] for bad in broken] == [(3, "wrong_encoding")]


def test_bad_input_missing_column_names_file_column_and_what_there_is(tmp_path: Path) -> None:
    path = write(tmp_path, "A,c\n1,2\n")
    with pytest.raises(SourceError, match=r"x\.csv: no column 'a', 'b'; the columns are 'A', 'c'"):
        parsed(path)


def test_bad_input_column_that_occurs_twice(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="'a' occurs twice"):
        parsed(write(tmp_path, "a,b,a\n1,2,3\n"))


@pytest.mark.parametrize("data", [b"", b"\n\n  \n"])
def test_bad_input_empty_file_has_no_header(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SourceError, match="empty"):
        parsed(write(tmp_path, data))


def test_bad_input_unknown_encoding(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="unknown encoding 'klingon'"):
        parsed(write(tmp_path, "a,b\n"), encoding="klingon")


@pytest.mark.parametrize("keep", [0.2, 0.9])
def test_bad_input_truncated_gzip_gives_what_came_before_and_then_an_error(
    tmp_path: Path, keep: float
) -> None:
    text = "a,b\n" + "".join(f"{i},{i * 7919 % 10007}\n" for i in range(50_000))
    packed = gzip.compress(text.encode())
    path = write(tmp_path, packed[: int(len(packed) * keep)], "x.csv.gz")
    found: list[str] = []
    with pytest.raises(SourceError, match=r"x\.csv\.gz: cannot be read"):
        for chunk in read(path, ["a", "b"]):
            found += chunk.table["a"].to_pylist()
    assert 0 < len(found) < 50_000
    assert found == [str(i) for i in range(len(found))]


@pytest.mark.parametrize("name", ["x.csv.gz", "x.csv.zst"])
def test_bad_input_not_packed_at_all(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        parsed(write(tmp_path, "a,b\n1,2\n", name))


FIELDS = st.text(alphabet='xé"\n\r ,', max_size=6)


@given(rows=st.lists(st.tuples(st.integers(0, 9), FIELDS), max_size=12), block=st.integers(1, 60))
def test_whatever_python_writes_is_read_the_same_in_blocks_of_any_size(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str]], block: int
) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    path = write(tmp_path_factory.mktemp("csv"), buffer.getvalue())
    found, broken = parsed(path, block)
    assert broken == []
    # a lone carriage return becomes a space: Arrow would end the line there
    plain = [(str(a), b.replace("\r\n", "\n").replace("\r", " ") or None) for a, b in rows]
    assert [(a, b.replace("\r\n", "\n") if b else None) for _, a, b in found] == plain


@given(data=st.binary(max_size=200), block=st.integers(1, 50))
def test_any_bytes_after_the_header_lose_no_line(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, block: int
) -> None:
    """Every line with something in it is part of a row or of a broken line, in any block size."""
    path = write(tmp_path_factory.mktemp("csv"), b"a,b\n" + data)
    one, small = parsed(path), parsed(path, block)
    assert one == small
    lines = len([part for part in data.split(b"\n") if part.strip(b"\r\n")])
    quoted = data.count(b'"') > 0
    found = len(one[0]) + len(one[1])
    assert found == lines if not quoted else found <= lines


def test_bad_input_delimiter_of_two_characters(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="one ASCII character"):
        parsed(write(tmp_path, "a||b\n"), delimiter="||")


def test_bad_input_text_after_a_closing_quote(tmp_path: Path) -> None:
    path = write(tmp_path, 'a,b\n"1"2,x\n3,""y\n4,z\n')
    rows, broken = parsed(path)
    assert [row[1] for row in rows] == ["4"]
    assert [bad[:2] for bad in broken] == [(2, "broken_line"), (3, "broken_line")]


def test_bad_input_a_line_of_many_megabytes_is_no_csv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoring.sources.lines.LONGEST_LINE_BYTES", 1000)
    path = write(tmp_path, "a,b\n1," + "x" * 5000)
    with pytest.raises(SourceError, match="not a text file"):
        parsed(path, block_bytes=500)


QUOTE_MESS = st.lists(st.sampled_from(['"', ",", "\r", "\n", "x", "é", "\ufffd", "\0", "1"]))


@given(parts=QUOTE_MESS, block=st.integers(1, 30))
def test_quotes_in_any_disorder_give_the_same_rows_in_blocks_of_any_size(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str], block: int
) -> None:
    path = write(tmp_path_factory.mktemp("csv"), "a,b\n" + "".join(parts))
    assert parsed(path) == parsed(path, block)


def test_bad_input_line_ends_of_another_age_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="carriage returns alone"):
        parsed(write(tmp_path, "a,b\r1,2\r3,4\r"))


def test_bad_input_a_header_that_no_parser_takes(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"x\.csv: line 1: field larger than"):
        parsed(write(tmp_path, f"a,{'b' * 200_000}\n1,2\n"))


def test_bad_input_utf_16_without_its_mark_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"x\.csv: cannot be read: UTF-16 stream"):
        parsed(write(tmp_path, "a,b\n1,2\n"), encoding="utf-16")
