"""Others you may like, and bought together, on baskets made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring.history import LevelView
from scoring.models.cooccurrence import (
    BASKET_ITEMS,
    SHRINKAGE,
    Cooccurrence,
    Relations,
    bought_together,
    related,
)
from tests.scoring.histories import CUTOFF, bought, make

BREAD, BUTTER, JAM, SOAP, RARE = range(5)


def together(baskets: list[list[int]], *, items: int = 5, limit: int = 3) -> Relations:
    rows = [(number, item) for number, basket in enumerate(baskets) for item in basket]
    basket, item = np.array(rows, dtype=np.int32).reshape(-1, 2).T
    return bought_together(basket, item, items, limit)


def neighbours(relations: Relations, item: int) -> list[int]:
    return [int(n) for n in relations.target[item] if n >= 0]


BREAKFASTS = [
    *[[BREAD, BUTTER]] * 8, *[[BREAD, BUTTER, JAM]] * 4, *[[BREAD, JAM]] * 2, *[[SOAP]] * 9,
    [SOAP, RARE], [BREAD, RARE],
]  # fmt: skip


def test_the_more_often_in_one_basket_the_nearer() -> None:
    relations = together(BREAKFASTS)
    assert neighbours(relations, BREAD) == [BUTTER, JAM]
    assert neighbours(relations, BUTTER) == [BREAD, JAM]
    assert neighbours(relations, JAM) == [BREAD, BUTTER]


def test_what_is_bought_alone_or_too_seldom_has_no_company() -> None:
    relations = together(BREAKFASTS)
    assert neighbours(relations, SOAP) == []
    assert neighbours(relations, RARE) == []


def test_the_score_is_the_shrunk_cosine() -> None:
    relations = together(BREAKFASTS)
    support = 12  # the rarer of the two: butter; bread is in 15 baskets
    expected = 12 / math.sqrt(15 * 12) * support / (support + SHRINKAGE)
    assert relations.score[BREAD, 0] == pytest.approx(expected, rel=1e-5)
    assert relations.score[BUTTER, 0] == pytest.approx(expected, rel=1e-5)


def test_the_best_come_first_and_no_more_than_asked() -> None:
    relations = together(BREAKFASTS, limit=1)
    assert relations.target.shape == (5, 1)
    assert neighbours(relations, BREAD) == [BUTTER]
    assert (np.diff(together(BREAKFASTS).score, axis=1) <= 0).all()


def test_an_item_twice_in_a_basket_counts_once() -> None:
    doubled = [[*basket, *basket] for basket in BREAKFASTS]
    np.testing.assert_array_equal(together(doubled).score, together(BREAKFASTS).score)


def test_a_basket_of_everything_relates_nothing() -> None:
    many = BASKET_ITEMS + 1
    huge = [list(range(many))] * 6
    assert neighbours(together(huge, items=many), 0) == []
    assert neighbours(together([list(range(BASKET_ITEMS))] * 6, items=many), 0) != []


def test_more_items_than_a_block_find_their_partner() -> None:
    pairs = [[2 * n, 2 * n + 1] for n in range(300) for _ in range(5)]
    relations = together(pairs, items=600, limit=2)
    assert relations.target[:, 0].tolist() == [n ^ 1 for n in range(600)]
    assert (relations.target[:, 1] == -1).all()


@pytest.mark.parametrize("items", [0, 3])
def test_bad_input_no_baskets_give_no_relations(items: int) -> None:
    relations = together([], items=items)
    assert relations.target.shape == (items, 3)
    assert (relations.target == -1).all()


def view_of(buyers: dict[int, range], customers: int) -> LevelView:
    rows = [row for item, who in buyers.items() for c in who for row in bought(c, item, 1)]
    return make(rows, customers=customers, items=5).view("item", CUTOFF)


def test_others_you_may_like_are_bought_by_the_same_customers() -> None:
    view = view_of({0: range(10), 1: range(9), 2: range(8, 20), 3: range(3)}, customers=20)
    relations = related(Cooccurrence.fit(view), limit=4)
    assert neighbours(relations, 0) == [1, 2]
    assert neighbours(relations, 2) == [0, 1]
    assert neighbours(relations, 3) == []  # three buyers are too few


def test_a_customer_likes_the_neighbours_of_what_was_bought() -> None:
    view = view_of({0: range(10), 1: range(9), 2: range(8, 20)}, customers=21)
    model = Cooccurrence.fit(view)
    item: NDArray[np.int32] = np.array([1, 2, 4], dtype=np.int32)
    likes = model.describe(np.full(3, 9, np.int32), item)[:, 0]
    assert likes[0] > 0
    assert np.isnan(likes[2])  # nobody bought it
    assert (model.describe(np.full(2, 20, np.int32), item[:2]) == 0).all()  # buys nothing


def test_only_so_many_neighbours_are_kept() -> None:
    view = view_of({item: range(12) for item in range(5)}, customers=12)
    model = Cooccurrence.fit(view, neighbours=2)
    assert np.diff(model.similar.tocsc().indptr).tolist() == [2] * 5
