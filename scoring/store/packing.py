"""Packs records for many rows at once (numpy); the layout is told in scoring.store.records."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from scoring.store.code_choice import coded
from scoring.store.codes import Code, fixed_code
from scoring.store.errors import RecordError
from scoring.store.reasons_packing import Tail
from scoring.store.records import (
    CUSTOMER_HEAD,
    EXTRAS_HEAD,
    INDEX_HEAD,
    LEVELS_PER_OCTAVE,
    LOWEST_LEVEL,
    MAX_ENTRIES,
    RELATIONS_HEAD,
    SCALAR_STEPS,
    VERSION,
    WRITTEN,
    Widths,
)


class Ranked(NamedTuple):
    """Ragged lists as padded matrices: ``counts`` int64 (rows,); ``indexes`` int64 and ``scores``
    float64 (rows, longest); entries beyond a row's count are 0."""

    counts: np.ndarray
    indexes: np.ndarray
    scores: np.ndarray


class _Parts(NamedTuple):
    """Byte matrices of equally many rows and how many bytes of each row count."""

    matrices: list[np.ndarray]
    lengths: list[np.ndarray]


def ranked(
    indexes: pa.ListArray, scores: pa.ListArray, numbers: np.ndarray | None = None
) -> Ranked:
    """From two Arrow list columns of the same shape; lists are cut at 255 entries.

    ``numbers`` translates indexes (-1: not published). Raises RecordError for lists of different
    lengths, NaN or infinite scores, and unpublished indexes.
    """
    offsets = indexes.offsets.to_numpy().astype(np.int64)
    other = scores.offsets.to_numpy().astype(np.int64)
    if not np.array_equal(np.diff(offsets), np.diff(other)):
        raise RecordError("lists of indexes and of scores differ in length")
    flat = indexes.values.to_numpy()[offsets[0] : offsets[-1]].astype(np.int64)
    values = scores.values.to_numpy()[other[0] : other[-1]].astype(np.float64)
    if not np.isfinite(values).all():
        raise RecordError("a score is NaN or infinite")
    if numbers is not None and len(flat):
        flat = numbers[flat]
        if flat.min() < 0:
            raise RecordError("a list holds an item that is not published")
    counts = np.minimum(np.diff(offsets), MAX_ENTRIES)
    longest = int(counts.max(initial=0))
    position = np.arange(longest)
    present = position < counts[:, None]
    source = ((offsets[:-1] - offsets[0])[:, None] + position)[present]
    padded = np.zeros(present.shape, np.int64), np.zeros(present.shape, np.float64)
    padded[0][present] = flat[source]
    padded[1][present] = values[source]
    return Ranked(counts, *padded)


def pack_customers(
    lists: tuple[Ranked, Ranked, Ranked],
    widths: Widths,
    purchase: np.ndarray,
    expected: np.ndarray,
    reasons: Tail | None = None,
    extras: Tail | None = None,
    bought: Tail | None = None,
) -> list[bytes]:
    """One customer record a row. ``purchase`` (probability) and ``expected`` float (rows,);
    ``reasons`` of the first items, ``extras`` and ``bought`` as their packing made them; None:
    nobody has any.

    Raises RecordError for a probability outside 0 … 1 or an index that does not fit its width.
    """
    _check_values(lists, purchase, expected)
    rows = len(purchase)
    index_head = np.zeros((rows, INDEX_HEAD.size), np.uint8)
    parts = _Parts([index_head], [np.full(rows, INDEX_HEAD.size)])
    firsts, lengths = [], []
    for code, each in zip(widths.codes, lists, strict=True):
        levels = _levels(each.scores, each.counts, LEVELS_PER_OCTAVE)
        firsts.append(levels[:, 0] if levels.shape[1] else np.zeros(rows, np.int64))
        lengths.append(_add(parts, each, levels, code))
    index_bytes = np.column_stack(parts.lengths[1::2]).astype("<u2")
    index_head[:] = index_bytes.view(np.uint8).reshape(index_head.shape)
    head = np.zeros(rows, [("bytes", "u1", 10), ("purchase", "<u2"), ("expected", "<f2")])
    counts = [each.counts for each in lists]
    for tail, least in ((reasons, 1), (extras, EXTRAS_HEAD.size), (bought, 1)):
        parts.matrices.append(np.zeros((rows, least), np.uint8) if tail is None else tail.matrix)
        parts.lengths.append(
            np.full(rows, least) if tail is None else np.maximum(tail.lengths, least)
        )
    version = np.full(rows, WRITTEN)
    head["bytes"] = np.column_stack([version, *counts, *firsts, *lengths])
    head["purchase"] = _levels_of(purchase, SCALAR_STEPS, 0xFFFF)
    head["expected"] = np.minimum(expected, 65_504)
    return _join(head.view("u1").reshape(rows, CUSTOMER_HEAD.size), parts)


def _check_values(
    lists: tuple[Ranked, Ranked, Ranked], purchase: np.ndarray, expected: np.ndarray
) -> None:
    for name, values in zip(
        ("purchase", "item", "brand", "category"),
        (purchase, *(each.scores for each in lists)),
        strict=True,
    ):
        if values.size and not (values.min() >= 0 and values.max() <= 1):
            raise RecordError(f"a probability ({name}) is outside 0 to 1")
    if not (np.isfinite(expected).all() and (expected >= 0).all()):
        raise RecordError("expected purchases are negative, NaN or infinite")


def pack_relations(related: Ranked, together: Ranked, width: int) -> list[bytes]:
    """One relations record a row; scores may have any scale, those of 0 or less count as the
    least that can be told."""
    rows = len(related.counts)
    parts = _Parts([], [])
    tops, lengths = [], []
    for each in (related, together):
        top = each.scores.max(axis=1, initial=0)
        relative = each.scores / np.where(top > 0, top, 1)[:, None]
        levels = _levels(relative, each.counts, LEVELS_PER_OCTAVE)
        if levels.shape[1]:
            levels -= levels[:, :1]
        tops.append(top)
        lengths.append(_add(parts, each, levels, fixed_code(width)))
    head = np.zeros(rows, [("bytes", "u1", 5), ("tops", "<f4", 2)])
    counts = [related.counts, together.counts]
    head["bytes"] = np.column_stack([np.full(rows, VERSION), *counts, *lengths])
    head["tops"] = np.column_stack(tops)
    return _join(head.view("u1").reshape(rows, RELATIONS_HEAD.size), parts)


def _levels_of(values: np.ndarray, steps: int, lowest: int) -> np.ndarray:
    with np.errstate(divide="ignore"):
        exact = -np.log2(np.maximum(values, 0)) * steps
    return np.clip(np.rint(exact), 0, lowest).astype(np.int64)


def _levels(scores: np.ndarray, counts: np.ndarray, steps: int) -> np.ndarray:
    """Levels that never rise along a row; padding repeats the row's last level."""
    levels = _levels_of(scores, steps, LOWEST_LEVEL)
    levels[np.arange(levels.shape[1]) >= counts[:, None]] = 0
    return np.maximum.accumulate(levels, axis=1)


def _add(parts: _Parts, each: Ranked, levels: np.ndarray, code: Code) -> np.ndarray:
    """Appends the two bit strings of each row; returns the bytes of the second."""
    rows, longest = each.indexes.shape
    indexes, bits = _index_bits(each, code)
    parts.matrices.append(indexes)
    parts.lengths.append((bits + 7) // 8)
    position = np.arange(longest)
    present = position < each.counts[:, None]
    marks = levels - levels[:, :1] + position if longest else levels
    unary = np.zeros((rows, int(marks.max(initial=-1)) + 1), np.uint8)
    unary[np.nonzero(present)[0], marks[present]] = 1
    parts.matrices.append(np.packbits(unary, axis=1))
    last = marks[np.arange(rows), np.maximum(each.counts - 1, 0)] if longest else np.zeros(rows)
    score_bytes = np.where(each.counts > 0, (last + 8) // 8, 0).astype(np.int64)
    parts.lengths.append(score_bytes)
    return score_bytes


def _index_bits(each: Ranked, code: Code) -> tuple[np.ndarray, np.ndarray]:
    """uint8 (rows, longest): the indexes of each row as bits; int64 (rows,): how many bits."""
    rows, longest = each.indexes.shape
    values, sizes = coded(each.indexes, code)
    sizes[np.arange(longest) >= each.counts[:, None]] = 0
    whole = -(-max(code.sizes) // 8)  # bytes
    big_endian = values.astype(">u8").view(np.uint8).reshape(rows, longest, 8)[:, :, 8 - whole :]
    bits = np.unpackbits(big_endian, axis=2)
    counted = np.arange(8 * whole) >= 8 * whole - sizes[:, :, None]
    total = sizes.sum(axis=1)
    row = np.zeros((rows, int(total.max(initial=0))), np.uint8)
    row[np.arange(row.shape[1]) < total[:, None]] = bits[counted]
    return np.packbits(row, axis=1), total


def _join(head: np.ndarray, parts: _Parts) -> list[bytes]:
    """Rows of ragged parts side by side, cut into one bytes object a row."""
    rows, head_bytes = head.shape
    masks = [np.ones((rows, head_bytes), bool)]
    for matrix, length in zip(parts.matrices, parts.lengths, strict=True):
        masks.append(np.arange(matrix.shape[1]) < length[:, None])
    blob = np.hstack([head, *parts.matrices])[np.hstack(masks)].tobytes()
    ends = np.cumsum(head_bytes + np.sum(parts.lengths, axis=0)).tolist()
    starts = [0, *ends[:-1]]
    return [blob[start:end] for start, end in zip(starts, ends, strict=True)]
