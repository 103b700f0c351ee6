"""EASE against the closed form written out in numpy."""

from __future__ import annotations

import numpy as np

from scoring.models.ease import HALF_LIFE_DAYS, RIDGE, Ease, strongest
from tests.scoring.histories import CUTOFF, all_pairs, bought, checkerboard, make


def test_scores_are_those_of_the_closed_form() -> None:
    board = checkerboard(customers=30, items=8)
    view = board.view("item", CUTOFF)
    x = np.zeros((30, 8))
    x[view.pair_customer, view.pair_target] = np.log1p(view.decayed(HALF_LIFE_DAYS))
    gram = x.T @ x
    precision = np.linalg.inv(gram + RIDGE * np.trace(gram) * np.eye(8))
    weights = precision / -np.diag(precision)
    np.fill_diagonal(weights, 0)
    found = Ease.fit(view, min_buyers=1).describe(*all_pairs(board, 8))
    np.testing.assert_allclose(found.reshape(30, 8), x @ weights, rtol=1e-3, atol=1e-5)


def test_own_purchases_do_not_recommend_themselves() -> None:
    rows = [row for customer in range(8) for row in bought(customer, customer % 2, 1)]
    lonely = make(rows, customers=8, items=2)  # nobody buys both
    scores = Ease.fit(lonely.view("item", CUTOFF), min_buyers=2).describe(*all_pairs(lonely, 2))
    np.testing.assert_allclose(scores, 0, atol=1e-6)


def test_an_item_with_too_few_buyers_is_unknown_not_bad() -> None:
    rows = [row for customer in range(6) for row in bought(customer, 0, 1)]
    past = make([*rows, *bought(0, 1, 1)], customers=6, items=2)
    ease = Ease.fit(past.view("item", CUTOFF), min_buyers=5)
    zero = np.zeros(2, np.int32)
    scores = ease.describe(zero, np.array([0, 1], np.int32))
    assert np.isfinite(scores[0])
    assert np.isnan(scores[1])


def test_only_the_items_with_most_buyers_are_taken_when_there_are_too_many() -> None:
    rows = [row for item in range(4) for n in range(5 + item) for row in bought(n, item, 1)]
    view = make(rows, customers=9, items=4).view("item", CUTOFF)
    assert Ease.fit(view, max_targets=2).position.tolist() == [-1, -1, 0, 1]


def test_the_strongest_weights_of_a_column_are_kept_whatever_their_sign() -> None:
    weights = np.array([[0.1, 3.0], [-5.0, 0.2], [2.0, -1.0]], dtype=np.float32)
    np.testing.assert_array_equal(
        strongest(weights, 2).toarray(), np.array([[0, 3], [-5, 0], [2, -1]], dtype=np.float32)
    )


def test_more_customers_than_a_chunk_are_scored_like_few() -> None:
    rows = [row for n in range(1300) for item in (0, 1) for row in bought(n, item, n % 5)]
    past = make(rows, customers=1300, items=2)
    ease = Ease.fit(past.view("item", CUTOFF))
    customer, target = all_pairs(past, 2)
    whole = ease.describe(customer[::-1], target[::-1])[::-1]
    few = ease.describe(customer[2400:2500], target[2400:2500])
    np.testing.assert_allclose(whole[2400:2500], few, rtol=1e-6)
    assert len(ease.propose(2, 1300)[0]) == 2600
