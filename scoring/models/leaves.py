"""Boosted trees evaluated by bit vectors, many rows at once, as the library's trees would answer.

QuickScorer (Lucchese et al. 2015): a tree's leaves are the bits of a word. A split says, of each
side of its threshold, which leaves can no longer be reached; what a feature's value says of all
trees is one row of a table, and the rows of all features, joined by AND, leave one bit a tree, the
leaf. No branch depends on the data, and what many pairs share (a customer's features, a target's)
is looked up once for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from scoring.models import Floats
from scoring.models.parts import Part

Words = NDArray[np.uint64]

STRIDE, BLOCK = 8192, 2048  # rows at once: their words stay in the processor's cache
CELL_SHIFT = 16  # a float32's other bits name a cell of neighbouring numbers
# a multiplication moves the place of a word's only bit into its highest bits (Leiserson, Prokop
# and Randall 1998): bits → (type, factor, shift)
DE_BRUIJN: dict[int, tuple[type[np.unsignedinteger], int, int]] = {
    16: (np.uint16, 0x09AF, 12),
    32: (np.uint32, 0x077CB531, 27),
    64: (np.uint64, 0x022FDD63CC95386D, 58),
}


@dataclass(frozen=True)
class Leaves:
    """``thresholds``: of each feature that a tree splits, float32 rising, the last one infinite;
    ``cells``: likewise, where among them lies what begins with the same bits, -1 where they differ;
    ``alive``: likewise uint64[len(thresholds) + 1, words], which leaves a value
    between two thresholds (the last: a missing one) can reach; ``every``: uint64[words], all leaves
    that there are, ``bits`` a tree; ``value``: float64[trees * bits], of each leaf in the order
    that DE_BRUIJN gives."""

    thresholds: Mapping[int, Floats]
    cells: Mapping[int, NDArray[np.int16]]
    alive: Mapping[int, Words]
    every: Words
    value: NDArray[np.float64]
    bits: int
    baseline: float

    @classmethod
    def of(cls, nodes: NDArray, tree_start: NDArray[np.int64], baseline: float) -> Self:
        """``nodes``: as in Stacker. Raises ValueError for a tree of more than 64 leaves."""
        trees = [nodes[begin:end] for begin, end in pairwise(tree_start.tolist())]
        most = max((int((tree["is_leaf"] != 0).sum()) for tree in trees), default=1)
        bits = next((bits for bits in DE_BRUIJN if most <= bits), 0)
        if not bits:
            raise ValueError(f"a tree has {most} leaves: at most {max(DE_BRUIJN)} fit a word")
        splits, every, value = _splits(trees, bits)
        thresholds: dict[int, Floats] = {}
        alive: dict[int, Words] = {}
        for feature in sorted({split.feature for split in splits}):
            own = [split for split in splits if split.feature == feature]
            thresholds[feature], alive[feature] = _table(own, every, bits)
        cells = {feature: _cells(rising) for feature, rising in thresholds.items()}
        return cls(thresholds, cells, alive, every, value, bits, baseline)

    def raw(self, parts: Sequence[Part], n: int) -> NDArray[np.float64]:
        """float64[n]: log-odds of n rows that are described by ``parts``, in feature order."""
        out = np.empty(n, dtype=np.float64)
        for begin in range(0, n, STRIDE):
            end = min(begin + STRIDE, n)
            out[begin:end] = self._few([part.rows(begin, end) for part in parts], end - begin)
        return out

    def _few(self, parts: Sequence[Part], n: int) -> NDArray[np.float64]:
        """``raw`` of as many rows as have their tables in the cache."""
        lookups: list[tuple[Words, NDArray]] = []
        column = 0
        for part in parts:
            lookups += self._lookups(part, column, n)
            column += part.width
        reached = self._reached(lookups, n)
        out = np.empty(n, dtype=np.float64)
        for begin in range(0, n, BLOCK):
            out[begin : begin + BLOCK] = self._sum(reached[begin : begin + BLOCK])
        return out

    def _lookups(self, part: Part, column: int, n: int) -> list[tuple[Words, NDArray]]:
        """(table, row of each pair): what a part says; one table when its rows are shared."""
        split = [f for f in range(column, column + part.width) if f in self.thresholds]
        if not split:
            return []
        part = part.shared(n)
        each = self._places(split, part.values, column)
        if part.row is None:
            return each
        if len(each) == 1:
            return [(table, place[part.row]) for table, place in each]
        return [(self._reached(each, len(part.values)), part.row)]

    def _places(
        self, features: Sequence[int], values: Floats, column: int
    ) -> list[tuple[Words, NDArray]]:
        """Between which thresholds each value lies; NaN lies behind infinity."""
        return [(self.alive[f], self._place(f, values[:, f - column])) for f in features]

    def _place(self, feature: int, values: Floats) -> NDArray[np.intp]:
        """As numpy.searchsorted, which is asked only where the value's cell does not tell."""
        values = np.ascontiguousarray(values)
        cell = values.view(np.uint32) >> np.uint32(CELL_SHIFT)
        place = self.cells[feature].take(cell, mode="clip").astype(np.intp)
        torn = np.flatnonzero(place < 0)
        place[torn] = np.searchsorted(self.thresholds[feature], values[torn])
        return place

    def _reached(self, lookups: Sequence[tuple[Words, NDArray]], n: int) -> Words:
        """uint64[n, words]: the leaves that every lookup leaves alive."""
        reached: Words = np.empty((n, len(self.every)), dtype=np.uint64)
        said = np.empty((min(BLOCK, n), len(self.every)), dtype=np.uint64)
        for begin in range(0, n, BLOCK):
            block = reached[begin : begin + BLOCK]
            block[:] = self.every
            for table, row in lookups:
                here = said[: len(block)]
                np.take(table, row[begin : begin + BLOCK], axis=0, out=here, mode="clip")
                np.bitwise_and(block, here, out=block)
        return reached

    def _sum(self, reached: Words) -> NDArray[np.float64]:
        """The values of the leaves that are left, one a tree."""
        kind, factor, shift = DE_BRUIJN[self.bits]
        trees = len(self.value) // self.bits
        if trees == 0:
            return np.full(len(reached), self.baseline)
        leaf = reached.view(kind)[:, :trees] * kind(factor)
        leaf >>= kind(shift)
        at = leaf.astype(np.intp) + np.arange(0, trees * self.bits, self.bits)
        found = np.take(self.value, at, mode="clip")
        return np.asarray(found.sum(axis=1) + self.baseline)


@dataclass(frozen=True)
class _Split:
    """``left``, ``right``: words in which only the leaves of that side are missing."""

    tree: int
    feature: int
    threshold: float
    missing_left: bool
    left: int
    right: int


def _splits(trees: Sequence[NDArray], bits: int) -> tuple[list[_Split], Words, NDArray[np.float64]]:
    """(all splits, ``Leaves.every``, ``Leaves.value``)."""
    kind, factor, shift = DE_BRUIJN[bits]
    every = np.zeros(max(-(-len(trees) * bits // 64), 1) * 64 // bits, dtype=kind)
    value = np.zeros(len(trees) * bits)
    splits: list[_Split] = []
    for number, tree in enumerate(trees):
        own = (1 << int((tree["is_leaf"] != 0).sum())) - 1
        every[number] = own
        below = [0] * len(tree)  # the leaves below each node, as bits
        leaf = 1
        for node in reversed(range(len(tree))):  # children stand behind their parent
            this = tree[node]
            if this["is_leaf"]:
                below[node] = leaf
                value[number * bits + ((leaf * factor & (1 << bits) - 1) >> shift)] = this["value"]
                leaf <<= 1
                continue
            left, right = below[this["left"]], below[this["right"]]
            below[node] = left | right
            splits.append(
                _Split(
                    number, int(this["feature_idx"]), float(this["num_threshold"]),
                    bool(this["missing_go_to_left"]), own & ~left, own & ~right,
                )
            )  # fmt: skip
    return splits, every.view(np.uint64), value


def _table(splits: Sequence[_Split], every: Words, bits: int) -> tuple[Floats, Words]:
    """(thresholds, alive) of one feature."""
    kind = DE_BRUIJN[bits][0]
    at = np.array([split.threshold for split in splits])
    exact = at.astype(np.float32)
    # the greatest float32 that is not above: no float32 lies between the two
    exact = np.where(exact > at, np.nextafter(exact, np.float32(-np.inf)), exact)
    thresholds = np.unique(np.append(exact, np.float32(np.inf))).astype(np.float32)
    alive = np.tile(every.view(kind), (len(thresholds) + 1, 1))
    for split, threshold in zip(splits, exact, strict=True):
        place = int(np.searchsorted(thresholds, threshold))
        alive[: place + 1, split.tree] &= kind(split.right)
        alive[place + 1 : -1, split.tree] &= kind(split.left)
        alive[-1, split.tree] &= kind(split.right if split.missing_left else split.left)
    return thresholds, alive.view(np.uint64)


def _cells(thresholds: Floats) -> NDArray[np.int16]:
    """``Leaves.cells`` of one feature."""
    first = np.arange(1 << (32 - CELL_SHIFT), dtype=np.uint32) << np.uint32(CELL_SHIFT)
    last = first + np.uint32((1 << CELL_SHIFT) - 1)
    ends = [np.searchsorted(thresholds, end.view(np.float32)) for end in (first, last)]
    return np.where(ends[0] == ends[1], ends[0], -1).astype(np.int16)
