"""How numbers are written in few bits when small ones are frequent: one, two or four widths.

A number has a selector (0, 1 or 2 bits) that names its class, then as many bits as the class is
wide: the first class holds the numbers from 0 on, the next one those after it. Two shifts read a
number, which is why this is no Huffman code; on the lists of the demo's shop it takes 4 % more than
their entropy, and a quarter less than one width for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

CLASSES = (1, 2, 4)
WIDEST = 32  # bits


class Code(NamedTuple):
    """Bits of the ``selector``; by class its bits with the selector (``sizes``), their mask, and
    what is added to them for the number (``offsets``)."""

    selector: int
    sizes: tuple[int, ...]
    masks: tuple[int, ...]
    offsets: tuple[int, ...]

    @classmethod
    def of(cls, widths: Sequence[int]) -> Code:
        """Of one, two or four widths. Raises ValueError for what is none."""
        if len(widths) not in CLASSES or not all(0 <= width <= WIDEST for width in widths):
            raise ValueError(f"expected 1, 2 or 4 widths up to {WIDEST}, found {list(widths)}")
        selector = len(widths) // 2
        sizes = tuple(selector + width for width in widths)
        offsets = tuple(
            first - (chosen << width)
            for chosen, (first, width) in enumerate(zip(_firsts(widths), widths, strict=True))
        )
        return cls(selector, sizes, tuple((1 << size) - 1 for size in sizes), offsets)

    @property
    def firsts(self) -> tuple[int, ...]:
        """The first number of each class, and the first one beyond."""
        return _firsts([size - self.selector for size in self.sizes], whole=True)


def _firsts(widths: Sequence[int], *, whole: bool = False) -> tuple[int, ...]:
    ends = tuple(accumulate((1 << width for width in widths), initial=0))
    return ends if whole else ends[:-1]


@lru_cache(maxsize=64)
def fixed_code(width: int) -> Code:
    """All numbers in ``width`` bits."""
    return Code.of((width,))
