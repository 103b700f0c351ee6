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
from scoring.store.reasons_packing import packed_reasons
from scoring.store.reasons_record import reason_numbers
from scoring.store.records import CustomerRecord, Widths

WIDTHS = Widths.of(1000, 10, 10)
Why = tuple[Reason, ...]
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


def pack(rows: list[list[int]], entries: int = 20) -> list[bytes]:
    """Records of customers with so many items, and these numbers as reasons."""
    indexes = pa.array([list(range(entries))] * len(rows), pa.list_(pa.uint32()))
    scores = pa.array([[0.5] * entries] * len(rows), pa.list_(pa.float32()))
    none = pa.array([[]] * len(rows), pa.list_(pa.uint32()))
    empty = ranked(none, none.cast(pa.list_(pa.float32())))
    items = ranked(indexes, scores)
    half = np.full(len(rows), 0.5)
    reasons = packed_reasons(pa.array(rows, pa.list_(pa.uint32())), items.counts)
    return pack_customers((items, empty, empty), WIDTHS, half, half, reasons)


def told(raw: bytes) -> list[Why]:
    return [decode(packed) for packed in CustomerRecord(raw, WIDTHS).reasons()]


def with_reasons(tail: bytes, items: int = 1) -> bytes:
    """The record of a customer with two items and these bytes as reasons."""
    (raw,) = pack([[]], entries=2)
    nothing = b"\x00\x00\x00", b"\x00\x00"  # reasons, extras
    assert raw.endswith(b"".join(nothing))
    reasons = bytes([items]) + len(tail).to_bytes(2, "little") + tail
    return raw.removesuffix(b"".join(nothing)) + reasons + nothing[1]


@given(st.lists(st.lists(whys(), max_size=20), min_size=1, max_size=5))
def test_reasons_come_back_in_order(rows: list[list[Why]]) -> None:
    records = pack([numbers(items) for items in rows])
    assert [told(raw) for raw in records] == rows


@given(st.lists(st.lists(whys(), max_size=4), min_size=2, max_size=4))
def test_customers_are_packed_as_if_each_were_alone(rows: list[list[Why]]) -> None:
    alone = [pack([numbers(items)])[0] for items in rows]
    assert pack([numbers(items) for items in rows]) == alone


def test_each_item_has_its_own_reasons_and_those_after_them_none() -> None:
    (raw,) = pack([numbers([(Reason("price"),), (), (Reason("due", (14,)),)])], entries=5)
    found = [
        (number, decode(reason_numbers(packed)))
        for number, _, packed in CustomerRecord(raw, WIDTHS).explained()
    ]
    assert found == [
        (0, (Reason("price"),)),
        (1, ()),
        (2, (Reason("due", (14,)),)),
        (3, ()),
        (4, ()),
    ]


def test_a_gap_between_reasons_is_closed() -> None:
    (one,) = encode([Reason("price")])
    (other,) = encode([Reason("due", (300,))])
    assert told(pack([[0, one, other]])[0]) == [(Reason("price"), Reason("due", (300,)))]


def test_a_record_of_before_there_were_reasons_is_read() -> None:
    record = CustomerRecord(VERSION_1, WIDTHS)
    assert list(record.explained()) == [(5, 0.5, b""), (7, 0.25, b"")]


def test_a_record_of_version_2_is_read() -> None:
    record = CustomerRecord(VERSION_2, WIDTHS)
    assert list(record.items()) == [(0, 0.5), (1, 0.5)]
    assert told(VERSION_2) == [(Reason("due", (14,)),)]
    assert record.extras_raw == b""


def test_a_reason_without_numbers_takes_two_bytes() -> None:
    without, with_one = pack([[], numbers([(Reason("price"),)])])
    assert len(with_one) == len(without) + 2


def test_reasons_of_items_that_a_record_has_no_place_for_are_left_out() -> None:
    (raw,) = pack([numbers([(Reason("price"),)] * 300)], entries=300)
    assert told(raw) == [(Reason("price"),)] * 255


def test_a_sliced_column_is_packed_from_its_own_rows() -> None:
    column = pa.array([numbers([()]), numbers([(Reason("price"),)]), []], pa.list_(pa.uint32()))
    found = packed_reasons(column.slice(1, 2), np.array([4, 4]))
    whole = packed_reasons(column.slice(1, 1).take([0]), np.array([4]))
    assert found.matrix[0].tolist() == whole.matrix[0].tolist()
    assert found.lengths.tolist() == [5, 3]


def test_three_reasons_of_years_fit_into_twelve_bytes() -> None:
    why = (Reason("bought", (120, 400)), Reason("brand", (127, 900)), Reason("due", (90,)))
    (without, raw) = pack([[], numbers([why] * 10)])
    assert (len(raw) - len(without)) / 10 <= 12


@given(st.binary(max_size=60), st.integers(0, 3))
def test_bad_input_rubbish_as_reasons(tail: bytes, items: int) -> None:
    try:
        found = told(with_reasons(tail, items))
    except RecordError:
        return
    assert len(found) == items  # and each could be decoded


@given(st.integers(0, 60), st.binary(min_size=1, max_size=3))
def test_bad_input_an_altered_record_never_ends_the_process(at: int, patch: bytes) -> None:
    raw = bytearray(pack([numbers([(Reason("bought", (3, 200)), Reason("price"))] * 10)])[0])
    raw[at : at + len(patch)] = patch
    try:
        told(bytes(raw))
    except RecordError:
        return


@pytest.mark.parametrize(
    ("tail", "problem"),
    [
        (b"", "end in the middle"),
        (b"\x02\x0c", "reasons end at byte"),
        (b"\x01\x01", "ends in the middle"),
        (b"\x03\x01\x03\x80", "ends in the middle"),
        (b"\x01\x00", "code 0"),
        (b"\x01\x3f", "code 63"),
        (b"\x02\x0c\x0c", "2 reasons of 1 codes"),
        (b"\x04\x07\x0c\x0d\x0e", "4 reasons of 4 codes, at most 3"),
        (b"\x04\x01\xff\x7f\x00", "with 16383"),
        (b"\x01\x0c\x0c", "reasons end at byte"),
    ],
)
def test_bad_input_reasons_that_cannot_be(tail: bytes, problem: str) -> None:
    with pytest.raises(RecordError, match=problem):
        told(with_reasons(tail))


def test_bad_input_reasons_for_more_items_than_there_are() -> None:
    with pytest.raises(RecordError, match="reasons for 3 of 2 items"):
        CustomerRecord(with_reasons(b"\x00\x00\x00", items=3), WIDTHS)


@pytest.mark.parametrize("cut", [1, 3, 5])
def test_bad_input_a_record_that_ends_among_the_reasons(cut: int) -> None:
    raw = pack([numbers([(Reason("due", (14,)),)])])[0]
    with pytest.raises(RecordError, match=r"ends before|expected"):
        CustomerRecord(raw[:-cut], WIDTHS)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([1 << 26], "not 3 numbers an item"),
        ([63 << 26, 0, 0], "code 63, which is unknown"),
        ([12 << 26, 12 << 26, 0], "same reason twice"),
        ([12 << 26 | 5, 0, 0], "more parameters than its code takes"),
        ([2 << 26 | 5, 0, 0], "more parameters than its code takes"),
    ],
)
def test_bad_input_numbers_that_are_no_reasons_are_not_packed(
    rows: list[int], problem: str
) -> None:
    with pytest.raises(RecordError, match=problem):
        pack([rows])
