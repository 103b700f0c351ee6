"""Reasons in a customer's record: what is packed comes back, older records are read, rubbish is
refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.reasons.reason import CODES, LIMITS, PARAMETERS, Reason, decode, encode
from scoring.store.errors import RecordError
from scoring.store.packing import pack_customers, ranked
from scoring.store.reasons_packing import Reasons, Tail, packed_reasons
from scoring.store.reasons_packing import told as told_in
from scoring.store.records import EXTRAS_HEAD, CustomerRecord, Widths

WIDTHS = Widths.of(1000, 10, 10)
Why = tuple[Reason, ...]
NUMBERS = pa.list_(pa.uint32())
# packed before there were reasons: items 5 and 7 at 0.5 and 0.25
VERSION_1 = bytes.fromhex("010200001000000300000010003e014070800040")
# and before there were extras: items 0 and 1, the first one due every 14 days
VERSION_2 = bytes.fromhex("0202000010000001000000100038000010c001030002020e")


@st.composite
def whys(draw: st.DrawFn) -> Why:
    codes = draw(st.lists(st.sampled_from(CODES), max_size=3, unique=True))
    return tuple(
        Reason(c, tuple(draw(st.integers(0, limit)) for limit in LIMITS[: len(PARAMETERS[c])]))
        for c in codes
    )


def numbers(items: list[Why]) -> list[int]:
    """As a snapshot holds them: three an item."""
    return [n for why in items for n in (*encode(why), *[0] * (3 - len(why)))]


def packed(rows: list[list[int]], entries: int = 20) -> tuple[list[bytes], Reasons]:
    """Records of customers with so many items, these numbers as reasons; and their places."""
    indexes = pa.array([list(range(entries))] * len(rows), pa.list_(pa.uint32()))
    scores = pa.array([[0.5] * entries] * len(rows), pa.list_(pa.float32()))
    none = pa.array([[]] * len(rows), pa.list_(pa.uint32()))
    empty = ranked(none, none.cast(pa.list_(pa.float32())))
    items = ranked(indexes, scores)
    half = np.full(len(rows), 0.5)
    column = pa.array(rows, NUMBERS)
    places = Reasons([told_in(column)])
    reasons = packed_reasons(column, items.counts, places)
    return pack_customers((items, empty, empty), WIDTHS, half, half, reasons), places


def whys_of(raw: bytes, places: Reasons) -> list[Why]:
    """The reasons of each item in the record."""
    explained = CustomerRecord(raw, WIDTHS).explained()
    return [decode(places.numbers[list(found)]) for _, _, found in explained]


def with_reasons(tail: bytes) -> bytes:
    """The record of a customer with two items and these bytes as reasons."""
    (raw,), _ = packed([[]], entries=2)
    nothing = b"\x00" * (EXTRAS_HEAD.size + 1)  # no extras, nothing bought
    assert raw.endswith(b"\x00" + nothing)
    return raw.removesuffix(b"\x00" + nothing) + tail + nothing


@given(st.lists(st.lists(whys(), max_size=20), min_size=1, max_size=5))
def test_reasons_come_back_in_order(rows: list[list[Why]]) -> None:
    records, places = packed([numbers(items) for items in rows])
    for raw, items in zip(records, rows, strict=True):
        assert whys_of(raw, places) == items + [()] * (20 - len(items))


def test_each_item_has_its_own_reasons_and_those_after_them_none() -> None:
    (raw,), places = packed([numbers([(Reason("price"),), (), (Reason("due", (14,)),)])], entries=5)
    assert whys_of(raw, places) == [(Reason("price"),), (), (Reason("due", (14,)),), (), ()]


def test_a_gap_between_reasons_is_closed() -> None:
    (one,) = encode([Reason("price")])
    (other,) = encode([Reason("due", (300,))])
    (raw,), places = packed([[0, one, other]])
    assert whys_of(raw, places)[0] == (Reason("price"), Reason("due", (300,)))


def test_frequent_reasons_have_the_first_places() -> None:
    often, rarely = (Reason("price"),), (Reason("due", (14,)),)
    _, places = packed([numbers([rarely, often, often]), numbers([often])])
    assert decode(places.numbers) == (*often, *rarely)


def test_what_there_is_no_place_for_is_left_out() -> None:
    column = pa.array([numbers([(Reason("price"), Reason("due", (14,)))])], NUMBERS)
    known = Reasons([told_in(pa.array([numbers([(Reason("price"),)])], NUMBERS))])
    one = packed_reasons(column, np.array([1]), known)
    assert one.matrix[0].tolist() == [1, 1, 0, 0]  # an item, one reason, its place


def test_a_record_of_before_there_were_reasons_is_read() -> None:
    record = CustomerRecord(VERSION_1, WIDTHS)
    assert record.explained() == [(5, 0.5, ()), (7, 0.25, ())]
    assert record.extras_raw == b""


def test_a_record_with_reasons_of_before_is_read_without_them() -> None:
    record = CustomerRecord(VERSION_2, WIDTHS)
    assert record.explained() == [(0, 0.5, ()), (1, 0.5, ())]


def test_reasons_of_items_that_a_record_has_no_place_for_are_left_out() -> None:
    (raw,), places = packed([numbers([(Reason("price"),)] * 300)], entries=300)
    assert whys_of(raw, places) == [(Reason("price"),)] * 255


def test_a_sliced_column_is_packed_from_its_own_rows() -> None:
    column = pa.array([numbers([()]), numbers([(Reason("price"),)]), []], NUMBERS)
    places = Reasons([told_in(column)])
    found: Tail = packed_reasons(column.slice(1, 2), np.array([4, 4]), places)
    whole = packed_reasons(column.slice(1, 1).take([0]), np.array([4]), places)
    assert found.matrix[0].tolist() == whole.matrix[0].tolist()
    assert found.lengths.tolist() == [4, 1]


def test_three_reasons_take_six_bytes_and_their_number_a_quarter() -> None:
    why = (Reason("bought", (120, 400)), Reason("brand", (127, 900)), Reason("due", (90,)))
    (without, raw), _ = packed([[], numbers([why] * 8)])
    assert len(raw) - len(without) == 8 * 6 + 2


@given(st.binary(max_size=60))
def test_bad_input_rubbish_as_reasons(tail: bytes) -> None:
    try:
        found = CustomerRecord(with_reasons(tail), WIDTHS).explained()
    except RecordError:
        return
    assert len(found) == 2


@given(st.integers(0, 60), st.binary(min_size=1, max_size=3))
def test_bad_input_an_altered_record_never_ends_the_process(at: int, patch: bytes) -> None:
    (whole,), _ = packed([numbers([(Reason("bought", (3, 200)), Reason("price"))] * 10)])
    raw = bytearray(whole)
    raw[at : at + len(patch)] = patch
    try:
        CustomerRecord(bytes(raw), WIDTHS).explained()
    except RecordError:
        return


def test_bad_input_reasons_for_more_items_than_there_are() -> None:
    with pytest.raises(RecordError, match="reasons for 3 of 2 items"):
        CustomerRecord(with_reasons(b"\x03\x00"), WIDTHS)


def test_bad_input_a_record_that_ends_among_the_reasons() -> None:
    (raw,), _ = packed([numbers([(Reason("due", (14,)),)])])
    for cut in range(1, 7):
        with pytest.raises(RecordError, match=r"ends before|expected"):
            CustomerRecord(raw[:-cut], WIDTHS)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ([1 << 26], "not 3 numbers an item"),
        ([63 << 26, 0, 0], "code 63, which is unknown"),
        ([12 << 26, 12 << 26, 0], "two reasons of one code"),
        ([12 << 26 | 5, 0, 0], "more parameters than its code takes"),
        ([2 << 26 | 5, 0, 0], "more parameters than its code takes"),
    ],
)
def test_bad_input_numbers_that_are_no_reasons_are_not_packed(row: list[int], problem: str) -> None:
    with pytest.raises(RecordError, match=problem):
        packed([row])
