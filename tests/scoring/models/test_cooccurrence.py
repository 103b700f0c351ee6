"""What the same customers buy, on purchases made by hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scoring.history import LevelView
from scoring.models.cooccurrence import (
    Cooccurrence,
)
from tests.scoring.histories import CUTOFF, bought, make

BREAD, BUTTER, JAM, SOAP, RARE = range(5)


def view_of(buyers: dict[int, range], customers: int) -> LevelView:
    rows = [row for item, who in buyers.items() for c in who for row in bought(c, item, 1)]
    return make(rows, customers=customers, items=5).view("item", CUTOFF)


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
