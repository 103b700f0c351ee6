"""Boosted trees evaluated by bit vectors, many rows at once, as the library's trees would answer.

QuickScorer (Lucchese et al. 2015): a tree's leaves are the bits of a word. A split says, of each
side of its threshold, which leaves can no longer be reached; what a feature's value says of all
trees is one row of a table, and the rows of all features, joined by AND, leave one bit a tree, the
leaf. No branch depends on the data, and what many pairs share (a customer's features, a target's)
is looked up once for all of them. Features of few thresholds share a table of what all of them say
together, and two trees a table of the sums of their leaves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from scoring.models import Floats
from scoring.models.parts import Part, shared

Words = NDArray[np.uint64]
Lookup = tuple[Words, NDArray[np.integer]]  # a table, and the row of it that each pair has

STRIDE, BLOCK = 16_384, 1024  # rows at once: their words stay in the processor's cache
JOINED = 200_000  # bytes of a table of what several features say together
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
    that there are, ``bits`` a tree; ``value``: float64[pairs of trees * bits * bits], the sum of
    two trees' leaves, each leaf in the order that DE_BRUIJN gives, the first tree's the faster."""

    thresholds: Mapping[int, Floats]
    cells: Mapping[int, NDArray[np.int16]]
    alive: Mapping[int, Words]
    every: Words
    value: NDArray[np.float64]
    bits: int
    baseline: float
    _joined: dict[tuple[int, ...], Words] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

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
        return cls(thresholds, cells, alive, every, _in_pairs(value, bits), bits, baseline)

    def raw(self, parts: Sequence[Part], n: int) -> NDArray[np.float64]:
        """float64[n]: log-odds of n rows that are described by ``parts``, in feature order."""
        out = np.empty(n, dtype=np.float64)
        alike = _of_like_rows(parts)
        for begin in range(0, n, STRIDE):
            end = min(begin + STRIDE, n)
            self._few(alike, begin, out[begin:end])
        return out

    def _few(self, alike: Sequence[Sequence[_Placed]], begin: int, out: NDArray) -> None:
        """``raw`` of as many rows as have their tables in the cache, from ``begin``."""
        n = len(out)
        lookups: list[Lookup] = []
        own: list[_Column] = []
        for placed in alike:
            lookups += self._lookups([each.rows(begin, begin + n) for each in placed], n, own)
        lookups += self._places(own)
        for start in range(0, n, BLOCK):
            rows = slice(start, min(start + BLOCK, n))
            here = [(table, row[rows]) for table, row in lookups]
            out[rows] = self._sum(self._reached(here, rows.stop - start))

    def _lookups(self, placed: Sequence[_Placed], n: int, own: list[_Column]) -> list[Lookup]:
        """What parts of like rows say: one table when its rows are shared; columns that every pair
        has its own value of are added to ``own``."""
        split = [(f, c, at) for at, each in enumerate(placed) for f, c in self._split(each)]
        if not split:
            return []
        parts = shared([each.part for each in placed], n, len(split))
        columns = [(feature, parts[at].values[:, column]) for feature, column, at in split]
        row = parts[0].row
        if row is None:
            own += columns
            return []
        each = self._places(columns)
        if len(each) == 1:
            return [(table, place[row]) for table, place in each]
        return [(self._reached(each, len(parts[0].values)), row)]

    def _split(self, placed: _Placed) -> list[tuple[int, int]]:
        """(feature, column) of each column that a tree splits."""
        features = range(placed.feature, placed.feature + placed.part.width)
        return [(f, f - placed.feature) for f in features if f in self.thresholds]

    def _places(self, columns: Sequence[_Column]) -> list[Lookup]:
        """What the columns say, several together where their thresholds are few."""
        lookups: list[Lookup] = []
        group: list[_Column] = []
        size = 0
        for column in columns:
            alive = self.alive[column[0]]
            size *= len(alive)
            if group and size > JOINED:
                lookups.append(self._together(group))
                group = []
            if not group:
                size = alive.nbytes
            group.append(column)
        return [*lookups, self._together(group)] if group else lookups

    def _together(self, group: Sequence[_Column]) -> Lookup:
        """One table of what a few features say."""
        features = tuple(feature for feature, _ in group)
        if features not in self._joined:
            table = self.alive[features[0]]
            for feature in features[1:]:
                both = table[:, None] & self.alive[feature]
                table = both.reshape(-1, both.shape[-1])
            self._joined[features] = table
        place = self._place(*group[0])
        for feature, values in group[1:]:
            place *= len(self.alive[feature])
            place += self._place(feature, values)
        return self._joined[features], place

    def _place(self, feature: int, values: Floats) -> NDArray[np.intp]:
        """Between which thresholds each value lies; NaN lies behind infinity.

        As numpy.searchsorted, which is asked only where the value's cell does not tell.
        """
        values = np.ascontiguousarray(values)
        cell = values.view(np.uint32) >> np.uint32(CELL_SHIFT)
        place = self.cells[feature].take(cell, mode="clip").astype(np.intp)
        torn = np.flatnonzero(place < 0)
        place[torn] = np.searchsorted(self.thresholds[feature], values[torn])
        return place

    def _reached(self, lookups: Sequence[Lookup], n: int) -> Words:
        """uint64[n, words]: the leaves that every lookup leaves alive."""
        reached: Words = np.empty((n, len(self.every)), dtype=np.uint64)
        if not lookups:
            reached[:] = self.every
            return reached
        said = np.empty((min(BLOCK, n), len(self.every)), dtype=np.uint64)
        for begin in range(0, n, BLOCK):
            block = reached[begin : begin + BLOCK]
            for number, (table, row) in enumerate(lookups):
                here = said[: len(block)] if number else block
                np.take(table, row[begin : begin + BLOCK], axis=0, out=here, mode="clip")
                if number:
                    np.bitwise_and(block, here, out=block)
        return reached

    def _sum(self, reached: Words) -> NDArray[np.float64]:
        """The values of the leaves that are left, one a tree."""
        kind, factor, shift = DE_BRUIJN[self.bits]
        two = self.bits * self.bits
        pairs = len(self.value) // two
        if pairs == 0:
            return np.full(len(reached), self.baseline)
        leaf = reached.view(kind)[:, : 2 * pairs] * kind(factor)
        leaf >>= kind(shift)
        leaf[:, 1::2] *= kind(self.bits)
        at = (leaf[:, 1::2] + leaf[:, ::2]).astype(np.intp)
        at += np.arange(0, pairs * two, two)
        found = np.take(self.value, at, mode="clip")
        return np.asarray(np.einsum("ij->i", found) + self.baseline)


_Column = tuple[int, Floats]  # a feature and its values


@dataclass(frozen=True)
class _Placed:
    """A part and the feature that its first column is."""

    part: Part
    feature: int

    def rows(self, begin: int, end: int) -> _Placed:
        return _Placed(self.part.rows(begin, end), self.feature)


def _of_like_rows(parts: Sequence[Part]) -> list[list[_Placed]]:
    """The parts, those together that give each pair the same row."""
    alike: dict[tuple[int, int], list[_Placed]] = {}
    feature = 0
    for number, part in enumerate(parts):
        common = part.row is not None and part.missing is None
        key = (id(part.row), len(part.values)) if common else (-1, number)
        alike.setdefault(key, []).append(_Placed(part, feature))
        feature += part.width
    return list(alike.values())


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
    """(all splits, ``Leaves.every``, the value of each leaf, of an even number of trees)."""
    kind, factor, shift = DE_BRUIJN[bits]
    even = len(trees) + len(trees) % 2
    every = np.zeros(max(-(-even * bits // 64), 1) * 64 // bits, dtype=kind)
    value = np.zeros(even * bits)
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


def _in_pairs(value: NDArray[np.float64], bits: int) -> NDArray[np.float64]:
    """``Leaves.value`` from the values of each tree's leaves."""
    first, second = value.reshape(-1, 2, bits).swapaxes(0, 1)
    return (second[:, :, None] + first[:, None, :]).ravel()


def _cells(thresholds: Floats) -> NDArray[np.int16]:
    """``Leaves.cells`` of one feature."""
    first = np.arange(1 << (32 - CELL_SHIFT), dtype=np.uint32) << np.uint32(CELL_SHIFT)
    last = first + np.uint32((1 << CELL_SHIFT) - 1)
    ends = [np.searchsorted(thresholds, end.view(np.float32)) for end in (first, last)]
    return np.where(ends[0] == ends[1], ends[0], -1).astype(np.int16)
