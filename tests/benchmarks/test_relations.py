"""Questions about the next purchase and the same basket, counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from benchmarks.relations import Asked, counted, next_basket, same_basket
from benchmarks.tasks import RANKING
from scoring.history import BOUGHT
from tests.scoring.histories import CUTOFF, make

TASK = replace(RANKING["cj_rank"], cutoff=CUTOFF)
ROWS = [
    (0, 0, CUTOFF - 9, BOUGHT), (0, 1, CUTOFF + 1, BOUGHT), (0, 2, CUTOFF + 1, BOUGHT),
    (0, 3, CUTOFF + 30, BOUGHT), (1, 3, CUTOFF + 2, BOUGHT),
]  # fmt: skip
HISTORY = make(ROWS, customers=2, items=4)


def test_the_next_purchase_is_the_same_customers() -> None:
    after = next_basket(HISTORY, TASK, before=False)
    assert sorted(after.item.tolist()) == [1, 2]  # both before item 3; nothing follows 3
    assert sorted(next_basket(HISTORY, TASK, before=True).item.tolist()) == [0, 1, 2]


def test_items_of_one_basket_ask_for_each_other() -> None:
    assert sorted(same_basket(HISTORY, TASK).item.tolist()) == [1, 2]


def test_hits_and_the_place_of_the_first() -> None:
    asked = same_basket(HISTORY, TASK)
    table = np.array([[-1, -1], [3, 2], [0, 3], [-1, -1]], dtype=np.int32)
    assert asked.judge(table, 4) == {"hr10": 0.5, "mrr": 0.25}


def test_an_item_is_no_answer_to_itself() -> None:
    asked = same_basket(HISTORY, TASK)
    own = np.tile(np.arange(4, dtype=np.int32)[:, None], (1, 2))
    assert asked.judge(own, 4)["hr10"] == 0


def test_bad_input_nothing_shown_is_no_hit() -> None:
    asked: Asked = same_basket(HISTORY, TASK)
    assert asked.judge(np.full((4, 10), -1, dtype=np.int32), 4) == {"hr10": 0.0, "mrr": 0.0}


def test_the_most_counted_comes_first() -> None:
    rows = sp.csr_array(
        np.eye(12, dtype=np.float32)[[0, 0, 0]] + np.eye(12, dtype=np.float32)[[1, 1, 2]]
    )
    table = counted(rows, np.arange(12, dtype=np.int32), lambda both, own, other: both)
    assert table[0, :3].tolist() == [1, 2, -1]
