"""Customers who are taken for such that bought nothing: none of their purchases is seen."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import prospects, samples
from scoring.history import BOUGHT, ENGAGED, History
from scoring.samples import Window
from scoring.training import fit_stacker
from tests.scoring.conftest import Trained
from tests.scoring.histories import CUTOFF, bought, level_of, make
from tests.shop import NOW_HOUR

WEEK = 7 * 24


def shop(*, buys: bool) -> History:
    """Customer 0 buys item 0; customer 1 looks at item 2 and, if she ``buys``, buys item 1."""
    rows = [*bought(0, 0, 1, 9), (1, 2, CUTOFF - 5, ENGAGED)]
    if buys:
        rows += bought(1, 1, 2, 4)
    return make(rows, customers=2, items=3, category=[0, 0, 1], brand=[0, 0, 1])


def test_a_share_of_the_buyers_before_the_cutoff_is_taken(trained: Trained) -> None:
    cutoff = NOW_HOUR - WEEK
    taken = prospects.some_buyers(trained.past, cutoff, np.random.default_rng(1))
    buyers = np.unique(trained.past.select(BOUGHT, end=cutoff)[0])
    assert len(taken) == round(prospects.SHARE * len(buyers)) > 0
    assert np.isin(taken, buyers).all()


def test_a_hidden_customer_is_described_as_one_who_bought_nothing() -> None:
    """What sells is known all the same."""
    buyer, other = shop(buys=True), shop(buys=False)
    level = level_of(buyer, "item", CUTOFF)
    hidden = prospects.hiding(level, buyer, np.array([1], dtype=np.int32), CUTOFF)
    customer, item = np.ones(3, dtype=np.int32), np.arange(3, dtype=np.int32)
    never = level_of(other, "item", CUTOFF).describe(customer, item)
    told = ~prospects.blank(level)
    sells = np.array([name.startswith("popularity.") for name in level.features])
    seen = np.array([name.startswith(("engaged.", "content.taste")) for name in level.features])
    assert seen[told].any()
    found = hidden.describe(customer, item)
    np.testing.assert_array_equal(found[:, seen], never[:, seen])
    np.testing.assert_array_equal(found[:, sells], level.describe(customer, item)[:, sells])
    assert hidden.bought_nothing.tolist() == [False, True]


def test_what_was_looked_at_is_a_candidate_of_who_bought_nothing() -> None:
    customer, item = level_of(shop(buys=False), "item", CUTOFF).candidates()
    assert set(zip(customer.tolist(), item.tolist(), strict=True)) == {(0, 0), (1, 0), (1, 2)}


def test_nothing_is_learned_from_a_customers_own_purchases(trained: Trained) -> None:
    level = trained.holdout.levels["item"]
    rows = samples.prospects(trained.past, level, Window(NOW_HOUR - WEEK, NOW_HOUR, BOUGHT, (1, 0)))
    own = ("repeat.", "activity.", "ease.", "temporal.", "affinity.", "brand.", "category.")
    assert np.isnan(rows.x[:, [name.startswith(own) for name in level.features]]).all()
    assert rows.y.any()


def test_how_much_is_bought_is_said_by_those_who_really_bought_nothing() -> None:
    """Ten buyers go on, three of whom are taken for such; of ten who only look, one buys."""
    rows = [row for c in range(10) for row in bought(c, c % 2, 1, 5, 9)]
    rows += [(c, 0, CUTOFF - 4, ENGAGED) for c in range(10, 20)]
    rows += [(c, c % 2, CUTOFF + 9, BOUGHT) for c in range(11)]
    past = make(rows, customers=20, items=2)
    level = level_of(past, "item", CUTOFF)
    drawn = samples.prospects(past, level, Window(CUTOFF, CUTOFF + WEEK, BOUGHT, (1, 0)))
    assert drawn.genuine is not None
    assert drawn.weight[~drawn.genuine & drawn.y].sum() == 3
    assert drawn.weight[drawn.genuine & drawn.y].sum() == 1
    said = fit_stacker([drawn], seed=0).probability(drawn.like_those_asked().x)
    assert said.sum() == pytest.approx(1, rel=0.01)


def test_bad_input_where_nobody_bought_nobody_is_hidden() -> None:
    nothing = make([(0, 0, CUTOFF - 3, ENGAGED)], customers=2, items=2)
    assert len(prospects.some_buyers(nothing, CUTOFF, np.random.default_rng(1))) == 0
