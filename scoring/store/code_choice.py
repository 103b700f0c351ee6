"""Which code takes fewest bits for numbers that occur so often, and numbers as its bits (numpy)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement, pairwise

import numpy as np

from scoring.store.codes import CLASSES, Code
from scoring.store.errors import RecordError


def best_widths(counts: np.ndarray) -> list[int]:
    """Widths of the shortest code for numbers 0, 1, … that occur ``counts`` (n,) times, the
    frequent ones first."""
    full = max(1, (len(counts) - 1).bit_length())
    before = np.concatenate([[0], np.cumsum(counts)]).tolist()
    choices: Iterator[tuple[int, ...]] = (
        widths
        for classes in CLASSES
        for widths in combinations_with_replacement(range(full + 1), classes)
        if sum(1 << width for width in widths) >= len(counts)
    )
    costs = ((_bits(widths, before), len(widths), widths) for widths in choices)
    return list(min(costs)[-1])


def _bits(widths: Sequence[int], before: list[int]) -> int:
    """Bits of all numbers; ``before``: how many occurrences come before each number."""
    code, most = Code.of(widths), len(before) - 1
    ends = [before[min(first, most)] for first in code.firsts]
    return sum(
        size * (end - start) for size, (start, end) in zip(code.sizes, pairwise(ends), strict=True)
    )


def coded(numbers: np.ndarray, code: Code) -> tuple[np.ndarray, np.ndarray]:
    """(int64, int64) of the same shape: the bits of each number, and how many they are.

    Raises RecordError for a number that the code does not have.
    """
    firsts = np.array(code.firsts)
    if numbers.size and not 0 <= int(numbers.min()) <= int(numbers.max()) < firsts[-1]:
        raise RecordError(f"index {int(numbers.max())} does not fit a code of {firsts[-1]}")
    # classes of no number have the same first as the next one: the last of them counts
    chosen = np.searchsorted(firsts[:-1], numbers, side="right") - 1
    return numbers - np.array(code.offsets)[chosen], np.array(code.sizes)[chosen]
