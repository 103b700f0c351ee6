"""Implicit matrix factorisation: few dimensions of what is bought."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring.history import History
from scoring.models import factors as module
from scoring.models.factors import Factors
from tests.scoring.histories import CUTOFF, Row, all_pairs, bought, checkerboard, make


def scores(past: History, **more: int) -> NDArray[np.float32]:
    """[n_customers, n_items]."""
    model = Factors.fit(past.view("item", CUTOFF), **more)
    out = model.describe(*all_pairs(past, past.catalogue.n_items))
    return out.reshape(past.n_customers, past.catalogue.n_items)


def halves(customers: int) -> History:
    """Each half of the customers buys some of its own half of 40 items."""
    rng = np.random.default_rng(1)
    rows: list[Row] = []
    for customer in range(customers):
        for item in rng.choice(20, 8, replace=False):
            rows += bought(customer, int(item) + 20 * (customer % 2), *range(1, 60, 9))
    return make(rows, customers=customers, items=40)


def test_what_like_minds_buy_comes_before_what_others_buy() -> None:
    found = scores(halves(80))
    assert found[::2, :20].min() > found[::2, 20:].max()
    assert found[1::2, 20:].min() > found[1::2, :20].max()


def test_everybody_has_a_place_though_few_are_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CUSTOMERS", 20)
    found = scores(halves(80))
    assert (found[::2, :20].mean(axis=1) > 5 * np.abs(found[::2, 20:]).mean(axis=1)).all()


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = scores(checkerboard(customers=30, items=20))
    monkeypatch.setattr(module, "CHUNK", 7)
    np.testing.assert_allclose(scores(checkerboard(customers=30, items=20)), whole, atol=1e-4)


def test_the_same_past_gives_the_same_factors() -> None:
    np.testing.assert_array_equal(scores(halves(30)), scores(halves(30)))


def test_normal_equations_are_those_of_the_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    """x_u = (Y'Y + Y'(C - I)Y + λI)⁻¹ Y'C p, written out for one customer."""
    monkeypatch.setattr(module, "RANK", 4)
    view = halves(80).view("item", CUTOFF)
    model = Factors.fit(view)
    mine = view.pair_customer == 0
    days = np.zeros(40)
    days[view.pair_target[mine]] = view.days[mine]
    y = model.target.astype(np.float64)
    confidence = 1 + module.CONFIDENCE * np.log1p(days)
    left = y.T @ (confidence[:, None] * y) + module.REGULARIZATION * np.eye(4)
    expected = np.linalg.solve(left, y.T @ (confidence * (days > 0)))
    np.testing.assert_allclose(model.customer[0], expected, rtol=1e-3, atol=1e-4)


def test_who_bought_nothing_has_no_taste() -> None:
    past = make(bought(0, 0, *range(9)) + bought(1, 1, 2), customers=3, items=2)
    assert scores(past, min_buyers=1)[2].tolist() == [0.0, 0.0]


def test_bad_input_a_shop_without_purchases_or_with_rare_ones_knows_nothing() -> None:
    assert np.isnan(scores(make([], customers=3, items=2))).all()
    assert np.isnan(scores(make(bought(0, 0, 1), customers=3, items=2))).all()
