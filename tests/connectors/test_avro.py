"""Avro files as columns say what fastavro says record by record."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.avro import AvroFile, BrokenFile

FIELDS: dict[str, Any] = {
    "text": "string",
    "optional": ["null", "string"],
    "whole": "long",
    "small": ["int", "null"],
    "price": ["null", "double"],
    "flag": ["null", "boolean"],
    "many": {"type": "array", "items": ["null", "string"]},
    "map": {"type": "map", "values": "long"},
    "part": {"type": "record", "name": "part", "fields": [{"name": "a", "type": "string"}]},
    "word": {"type": "enum", "name": "word", "symbols": ["a", "b"]},
    "bits": {"type": "fixed", "name": "bits", "size": 3},
    "either": ["null", "string", "long"],
}
COLUMNS = ("text", "optional", "whole", "small", "price", "flag")
TEXT = st.text(max_size=300)
LONG = st.integers(-(2**63), 2**63 - 1)
RECORD = st.fixed_dictionaries(
    {
        "text": TEXT,
        "optional": st.none() | TEXT,
        "whole": LONG,
        "small": st.none() | st.integers(-(2**31), 2**31 - 1),
        "price": st.none() | st.floats(allow_nan=False),
        "flag": st.none() | st.booleans(),
        "many": st.lists(st.none() | TEXT, max_size=3),
        "map": st.dictionaries(TEXT, LONG, max_size=3),
        "part": st.fixed_dictionaries({"a": TEXT}),
        "word": st.sampled_from("ab"),
        "bits": st.binary(min_size=3, max_size=3),
        "either": st.none() | TEXT | LONG,
    }
)


def written(records: list[dict[str, Any]], *, codec: str = "null", block_bytes: int = 500) -> bytes:
    schema = {
        "type": "record",
        "name": "dataexport.S3.inner.x",
        "fields": [{"name": name, "type": kind} for name, kind in FIELDS.items()],
    }
    stream = io.BytesIO()
    fastavro.writer(stream, schema, records, codec, sync_interval=block_bytes)
    return stream.getvalue()


def rows_of(content: bytes, columns: tuple[str, ...] = COLUMNS) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for records in AvroFile(content).records(columns):
        values = [records.columns[name].to_pylist() for name in columns]
        rows += [dict(zip(columns, each, strict=True)) for each in zip(*values, strict=True)]
    return rows


@settings(deadline=None)
@given(st.lists(RECORD, max_size=40), st.sampled_from(["null", "deflate"]), st.integers(1, 3000))
def test_columns_are_what_fastavro_reads(
    records: list[dict[str, Any]], codec: str, block_bytes: int
) -> None:
    content = written(records, codec=codec, block_bytes=block_bytes)
    assert rows_of(content) == [{name: each[name] for name in COLUMNS} for each in records]
    assert AvroFile(content).count() == len(records)


def test_fields_of_several_parts_are_no_columns() -> None:
    record = {
        "text": "a", "optional": None, "whole": 1, "small": 1, "price": 1.0, "flag": True,
        "many": [], "map": {}, "part": {"a": ""}, "word": "a", "bits": b"abc", "either": 1,
    }  # fmt: skip
    (records,) = AvroFile(written([record])).records(FIELDS)
    assert set(records.columns) == set(COLUMNS)


def test_large_files_come_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.avro.BATCH_BYTES", 600)
    records = [dict.fromkeys(FIELDS) | PLAIN | {"whole": number} for number in range(200)]
    content = written(records)
    assert len(list(AvroFile(content).records(COLUMNS))) > 3
    assert [row["whole"] for row in rows_of(content)] == list(range(200))


PLAIN = {"text": "t", "many": [], "map": {}, "part": {"a": ""}, "word": "a", "bits": b"abc"}


@settings(deadline=None)
@given(st.data())
def test_bad_input_a_file_cut_anywhere_gives_its_whole_blocks(data: st.DataObject) -> None:
    records = [dict.fromkeys(FIELDS) | PLAIN | {"whole": number} for number in range(60)]
    content = written(records)
    length = data.draw(st.integers(0, len(content) - 1))
    seen: list[int] = []
    try:
        for batch in AvroFile(content[:length]).records(COLUMNS):
            seen += batch.columns["whole"].to_pylist()
    except BrokenFile:
        assert seen == list(range(len(seen)))
    else:  # cut exactly between two blocks, which nobody can see
        assert AvroFile(content[:length]).count() == len(seen)
    assert len(seen) < 60


@settings(deadline=None)
@given(st.lists(RECORD, min_size=1, max_size=10), st.data())
def test_bad_input_garbage_in_a_file_is_named_and_nothing_else(
    records: list[dict[str, Any]], data: st.DataObject
) -> None:
    content = bytearray(written(records))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BrokenFile, KeyError):  # KeyError: the garbage renamed a field
        rows_of(bytes(content))


def test_bad_input_a_damaged_block_costs_the_blocks_before_it_nothing() -> None:
    records = [dict.fromkeys(FIELDS) | PLAIN | {"whole": 7} for _ in range(400)]
    content = bytearray(written(records, block_bytes=100))
    middle = content.index(b"abc", len(content) // 2)
    content[middle - 20 : middle] = b"\xff" * 20
    seen: list[int] = []
    with pytest.raises(BrokenFile):
        for batch in AvroFile(bytes(content)).records(COLUMNS):
            seen += batch.columns["whole"].to_pylist()
    assert seen == [7] * len(seen)
    assert 150 < len(seen) < 250


@pytest.mark.parametrize("content", [b"", b"Obj\x01", b"PAR1" * 100, b'{"a": 1}\n' * 50])
def test_bad_input_another_kind_of_file(content: bytes) -> None:
    with pytest.raises(BrokenFile):
        AvroFile(content)
