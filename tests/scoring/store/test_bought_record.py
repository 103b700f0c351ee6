"""What was bought before the night, in a customer's record: packed, and read until its day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.snapshot import Snapshot
from scoring.store.bought_packing import packed_bought
from scoring.store.bought_record import MOST_BOUGHT, MOST_ENTRIES, MOST_LATER, still_out
from scoring.store.errors import RecordError
from scoring.store.packing import Ranked, pack_customers
from scoring.store.read import Reader
from scoring.store.records import INDEXED, CustomerRecord, Widths
from tests.factories import bought_columns, make_snapshot, tables

DAY = 20_500
MANY = 2**21
SAME_NUMBERS = np.arange(MANY)
WIDTHS = Widths.of(MANY, 10, 10)
one_customer = st.dictionaries(
    st.integers(0, MANY - 1), st.integers(DAY + 1, DAY + MOST_LATER), max_size=MOST_BOUGHT
)


def packed(customers: list[Mapping[int, int]], numbers: np.ndarray = SAME_NUMBERS) -> list[bytes]:
    """Without the length, which is checked."""
    tail = packed_bought(pa.table(bought_columns(customers)), numbers)
    rows = [row[:size].tobytes() for row, size in zip(tail.matrix, tail.lengths, strict=True)]
    assert all(row[0] == len(row) - 1 for row in rows)
    return [row[1:] for row in rows]


def read(raw: bytes, day: int) -> set[int]:
    return still_out(raw, day) if raw else set()


@given(st.lists(one_customer, max_size=6), st.integers(DAY - 3, DAY + MOST_LATER + 3))
def test_each_item_is_out_until_its_day(customers: list[dict[int, int]], day: int) -> None:
    for told, raw in zip(customers, packed(customers), strict=True):
        assert read(raw, day) == {number for number, until in told.items() if until > day}


def test_who_bought_nothing_lately_takes_one_byte_and_an_item_three() -> None:
    tail = packed_bought(
        pa.table(bought_columns([{}, {5: DAY + 1}, {5: DAY, 9: DAY}])), SAME_NUMBERS
    )
    assert tail.lengths.tolist() == [1, 1 + 2 + 3, 1 + 2 + 6]


def test_items_are_told_by_published_number_and_others_not_at_all() -> None:
    (raw,) = packed([{0: DAY + 1, 1: DAY + 2, 2: DAY + 3}], np.array([7, -1, 3]))
    assert read(raw, DAY) == {7, 3}


def test_of_too_many_the_first_are_told() -> None:
    told = dict.fromkeys(range(MOST_BOUGHT + 10), DAY + 1)
    (raw,) = packed([told])
    assert read(raw, DAY) == set(range(MOST_BOUGHT))


def test_of_millions_of_items_those_that_are_bought_most_are_told() -> None:
    numbers = np.array([3, 50_000_000])
    (raw,) = packed([{0: DAY + 1, 1: DAY + 1}], numbers)
    assert read(raw, DAY) == {3}
    assert len(raw) == 2 + 3 * MOST_ENTRIES


def test_a_very_long_time_is_told_as_far_as_it_goes() -> None:
    (raw,) = packed([{1: DAY + 1, 2: DAY + 365}])
    assert read(raw, DAY + MOST_LATER - 1) == {2}


@pytest.mark.parametrize(
    "raw", [b"\x01", b"\x01\x02", b"\x01\x02\x03", b"\x01\x02\x03\x04\x05\x06"]
)
def test_bad_input_other_lengths_are_refused(raw: bytes) -> None:
    with pytest.raises(RecordError, match="of what was bought"):
        still_out(raw, DAY)


def customer(told: Mapping[int, int]) -> bytes:
    empty = Ranked(np.zeros(1, np.int64), np.zeros((1, 0), np.int64), np.zeros((1, 0)))
    tail = packed_bought(pa.table(bought_columns([told])), SAME_NUMBERS)
    half = np.full(1, 0.5)
    return pack_customers((empty, empty, empty), WIDTHS, half, half, bought=tail)[0]


@given(one_customer)
def test_a_record_tells_what_was_bought(told: dict[int, int]) -> None:
    assert CustomerRecord(customer(told), WIDTHS).bought(DAY) == told.keys()


def test_a_record_of_before_is_read_and_tells_nothing_of_it() -> None:
    raw = customer({})
    before = CustomerRecord(bytes([INDEXED]) + raw[1:-1], WIDTHS)
    assert before.bought(DAY) == set()
    assert before.purchase_probability == CustomerRecord(raw, WIDTHS).purchase_probability


@given(one_customer, st.data())
def test_bad_input_a_part_of_a_record_is_refused(told: dict[int, int], data: st.DataObject) -> None:
    raw = customer(told)
    with pytest.raises(RecordError):
        CustomerRecord(raw[: data.draw(st.integers(0, len(raw) - 1))], WIDTHS)


def test_a_reader_finds_what_the_snapshot_tells(
    workspace_dir: Path, publish: Callable[[Snapshot], str], reader: Reader
) -> None:
    content = tables()
    told = [{}, {4: DAY + 2, 28: DAY + 9}, *[{}] * (content.scores.num_rows - 2)]
    scores = content.scores
    for name, column in bought_columns(told).items():
        scores = scores.append_column(name, column)
    publish(make_snapshot(workspace_dir, content=replace(content, scores=scores)))
    id_of = reader.published().catalogue.id
    record = reader.read("customer-001").record
    assert record is not None
    assert {id_of(number) for number in record.bought(DAY)} == {"item-04", "item-28"}
    assert {id_of(number) for number in record.bought(DAY + 2)} == {"item-28"}
    other = reader.read("customer-000").record
    assert other is not None
    assert other.bought(DAY) == set()
