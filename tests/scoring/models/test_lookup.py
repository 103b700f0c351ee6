"""Where a pair stands, however it is looked for."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring.models.lookup import BLOCK, NEVER, NO_TARGET, PairIndex, dots

CUSTOMERS, TARGETS = 40, 9
KEYS = np.sort(np.random.default_rng(1).permutation(CUSTOMERS * TARGETS)[:120])
INDEX = PairIndex(KEYS, TARGETS)


def by_hand(customer: NDArray, target: NDArray) -> list[int]:
    place = {key: row for row, key in enumerate(KEYS.tolist())}
    keys = zip(customer.tolist(), target.tolist(), strict=True)
    return [NO_TARGET if t < 0 else place.get(c * TARGETS + t, NEVER) for c, t in keys]


@pytest.mark.parametrize("targets", [[0, 1, 2, 3, 4, 5, 6, 7, 8], [4], [8, 3, -1], [-1]])
@pytest.mark.parametrize("customers", [slice(None), slice(7, 9), slice(None, None, 13)])
def test_each_pair_is_found_where_it_stands(targets: list[int], customers: slice) -> None:
    """Many targets of a customer, which a table answers, and few, which a search does."""
    who = np.arange(CUSTOMERS + 3, dtype=np.int32)[customers]  # some without any pair
    customer = np.repeat(who, len(targets))
    target = np.tile(np.array(targets, dtype=np.int32), len(who))
    for order in (np.arange(len(customer)), np.random.default_rng(2).permutation(len(customer))):
        found = INDEX.find(customer[order], target[order])
        assert found.tolist() == by_hand(customer[order], target[order])


def test_bad_input_nothing_is_found_in_nothing() -> None:
    one, none = np.zeros(1, np.int32), np.zeros(0, np.int32)
    assert PairIndex(KEYS[:0], TARGETS).find(one, one).tolist() == [NEVER]
    assert PairIndex(KEYS[:0], TARGETS).find(one, one - 1).tolist() == [NO_TARGET]
    assert INDEX.find(none, none).shape == (0,)


def test_dot_products_are_those_of_the_pairs() -> None:
    random = np.random.default_rng(3)
    a, b = random.normal(size=(2, 50, 17)).astype(np.float32)
    row, column = random.integers(0, 50, (2, BLOCK + 3))
    products = a[row] * b[column]
    parts = (slice(None), slice(0, 5), slice(5, None))
    np.testing.assert_allclose(
        dots(a, row, b, column, parts),
        np.column_stack([products[:, part].sum(1) for part in parts]),
        rtol=1e-4,
        atol=1e-5,
    )


def test_bad_input_a_dot_product_with_nothing_is_not_known() -> None:
    a = np.ones((3, 4), np.float32)
    row = np.array([0, 1, 2])
    found = dots(a, row, 2 * a[:2], np.array([-1, 1, 0]))
    np.testing.assert_array_equal(found, [[np.nan], [8], [8]])
    assert np.isnan(dots(a, row, a[:0], np.full(3, -1))).all()
