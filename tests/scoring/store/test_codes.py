"""Numbers in few bits: each comes back, and frequent ones are short."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.store.code_choice import best_widths, coded
from scoring.store.codes import Code, fixed_code
from scoring.store.errors import RecordError
from scoring.store.records import Widths

widths = st.sampled_from((1, 2, 4)).flatmap(
    lambda classes: st.lists(st.integers(0, 18), min_size=classes, max_size=classes)
)


def decoded(bits: int, size: int, code: Code) -> int:
    chosen = bits >> size - code.selector
    assert code.sizes[chosen] == size
    return bits + code.offsets[chosen]


def size_of(counts: list[int], widths: list[int]) -> int:
    """Bits of all numbers, if each number n occurs counts[n] times."""
    _, sizes = coded(np.arange(len(counts)), Code.of(widths))
    return int((sizes * np.array(counts)).sum())


@given(widths, st.data())
def test_a_number_comes_back(widths: list[int], data: st.DataObject) -> None:
    code = Code.of(widths)
    number = data.draw(st.integers(0, sum(1 << width for width in widths) - 1))
    bits, sizes = coded(np.array([number]), code)
    assert decoded(int(bits[0]), int(sizes[0]), code) == number


def test_classes_follow_one_another() -> None:
    bits, sizes = coded(np.arange(7), Code.of([1, 0, 1, 1]))
    assert sizes.tolist() == [3, 3, 2, 3, 3, 3, 3]
    assert bits.tolist() == [0b000, 0b001, 0b01, 0b100, 0b101, 0b110, 0b111]


def test_numbers_that_are_equally_frequent_have_one_width() -> None:
    assert best_widths(np.full(1000, 5)) == [10]


def test_frequent_numbers_are_short() -> None:
    counts = (1_000_000 / np.arange(1, 5001) ** 1.5).astype(int).tolist()
    assert size_of(counts, best_widths(np.array(counts))) < 0.6 * size_of(counts, [13])


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=200))
def test_every_number_has_a_code_and_none_is_longer_than_the_fixed_one(counts: list[int]) -> None:
    counts.sort(reverse=True)
    fixed = max(1, (len(counts) - 1).bit_length())
    assert size_of(counts, best_widths(np.array(counts))) <= size_of(counts, [fixed])


def test_without_numbers_there_is_a_code_too() -> None:
    assert best_widths(np.zeros(0, np.int64)) == [0]


@pytest.mark.parametrize("number", [-1, 16])
def test_bad_input_a_number_beyond_the_code(number: int) -> None:
    with pytest.raises(RecordError, match="does not fit"):
        coded(np.array([number]), fixed_code(4))


@pytest.mark.parametrize("codes", [[[1, 2, 3], [1], [1]], [[-1], [1], [1]], [[99], [1], [1]], [5]])
def test_bad_input_widths_that_are_no_code(codes: list) -> None:
    with pytest.raises(RecordError, match="widths"):
        Widths.of(1, 1, 1, codes)
