"""What each feature adds to a stacker's log-odds: exact Shapley values of the trees.

Path-dependent TreeSHAP (Lundberg et al. 2020, "From local explanations to global understanding
with explainable AI for trees"): a feature that is not in the coalition is answered by both
branches, in the shares of the training rows that went there. For one leaf the game is a product
over the features of its path, and the Shapley value of a product is the integral over t in (0, 1)
of Owen's multilinear extension (1972): polynomial in t, so a few Gauss-Legendre points give it
exactly, without enumerating coalitions.

Rows that answer all questions of a tree alike share its contributions, so a tree is worked out
once for each distinct set of answers, not once a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from scoring.history import distinct
from scoring.models import Floats

ROWS = 50_000  # worked on at once
ANSWERS = 1_000  # distinct sets of answers worked on at once
MOST_QUESTIONS = 62  # of one tree: its answers are the bits of one int64


def contributions(
    nodes: NDArray, tree_start: NDArray[np.int64], baseline: float, x: Floats
) -> Floats:
    """float32[n, k + 1]: what each of the k columns of ``x`` (float32[n, k]) adds to the log-odds.

    The last column is the expected log-odds over the training rows. A row sums to the raw output
    of the trees; ``nodes``, ``tree_start`` and ``baseline`` are those of a ``Stacker``. Raises
    ValueError for trees that ask for a column beyond ``x``, or more than 62 questions.
    """
    trees = [_Tree.of(nodes[begin:end]) for begin, end in pairwise(tree_start)]
    widest = max((int(tree.features.max(initial=-1)) for tree in trees), default=-1)
    if widest >= x.shape[1]:
        raise ValueError(f"the trees ask for column {widest}, but x has {x.shape[1]} columns")
    out = np.empty((len(x), x.shape[1] + 1), dtype=np.float32)
    out[:, -1] = baseline + sum(tree.expected for tree in trees)
    for begin in range(0, len(x), ROWS):
        columns = np.ascontiguousarray(x[begin : begin + ROWS].T, dtype=np.float64)
        unknown = np.isnan(columns)
        total = np.zeros_like(columns)
        for tree in trees:
            answers = tree.answers(columns, unknown)
            kinds = distinct(answers)
            share = tree.shapley(kinds)
            row_kind = np.searchsorted(kinds, answers)
            for feature, of_kind in zip(tree.features, share, strict=True):
                total[feature] += of_kind[row_kind]
        out[begin : begin + ROWS, :-1] = total.T
    return out


@dataclass(frozen=True)
class _Tree:
    """``question``: records of the inner nodes; ``features``: int64[f], distinct, sorted.

    For leaf i and the j-th feature of its path (padded to equal length with features that change
    nothing): ``unknown[i, j]`` is the share of training rows that stay on the path where the
    feature is unknown, and a row stays where its answers fit: answers & mask == wanted.
    ``column``: int64[leaves, d], position in ``features``.
    """

    question: NDArray
    features: NDArray[np.int64]
    value: NDArray[np.float64]
    column: NDArray[np.int64]
    unknown: NDArray[np.float64]
    mask: NDArray[np.int64]
    wanted: NDArray[np.int64]

    @classmethod
    def of(cls, nodes: NDArray) -> Self:
        inner = np.flatnonzero(nodes["is_leaf"] == 0)
        if len(inner) > MOST_QUESTIONS:
            raise ValueError(f"a tree of {len(inner)} questions: at most {MOST_QUESTIONS} work")
        features = distinct(nodes["feature_idx"][inner].astype(np.int64))
        paths = _paths(nodes, {int(node): bit for bit, node in enumerate(inner)})
        shape = (len(paths), max((len(path) for _, path in paths), default=0))
        column = np.zeros(shape, dtype=np.int64)
        unknown, mask, wanted = np.ones(shape), column.copy(), column.copy()
        for row, (_, path) in enumerate(paths):
            for place, (feature, edges) in enumerate(path.items()):
                column[row, place] = np.searchsorted(features, feature)
                unknown[row, place] = edges.unknown
                mask[row, place], wanted[row, place] = edges.mask, edges.wanted
        value = nodes["value"][[leaf for leaf, _ in paths]]
        return cls(nodes[inner], features, value, column, unknown, mask, wanted)

    @property
    def expected(self) -> float:
        """The tree's mean over its training rows."""
        return float((self.value * self.unknown.prod(axis=1)).sum())

    def answers(
        self, columns: NDArray[np.float64], unknown: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """int64[n]: bit i tells whether a row goes left at the i-th question.

        ``columns``: float64[k, n]; ``unknown``: bool[k, n], where they are NaN.
        """
        out = np.zeros(columns.shape[1], dtype=np.int64)
        for bit, node in enumerate(self.question):
            feature = node["feature_idx"]
            left = columns[feature] <= node["num_threshold"]
            if node["missing_go_to_left"]:
                left |= unknown[feature]
            out |= left.astype(np.int64) << bit
        return out

    def shapley(self, kinds: NDArray[np.int64]) -> NDArray[np.float64]:
        """float64[f, len(kinds)]: what each of ``features`` adds, for each set of answers."""
        leaves, depth = self.column.shape
        point, weight = np.polynomial.legendre.leggauss(max(1, (depth + 1) // 2))
        point, weight = (point + 1) / 2, weight / 2
        absent = self.unknown[..., None] * (1 - point)
        to_feature = np.zeros((leaves * depth, len(self.features)))
        to_feature[np.arange(leaves * depth), self.column.ravel()] = 1.0
        out = np.empty((len(self.features), len(kinds)))
        for begin in range(0, len(kinds), ANSWERS):
            part = kinds[begin : begin + ANSWERS]
            stays = (part[:, None, None] & self.mask) == self.wanted
            factor = absent + stays[..., None] * point  # never 0: every branch had training rows
            others = (factor.prod(axis=2, keepdims=True) / factor) @ weight
            added = self.value[:, None] * (stays - self.unknown) * others
            out[:, begin : begin + ANSWERS] = (
                added.reshape(len(part), leaves * depth) @ to_feature
            ).T
        return out


@dataclass
class _Edges:
    """All questions about one feature on the way to one leaf."""

    unknown: float = 1.0
    mask: int = 0
    wanted: int = 0


def _paths(nodes: NDArray, bit_of: dict[int, int]) -> list[tuple[int, dict[int, _Edges]]]:
    """(leaf, its path by feature) of every leaf."""
    found: list[tuple[int, dict[int, _Edges]]] = []
    waiting: list[tuple[int, dict[int, _Edges]]] = [(0, {})]
    while waiting:
        at, path = waiting.pop()
        node = nodes[at]
        if node["is_leaf"]:
            found.append((at, path))
            continue
        feature, bit = int(node["feature_idx"]), 1 << bit_of[at]
        for child, answer in ((int(node["left"]), bit), (int(node["right"]), 0)):
            before = path.get(feature, _Edges())
            share = float(nodes["count"][child]) / float(node["count"])
            edges = _Edges(before.unknown * share, before.mask | bit, before.wanted | answer)
            waiting.append((child, {**path, feature: edges}))
    return found
