from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery.packing import Record, pack
from connectors.tool import Limits


def records(sizes: list[int]) -> list[Record]:
    return [record(str(n), size) for n, size in enumerate(sizes)]


def record(key: str, size: int, lane: str = "") -> Record:
    return Record(0, key, 1, lane, b"x" * size)


@given(
    st.lists(st.integers(1, 40), max_size=60),
    st.integers(1, 9),
    st.integers(45, 120),
    st.integers(0, 5),
)
def test_every_record_goes_once_in_order_and_within_the_limits(
    sizes: list[int], items: int, body_bytes: int, envelope_bytes: int
) -> None:
    given_records = records(sizes)
    limits = Limits(items, body_bytes, 40, envelope_bytes)
    batches = list(pack(given_records, limits))
    assert [record for batch in batches for record in batch] == given_records
    for batch in batches:
        assert 0 < len(batch) <= items
        assert envelope_bytes + len(b",".join(r.body for r in batch)) <= body_bytes


@given(st.lists(st.integers(1, 40), min_size=2, max_size=60))
def test_no_two_neighbours_would_have_fitted_into_one(sizes: list[int]) -> None:
    limits = Limits(7, 100, 40, 2)
    batches = list(pack(records(sizes), limits))
    for left, right in pairwise(batches):
        together = [*left, right[0]]
        size = 2 + len(b",".join(r.body for r in together))
        assert len(together) > limits.items or size > limits.body_bytes


def test_bad_input_a_record_over_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="41 bytes"):
        list(pack(records([41]), Limits(7, 100, 40, 2)))


@given(st.lists(st.tuples(st.sampled_from("xy"), st.integers(1, 40)), max_size=40))
def test_lanes_never_share_a_request(given_lanes: list[tuple[str, int]]) -> None:
    records = [record(str(n), size, lane) for n, (lane, size) in enumerate(given_lanes)]
    batches = list(pack(records, Limits(3, 100, 40, 2)))
    assert all(len({r.lane for r in batch}) == 1 for batch in batches)
    for lane in "xy":
        sent = [r for batch in batches for r in batch if r.lane == lane]
        assert sent == [r for r in records if r.lane == lane]
