"""Others you may like, and bought together, on baskets made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.relations import (
    BASKET_ITEMS,
    HALF_LIFE_DAYS,
    TOGETHER_PRIOR,
    Baskets,
    Relations,
    bought_together,
    related,
    sold,
    table,
)
from tests.scoring.histories import CUTOFF, bought, make

BREAD, BUTTER, JAM, SOAP, RARE = range(5)


def shop_of(baskets: list[list[int]], *, items: int = 5) -> Baskets:
    """Each basket is another customer's."""
    rows = [
        row for who, basket in enumerate(baskets) for item in basket for row in bought(who, item, 1)
    ]
    return Baskets.of(make(rows, customers=max(len(baskets), 1), items=items), CUTOFF)


def together(baskets: list[list[int]], *, items: int = 5, limit: int = 3) -> Relations:
    return bought_together(shop_of(baskets, items=items), limit)


def neighbours(relations: Relations, item: int) -> list[int]:
    return [int(n) for n in relations.target[item] if n >= 0]


BREAKFASTS = [
    *[[BREAD, BUTTER]] * 80, *[[BREAD, BUTTER, JAM]] * 40, *[[BREAD, JAM]] * 20, *[[SOAP]] * 90,
    [SOAP, RARE], [BREAD, RARE],
]  # fmt: skip


def test_the_more_often_in_one_basket_the_nearer() -> None:
    relations = together(BREAKFASTS)
    assert neighbours(relations, BREAD)[:2] == [BUTTER, JAM]
    assert neighbours(relations, BUTTER)[0] == BREAD
    assert neighbours(relations, JAM)[:2] == [BREAD, BUTTER]


def test_what_is_bought_too_seldom_has_no_company_and_is_none() -> None:
    relations = together(BREAKFASTS)
    assert neighbours(relations, RARE) == []
    assert RARE not in relations.target


def test_the_score_is_the_smoothed_conditional_probability() -> None:
    relations = together(BREAKFASTS)
    baskets, bread, both = len(BREAKFASTS), 141, 120
    weight = 2 ** (-(1.5 / HALF_LIFE_DAYS))  # of a basket of the day before
    butter = both / baskets  # share of all baskets
    expected = (both * weight + TOGETHER_PRIOR * butter) / (bread * weight + TOGETHER_PRIOR)
    assert relations.score[BREAD, 0] == pytest.approx(expected, rel=1e-3)


def test_the_best_come_first_and_no_more_than_asked() -> None:
    relations = together(BREAKFASTS, limit=1)
    assert relations.target.shape == (5, 1)
    assert neighbours(relations, BREAD) == [BUTTER]
    assert (np.diff(together(BREAKFASTS).score, axis=1) <= 0).all()


def test_no_item_is_its_own_relation() -> None:
    found = together(BREAKFASTS).target
    assert (found != np.arange(len(found))[:, None]).all()


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


@pytest.mark.parametrize("items", [1, 3])
def test_bad_input_no_baskets_give_no_relations(items: int) -> None:
    for relations in (together([], items=items), related(shop_of([], items=items), 3)):
        assert relations.target.shape == (items, 3)
        assert (relations.target == -1).all()


def test_bad_input_one_item_has_nothing_beside_it() -> None:
    assert neighbours(together([[0]] * 9, items=1), 0) == []


def visits(*lives: list[tuple[int, int]]) -> Baskets:
    """Each customer's (item, days ago)."""
    rows = [
        row
        for who, life in enumerate(lives)
        for item, day in life
        for row in bought(who, item, day)
    ]
    return Baskets.of(make(rows, customers=len(lives), items=5), CUTOFF)


def test_others_you_may_like_are_bought_on_the_next_visit() -> None:
    shop = visits(*[[(BREAD, 9), (JAM, 4)]] * 80, *[[(SOAP, 9), (BUTTER, 4)]] * 80)
    relations = related(shop, 4)
    assert neighbours(relations, BREAD)[0] == JAM
    assert neighbours(relations, SOAP)[0] == BUTTER
    assert relations.score[BREAD, 0] > 2 * relations.score[BREAD, 1]


def test_the_next_customer_is_not_the_next_visit() -> None:
    """Without anybody's second visit, best sellers are all that can be said."""
    relations = related(visits(*[[(BREAD, 3)]] * 8, *[[(JAM, 3)]] * 6, *[[(SOAP, 3)]] * 5), 2)
    assert neighbours(relations, SOAP) == [BREAD, JAM]


def test_what_was_bought_long_ago_says_less() -> None:
    shop = visits(*[[(BREAD, 90), (JAM, 89)]] * 8, *[[(BREAD, 3), (BUTTER, 2)]] * 8)
    assert neighbours(related(shop, 1), BREAD) == [BUTTER]


def test_only_what_can_be_bought_is_published() -> None:
    rows = [
        row for who in range(9) for item in (BREAD, BUTTER, JAM) for row in bought(who, item, 1)
    ]
    history = make(rows, customers=9, items=5)
    history.catalogue.sellable[BUTTER] = False
    found = {
        row["item_index"]: row for row in table(history, Baskets.of(history, CUTOFF), 3).to_pylist()
    }
    assert found[BREAD]["together_index"] == [JAM]
    assert found[BUTTER]["together_index"] == [BREAD, JAM]


def test_the_share_of_baskets_is_told_of_what_is_compared() -> None:
    rows = [row for who in range(8) for row in bought(who, BREAD, 1)]
    rows += [row for who in range(8, 16) for row in bought(who, BUTTER, 1)]
    rows += bought(16, JAM, 1)  # too seldom to be compared
    history = make(rows, customers=17, items=5)
    shares = sold(Baskets.of(history, CUTOFF))
    assert shares[[BREAD, BUTTER]] == pytest.approx(8 / 17, abs=0.01)
    assert shares[JAM] == 0
