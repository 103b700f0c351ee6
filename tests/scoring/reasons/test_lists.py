"""The first items of every list are explained, by the stacker that ranked them."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.calibration import Calibrator
from scoring.fitted import PROSPECTS, RANKING, Fitted, Judge
from scoring.history import BOUGHT
from scoring.models.stacker import Stacker
from scoring.ranking import Ranked
from scoring.reasons import lists
from scoring.reasons.explain import explain_items
from scoring.reasons.reason import decode
from tests.scoring.histories import CUTOFF, bought, level_of, make

# customer 0 has three items, customer 1 none, customer 2 one
RANKED = Ranked(
    np.array([0, 3, 3, 4]), np.array([1, 0, 2, 1], np.int32), np.full(4, 0.5, np.float32)
)


def fitted() -> Fitted:
    """What was bought on more than one day and a half is preferred, and nothing else."""
    rows = [*bought(0, 1, 2, 9, 16), *bought(0, 0, 1, 8), *bought(2, 1, 1, 30)]
    level = level_of(make(rows, customers=3, items=3), "item", CUTOFF)
    nodes = np.zeros(3, dtype=Stacker.constant(0.5).nodes.dtype)
    nodes["count"], nodes["is_leaf"], nodes["value"] = [100, 50, 50], [0, 1, 1], [0, -1, 1]
    nodes["left"], nodes["right"], nodes["num_threshold"] = 1, 2, 1.5
    nodes["feature_idx"] = level.features.index("repeat.days_bought")
    judge = Judge(Stacker(nodes, np.array([0, 3]), -2.0), Calibrator.none())
    return Fitted(CUTOFF, 7, 7, {"item": level}, {BOUGHT: {RANKING: judge, PROSPECTS: judge}})


def test_reasons_lie_at_the_place_of_their_item() -> None:
    found = lists.item_reasons(fitted(), RANKED, 10).to_pylist()
    assert [len(numbers) for numbers in found] == [9, 0, 3]
    days = [
        [r.named["days"] for r in decode(numbers[at : at + 3])]
        for numbers in found
        for at in range(0, len(numbers), 3)
    ]
    assert days == [[3], [2], [], [2]]


@pytest.mark.parametrize(("first", "lengths"), [(0, [0, 0, 0]), (1, [3, 0, 3]), (2, [6, 0, 3])])
def test_no_more_items_are_explained_than_asked(first: int, lengths: list[int]) -> None:
    found = lists.item_reasons(fitted(), RANKED, first).to_pylist()
    assert [len(numbers) for numbers in found] == lengths


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = lists.item_reasons(fitted(), RANKED, 10)
    monkeypatch.setattr(lists, "CHUNK", 1)
    assert lists.item_reasons(fitted(), RANKED, 10).equals(whole)


def test_they_are_what_explaining_the_pairs_alone_gives() -> None:
    model = fitted()
    level = model.levels["item"]
    x = level.describe(np.array([0, 0, 0, 2], np.int32), RANKED.target)
    alone = explain_items(level, model.judges[BOUGHT][RANKING].stacker, x)
    assert lists.item_reasons(model, RANKED, 10).values.to_pylist() == alone.ravel().tolist()
