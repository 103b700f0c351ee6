"""What is packed comes back: exactly in order, scores to within 2.2 %."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.store.errors import RecordError
from scoring.store.packing import Ranked, pack_customers, pack_relations, ranked
from scoring.store.records import (
    CustomerRecord,
    Relations,
    Widths,
    alias_record,
    alias_target,
)

WIDTHS = Widths.of(100_000, 6_000, 300)
CODED = Widths.of(100_000, 6_000, 300, [[4, 8, 12, 17], [6, 13], [9]])
LEAST = 2 ** (-255 / 16)  # what a level can tell


def arrow_lists(lists: list[list[tuple[int, float]]]) -> tuple[pa.ListArray, pa.ListArray]:
    return (
        pa.array([[index for index, _ in row] for row in lists], pa.list_(pa.uint32())),
        pa.array([[score for _, score in row] for row in lists], pa.list_(pa.float32())),
    )


def as_ranked(lists: list[list[tuple[int, float]]]) -> Ranked:
    return ranked(*arrow_lists(lists))


def customer(
    items: list[tuple[int, float]],
    brands: list[tuple[int, float]] = (),  # type: ignore[assignment]
    categories: list[tuple[int, float]] = (),  # type: ignore[assignment]
    purchase: float = 0.5,
    expected: float = 1.5,
    widths: Widths = WIDTHS,
) -> bytes:
    lists = (as_ranked([list(items)]), as_ranked([list(brands)]), as_ranked([list(categories)]))
    return pack_customers(lists, widths, np.array([purchase]), np.array([expected]))[0]


def best_first(choices: int) -> st.SearchStrategy[list[tuple[int, float]]]:
    pair = st.tuples(st.integers(0, choices - 1), st.floats(0, 1, width=32))
    return st.lists(pair, max_size=120).map(lambda row: sorted(row, key=lambda p: -p[1]))


@given(best_first(100_000), best_first(6_000), best_first(300), st.sampled_from((WIDTHS, CODED)))
def test_lists_come_back_in_order(
    items: list[tuple[int, float]],
    brands: list[tuple[int, float]],
    categories: list[tuple[int, float]],
    widths: Widths,
) -> None:
    record = CustomerRecord(customer(items, brands, categories, widths=widths), widths)
    for found, given_ in (
        (record.items(), items), (record.brands(), brands), (record.categories(), categories),
    ):  # fmt: skip
        pairs = list(found)
        assert [index for index, _ in pairs] == [index for index, _ in given_]
        for (_, score), (_, wanted) in zip(pairs, given_, strict=True):
            assert score == pytest.approx(max(wanted, LEAST), rel=0.03)


@given(st.floats(0, 1, width=32), st.floats(0, 60_000, width=32))
def test_scalars_come_back(purchase: float, expected: float) -> None:
    record = CustomerRecord(customer([], purchase=purchase, expected=expected), WIDTHS)
    assert record.purchase_probability == pytest.approx(purchase, rel=1e-3, abs=2e-5)
    assert record.expected_purchases == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_rows_are_packed_as_if_each_were_alone() -> None:
    rows = [[(5, 0.5), (7, 0.25)], [], [(99_999, 0.9)] * 255, [(1, 1e-9)]]
    empty = as_ranked([[]] * 4)
    together = pack_customers(
        (as_ranked(rows), empty, empty), WIDTHS, np.full(4, 0.5), np.full(4, 1.5)
    )
    assert together == [customer(row) for row in rows]


def test_a_sliced_column_is_packed_from_its_own_rows() -> None:
    indexes, scores = arrow_lists([[(1, 0.5)], [(2, 0.4), (3, 0.3)], [(4, 0.2)]])
    found = ranked(indexes.slice(1, 1), scores.slice(1, 1))
    assert found.indexes.tolist() == [[2, 3]]


def test_lists_longer_than_a_record_holds_are_cut() -> None:
    record = CustomerRecord(customer([(index, 0.5) for index in range(300)]), WIDTHS)
    assert [index for index, _ in record.items()] == list(range(255))


def test_a_full_customer_is_small() -> None:
    random = np.random.default_rng(1)

    def row(entries: int, choices: int, low: float, high: float) -> list[tuple[int, float]]:
        scores = np.exp(-np.sort(random.uniform(-np.log(high), -np.log(low), entries)))
        return list(zip(random.integers(0, choices, entries).tolist(), scores, strict=True))

    raw = customer(
        row(50, 100_000, 0.005, 0.5), row(100, 6_000, 0.0005, 0.6), row(20, 300, 0.02, 0.9)
    )
    assert len(raw) <= 385


@given(st.binary(max_size=500))
def test_bad_input_rubbish_as_customer_record(raw: bytes) -> None:
    try:
        record = CustomerRecord(raw, WIDTHS)
        for values in (record.items(), record.brands(), record.categories()):
            list(values)
    except RecordError:
        return
    assert raw[0] in (
        1,
        2,
        3,
        4,
    )  # whatever can be read at least says that it is of a known version


@given(st.integers(0, 60), st.binary(min_size=1, max_size=3))
def test_bad_input_altered_customer_record_never_ends_the_process(at: int, patch: bytes) -> None:
    raw = bytearray(customer([(5, 0.5), (7, 0.25)], [(1, 0.1)] * 20))
    raw[at : at + len(patch)] = patch
    try:
        list(CustomerRecord(bytes(raw), WIDTHS).items())
    except RecordError:
        return


def test_bad_input_cut_off_customer_record() -> None:
    raw = customer([(5, 0.5)])
    for length in range(len(raw)):
        with pytest.raises(RecordError):
            CustomerRecord(raw[:length], WIDTHS)


def test_bad_input_customer_record_of_a_later_version() -> None:
    with pytest.raises(RecordError, match="version 9"):
        CustomerRecord(b"\x09" + customer([])[1:], WIDTHS)


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -0.1, 1.5])
def test_bad_input_scores_that_are_no_probability(score: float) -> None:
    with pytest.raises(RecordError, match=r"NaN|outside 0 to 1"):
        customer([(1, score)])


@pytest.mark.parametrize("purchase", [float("nan"), -0.5, 2.0])
def test_bad_input_purchase_probability(purchase: float) -> None:
    with pytest.raises(RecordError, match="outside 0 to 1"):
        customer([], purchase=purchase)


def test_bad_input_lists_of_different_length() -> None:
    indexes, _ = arrow_lists([[(1, 0.5), (2, 0.4)]])
    _, scores = arrow_lists([[(1, 0.5)]])
    with pytest.raises(RecordError, match="differ in length"):
        ranked(indexes, scores)


def test_bad_input_index_wider_than_its_bits() -> None:
    with pytest.raises(RecordError, match="does not fit"):
        customer([(1 << 17, 0.5)])


def test_an_alias_names_its_customer() -> None:
    assert alias_target(alias_record(b"abcdefghijkl")) == b"abcdefghijkl"
    assert alias_target(customer([])) is None


def test_bad_input_alias_of_wrong_length() -> None:
    with pytest.raises(RecordError, match="13"):
        alias_target(alias_record(b"short"))


@given(best_first(1000), best_first(1000), st.floats(0.01, 1000))
def test_relations_come_back_whatever_their_scale(
    related: list[tuple[int, float]], together: list[tuple[int, float]], scale: float
) -> None:
    scaled = [[(index, score * scale) for index, score in row] for row in (related, together)]
    raw = pack_relations(as_ranked([scaled[0]]), as_ranked([scaled[1]]), 10)[0]
    for found, wanted in zip(Relations.unpack(raw, 10), scaled, strict=True):
        assert [index for index, _ in found] == [index for index, _ in wanted]
        for (_, score), (_, original) in zip(found, wanted, strict=True):
            least = max(score for _, score in wanted) * LEAST
            assert score == pytest.approx(max(original, least), rel=0.03, abs=1e-30)


def test_an_item_without_relations_has_none() -> None:
    assert Relations.unpack(b"", 10) == ([], [])


@given(st.binary(min_size=1, max_size=200))
def test_bad_input_rubbish_as_relations(raw: bytes) -> None:
    try:
        Relations.unpack(raw, 10)
    except RecordError:
        return
    assert raw[0] == 1
