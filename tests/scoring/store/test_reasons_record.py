"""Reasons in a customer's record: what is packed comes back, older records are read, rubbish is
refused."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.reasons.reason import CODE_SHIFT, CODES, LIMITS, PARAMETERS, Reason, decode, encode
from scoring.store.errors import RecordError
from scoring.store.extras import ExtrasNames
from scoring.store.packing import pack_customers, ranked
from scoring.store.reasons_packing import Reasons, packed_reasons, told
from scoring.store.reasons_record import MOST_PLACES
from scoring.store.records import CustomerRecord, Widths

WIDTHS = Widths.of(1000, 10, 10)
Why = tuple[Reason, ...]
# packed before there were reasons: items 5 and 7 at 0.5 and 0.25
VERSION_1 = bytes.fromhex("010200001000000300000010003e014070800040")
# and before there were extras: items 0 and 1, the first one due every 14 days
VERSION_2 = bytes.fromhex("0202000010000001000000100038000010c001030002020e")
# and before reasons were places: the same, in the first time zone, with consent to advertising
VERSION_3 = b"\x03" + VERSION_2[1:] + bytes.fromhex("0300020201")


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


def column(rows: list[list[int]]) -> pa.ListArray:
    return pa.array(rows, pa.list_(pa.uint32()))


def reasons_of(rows: list[list[int]]) -> Reasons:
    """Those that a snapshot of these rows tells."""
    return Reasons([told(column(rows))])


def pack(
    rows: list[list[int]], entries: int = 20, places: Reasons | None = None
) -> tuple[list[bytes], Reasons]:
    """Records of customers with so many items, and these numbers as reasons."""
    places = places or reasons_of(rows)
    scores = pa.array([[0.5] * entries] * len(rows), pa.list_(pa.float32()))
    none = column([[]] * len(rows))
    empty = ranked(none, none.cast(pa.list_(pa.float32())))
    items = ranked(column([list(range(entries))] * len(rows)), scores)
    half = np.full(len(rows), 0.5)
    reasons = packed_reasons(column(rows), items.counts, places)
    return pack_customers((items, empty, empty), WIDTHS, half, half, reasons), places


def packed_one(row: list[int], entries: int = 20) -> bytes:
    return pack([row], entries)[0][0]


def read(raw: bytes, places: Reasons) -> list[Why]:
    """The reasons of each item."""
    return [
        decode(places.numbers[place] for place in told_)
        for _, _, told_ in CustomerRecord(raw, WIDTHS).explained()
    ]


def padded(items: list[Why], entries: int = 20) -> list[Why]:
    return [*items, *[()] * (entries - len(items))]


def with_reasons(head: Iterable[int], places: bytes = b"") -> bytes:
    """The record of a customer with two items, and these bytes as reasons."""
    raw = packed_one([], entries=2)
    nothing, no_extras = b"\x00", b"\x00\x00"
    assert raw.endswith(nothing + no_extras)
    return raw.removesuffix(nothing + no_extras) + bytes(head) + places + no_extras


@given(st.lists(st.lists(whys(), max_size=20), min_size=1, max_size=5))
def test_reasons_come_back_in_order(rows: list[list[Why]]) -> None:
    records, places = pack([numbers(items) for items in rows])
    assert [read(raw, places) for raw in records] == [padded(items) for items in rows]


@given(st.lists(st.lists(whys(), max_size=4), min_size=2, max_size=4))
def test_customers_are_packed_as_if_each_were_alone(rows: list[list[Why]]) -> None:
    whole = [numbers(items) for items in rows]
    records, places = pack(whole)
    assert [pack([row], places=places)[0] for row in whole] == [[raw] for raw in records]


@given(st.lists(whys(), max_size=20), st.integers(0, 25))
def test_the_first_items_are_explained_as_among_all(items: list[Why], count: int) -> None:
    record = CustomerRecord(packed_one(numbers(items)), WIDTHS)
    assert record.explained(count) == record.explained()[:count]


def test_each_item_has_its_own_reasons_and_those_after_them_none() -> None:
    why: list[Why] = [(Reason("price"),), (), (Reason("due", (14,)),)]
    (raw,), places = pack([numbers(why)], entries=5)
    assert [number for number, _, _ in CustomerRecord(raw, WIDTHS).explained()] == list(range(5))
    assert read(raw, places) == padded(why, 5)


def test_a_gap_between_reasons_is_closed() -> None:
    (one,) = encode([Reason("price")])
    (other,) = encode([Reason("due", (300,))])
    (raw,), places = pack([[0, one, other]], entries=1)
    assert read(raw, places) == [(Reason("price"), Reason("due", (300,)))]


def test_the_most_frequent_reason_has_the_first_place() -> None:
    price, due = (encode([reason])[0] for reason in (Reason("price"), Reason("due", (14,))))
    parts = [told(column([[price, 0, 0]])), told(column([[due, 0, 0], [due, price, 0]] * 2))]
    assert Reasons(parts).numbers.tolist() == [due, price]


def test_the_rarest_of_more_reasons_than_there_are_places_are_not_told() -> None:
    rare, bought = (Reason("price"),), (Reason("bought", (3, 200)),)
    more = np.arange(MOST_PLACES) + (CODES.index("bought") + 1 << CODE_SHIFT)
    items = [rare, bought]
    places = Reasons([told(column([numbers(items)])), (more, np.full(MOST_PLACES, 2))])
    assert len(places.numbers) == MOST_PLACES
    (raw,), _ = pack([numbers(items)], places=places)
    assert read(raw, places) == padded([(), bought])


def test_a_snapshot_without_reasons_is_packed_without() -> None:
    records, places = pack([[], []])
    assert not len(places.numbers)
    assert [read(raw, places) for raw in records] == [padded([])] * 2


def test_a_record_of_before_there_were_reasons_is_read() -> None:
    record = CustomerRecord(VERSION_1, WIDTHS)
    assert record.explained() == [(5, 0.5, ()), (7, 0.25, ())]


@pytest.mark.parametrize("raw", [VERSION_2, VERSION_3], ids=["version 2", "version 3"])
def test_a_record_of_before_reasons_had_places_is_read_without_them(raw: bytes) -> None:
    assert CustomerRecord(raw, WIDTHS).explained() == [(0, 0.5, ()), (1, 0.5, ())]


def test_extras_behind_reasons_of_an_older_form_are_read() -> None:
    names = ExtrasNames(("Asia/Seoul",), ())
    assert CustomerRecord(VERSION_2, WIDTHS).extras(names).timezone is None
    extras = CustomerRecord(VERSION_3, WIDTHS).extras(names)
    assert (extras.timezone, extras.ad_consent) == ("Asia/Seoul", True)


def test_a_reason_takes_two_bytes_and_its_item_two_bits() -> None:
    why = (Reason("bought", (120, 400)), Reason("brand", (127, 900)), Reason("due", (90,)))
    (without, one, three), _ = pack([[], numbers([(Reason("price"),)]), numbers([why] * 10)])
    assert len(one) == len(without) + 1 + 2
    assert len(three) == len(without) + 3 + 10 * 3 * 2


def test_reasons_of_items_that_a_record_has_no_place_for_are_left_out() -> None:
    (raw,), places = pack([numbers([(Reason("price"),)] * 300)], entries=300)
    assert read(raw, places) == [(Reason("price"),)] * 255


def test_a_sliced_column_is_packed_from_its_own_rows() -> None:
    rows = [numbers([()]), numbers([(Reason("price"),)]), []]
    places = reasons_of(rows)
    found = packed_reasons(column(rows).slice(1, 2), np.array([4, 4]), places)
    whole = packed_reasons(column(rows[1:2]), np.array([4]), places)
    assert found.matrix[0].tolist() == whole.matrix[0].tolist()
    assert found.lengths.tolist() == [4, 1]


@given(st.binary(max_size=60), st.integers(0, 3))
def test_bad_input_rubbish_as_reasons(tail: bytes, items: int) -> None:
    try:
        found = CustomerRecord(with_reasons([items], tail), WIDTHS).explained()
    except RecordError:
        return
    assert [number for number, _, _ in found] == [0, 1]
    assert all(len(places) <= 3 for _, _, places in found)


@given(st.integers(0, 60), st.binary(min_size=1, max_size=3))
def test_bad_input_an_altered_record_never_ends_the_process(at: int, patch: bytes) -> None:
    raw = bytearray(packed_one(numbers([(Reason("bought", (3, 200)), Reason("price"))] * 10)))
    raw[at : at + len(patch)] = patch
    try:
        CustomerRecord(bytes(raw), WIDTHS).explained()
    except RecordError:
        return


@pytest.mark.parametrize(
    ("head", "places"),
    [
        pytest.param([1, 0b01], b"", id="none for a reason that is counted"),
        pytest.param([1, 0b01], b"\x00", id="half a place"),
        pytest.param([1, 0b01], b"\x00\x00\x00", id="a byte too many"),
        pytest.param([2, 0b0101], b"\x00\x00", id="one for two items"),
        pytest.param([1], b"", id="no count"),
    ],
)
def test_bad_input_other_places_than_are_counted(head: list[int], places: bytes) -> None:
    with pytest.raises(RecordError, match=r"customer record of \d+ bytes, expected|ends before"):
        CustomerRecord(with_reasons(head, places), WIDTHS)


def test_bad_input_reasons_for_more_items_than_there_are() -> None:
    with pytest.raises(RecordError, match="reasons for 3 of 2 items"):
        CustomerRecord(with_reasons([3, 0]), WIDTHS)


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_bad_input_a_record_that_is_cut_anywhere(version: int) -> None:
    now = packed_one(numbers([(Reason("due", (14,)),)]), entries=2)
    raw = (VERSION_1, VERSION_2, VERSION_3, now)[version - 1]
    for length in range(len(raw)):
        with pytest.raises(RecordError):
            CustomerRecord(raw[:length], WIDTHS)


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
        pack([row])
