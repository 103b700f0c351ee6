"""A description in parts is the description."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.models.parts import Part, shared, whole

TABLE = np.arange(12, dtype=np.float32).reshape(6, 2)
MISSING = np.array([[0, 0], [np.nan, -1]], dtype=np.float32)


def test_each_pair_gets_its_row() -> None:
    row = np.array([5, 0, -1, 5, -2])
    expected = [[10, 11], [0, 1], [0, 0], [10, 11], [np.nan, -1]]
    np.testing.assert_array_equal(Part(TABLE, row, MISSING).columns(), expected)


def test_columns_can_be_chosen() -> None:
    part = Part(TABLE, np.array([1, -2]), MISSING)
    np.testing.assert_array_equal(part.columns(slice(1, 2)), [[3], [-1]])


@pytest.mark.parametrize("columns", [1, 9])
@pytest.mark.parametrize("n", [1, 2, 3, 40])
def test_leaving_out_what_nobody_has_changes_no_description(n: int, columns: int) -> None:
    random = np.random.default_rng(n)
    for part in (
        Part(TABLE, random.integers(0, 6, n)),
        Part(TABLE, random.integers(-2, 6, n), MISSING),
        Part(TABLE, np.full(n, -2), MISSING),
        Part(TABLE[:0], np.full(n, -1), MISSING),
        Part(np.repeat(TABLE, 100, axis=0), random.integers(-2, 600, n), MISSING),
    ):
        (without,) = shared([part], n, columns)
        np.testing.assert_array_equal(without.columns(), part.columns())


def test_what_many_share_is_stored_once() -> None:
    (part,) = shared([Part(TABLE, np.tile([1, 4], 50))], 100, 2)
    assert part.values.tolist() == [[2, 3], [8, 9]]


def test_parts_of_like_rows_leave_out_the_same() -> None:
    row = np.tile([1, 4], 50)
    own, other = shared([Part(TABLE, row), Part(TABLE[:, :1] + 1, row)], 100, 3)
    assert own.values.tolist() == [[2, 3], [8, 9]]
    assert other.values.tolist() == [[3], [9]]
    np.testing.assert_array_equal(own.row, other.row)


def test_rows_of_a_large_table_that_few_pairs_have_are_stored_as_they_come() -> None:
    table = np.repeat(np.arange(9_000, dtype=np.float32)[:, None], 9, axis=1)
    row = np.full(30, -1)
    row[[3, 7]] = 8_999, 5
    (part,) = shared([Part(table, row, np.zeros((2, 9), np.float32))], 30, 9)
    assert part.values[:, 0].tolist() == [8_999, 5, 0, 0]


def test_parts_stand_side_by_side() -> None:
    parts = [Part(TABLE, np.array([1, 1])), Part(np.array([[7], [8]], dtype=np.float32))]
    np.testing.assert_array_equal(whole(parts, 2), [[2, 3, 7], [2, 3, 8]])


def test_some_pairs_of_a_part() -> None:
    part = Part(TABLE, np.array([3, -1, 2]), MISSING)
    np.testing.assert_array_equal(part.rows(1, 3).columns(), [[0, 0], [4, 5]])


def test_bad_input_no_pairs() -> None:
    (part,) = shared([Part(TABLE, np.zeros(0, np.int64))], 0, 2)
    assert part.columns().shape == (0, 2)
    assert whole([Part(TABLE[:0])], 0).shape == (0, 2)
