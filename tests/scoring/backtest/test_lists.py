"""What each customer would be shown at a cut-off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoring.backtest.lists import Scored
from tests.scoring.conftest import Trained
from tests.shop import NOW_HOUR


def test_lists_of_all_and_of_new_items_are_scored_once(trained: Trained) -> None:
    asked = np.array([4, 1], dtype=np.int32)
    scored = Scored.of(trained.past, trained.tonight, asked)
    every, new = (scored.lists(new_only=only) for only in (False, True))
    view = trained.past.view("item", NOW_HOUR)
    for customer, all_items, new_items in zip(asked.tolist(), every, new, strict=True):
        who = np.full(len(new_items), customer, dtype=np.int32)
        shown = new_items >= 0
        assert shown.any()
        assert (view.find(who[shown], new_items[shown]) < 0).all()
        assert set(all_items.tolist()) - set(new_items.tolist())


def test_what_is_out_of_stock_today_was_not_then(trained: Trained) -> None:
    past, asked = trained.past, np.arange(5, dtype=np.int32)
    nothing = np.zeros(past.catalogue.n_items, dtype=bool)
    sold_out = replace(past, catalogue=replace(past.catalogue, sellable=nothing))
    one, other = (Scored.of(each, trained.tonight, asked) for each in (past, sold_out))
    np.testing.assert_array_equal(one.lists(new_only=False), other.lists(new_only=False))
