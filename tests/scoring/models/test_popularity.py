"""Popularity counts buyers, not lines, and lets the old fade."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.models.popularity import Popularity
from tests.scoring.histories import CUTOFF, bought, make

ROWS = [
    *bought(0, 0, 1, 2, 3), *bought(1, 0, 10),  # item 0: two buyers, one comes back
    *bought(0, 1, 40), *bought(1, 1, 41), *bought(2, 1, 80),  # item 1: three, but long ago
    *bought(3, 2, 5, 60),  # item 2: one
]  # fmt: skip


@pytest.fixture
def popularity() -> Popularity:
    return Popularity.fit(make(ROWS, customers=5, items=4).view("item", CUTOFF), n_known=4)


def row(popularity: Popularity, item: int) -> dict[str, float]:
    out = popularity.describe(np.array([0], np.int32), np.array([item], np.int32))
    return dict(zip(popularity.features, out[0].tolist(), strict=True))


def test_shares_are_of_known_customers_who_bought_within_the_window(popularity: Popularity) -> None:
    found = row(popularity, 0)
    assert [found[f"buyers_{name}"] for name in ("7d", "28d", "91d", "ever")] == [
        0.25, 0.5, 0.5, 0.5,
    ]  # fmt: skip
    assert row(popularity, 1)["buyers_28d"] == 0
    assert row(popularity, 1)["buyers_ever"] == 0.75


def test_how_an_item_is_bought_again(popularity: Popularity) -> None:
    found = row(popularity, 0)
    assert found["repeat_share"] == 0.5
    assert found["mean_days"] == 2
    assert found["typical_gap_days"] == 1
    assert np.isnan(row(popularity, 1)["typical_gap_days"])


def test_only_first_purchases_of_late_count_as_new_buyers(popularity: Popularity) -> None:
    assert row(popularity, 0)["first_buyers_28d"] == 0.5
    assert row(popularity, 2)["first_buyers_28d"] == 0


def test_the_best_are_those_bought_lately_and_what_nobody_bought_is_none(
    popularity: Popularity,
) -> None:
    assert popularity.best(10).tolist() == [0, 2, 1]
    assert popularity.best(2).tolist() == [0, 2]


def test_bad_input_nobody_known_gives_shares_of_zero() -> None:
    nobody = Popularity.fit(make([], customers=0, items=2).view("item", CUTOFF), n_known=0)
    assert row(nobody, 1)["buyers_ever"] == 0
    assert len(nobody.best(5)) == 0
