"""Lists with variety: no two of one name, not one category in a row, and the best still first."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import columns as c
from scoring.diversity import Variety
from scoring.ranking import best
from tests.scoring.histories import make


def ints(values) -> np.ndarray:
    return np.array(values, dtype=np.int32)


def listed(variety: Variety, score: list[float], limit: int) -> list[int]:
    """The list of one customer for whom item n scores ``score[n]``."""
    item = np.arange(len(score), dtype=np.int32)
    ranked = variety.best(np.zeros_like(item), item, np.array(score, dtype=np.float32), 1, limit)
    return ranked.target.tolist()


NAMES, CATEGORIES = ints([0, 0, 1, 2, 3]), ints([0, 0, 0, 1, -1])
SCORES = [0.5, 0.45, 0.44, 0.42, 0.3]


def test_of_one_name_the_best_stays() -> None:
    assert 1 not in listed(Variety(NAMES, CATEGORIES, 0.5), SCORES, 5)


def test_the_second_of_a_category_waits_for_what_is_nearly_as_likely() -> None:
    assert listed(Variety(NAMES, CATEGORIES, 0.5), SCORES, 3) == [0, 3, 2]


def test_one_long_name_does_not_make_all_others_long() -> None:
    items = 20_000
    names = ["x" * 1_000_000, *(f"Tea {n // 2}" for n in range(1, items - 1)), None]
    ids = [f"i{n}" for n in range(items)]
    table = pa.table({c.ITEM_ID: ids, c.NAME: names})
    history = make([], customers=1, items=items)
    variety = Variety.of(table, history.catalogue, 0.5)  # as an array of texts: 80 GB
    assert variety.name[2] == variety.name[3] != variety.name[4]
    assert variety.name[-1] == -1


def test_what_is_much_likelier_comes_first_all_the_same() -> None:
    scores = [0.5, 0.45, 0.44, 0.1, 0.05]
    assert listed(Variety(NAMES, CATEGORIES, 1.0), scores, 3) == [0, 2, 3]


def test_without_diversity_the_score_alone_decides() -> None:
    assert listed(Variety(NAMES, CATEGORIES, 0.0), SCORES, 5) == [0, 1, 2, 3, 4]


def test_items_without_name_or_category_are_like_no_other() -> None:
    nothing = ints([-1] * 5)
    assert listed(Variety(nothing, nothing, 1.0), SCORES, 5) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("limit", [1, 4])
def test_bad_input_nothing_to_choose_from(limit: int) -> None:
    nothing = ints([])
    ranked = Variety(NAMES, CATEGORIES, 0.5).best(
        nothing, nothing, nothing.astype(np.float32), 3, limit
    )
    assert ranked.start.tolist() == [0, 0, 0, 0]


@given(st.data())
def test_every_customer_has_a_list_of_distinct_names_with_the_best_first(data) -> None:
    n, customers = 12, 4
    draw = data.draw
    name, category = (
        ints(draw(st.lists(st.integers(-1, 4), min_size=n, max_size=n))) for _ in range(2)
    )
    pairs = sorted(draw(st.sets(st.tuples(st.integers(0, customers - 1), st.integers(0, n - 1)))))
    who, what = ints([p[0] for p in pairs]), ints([p[1] for p in pairs])
    score = np.array([draw(st.floats(0.001, 0.999)) for _ in pairs], dtype=np.float32)
    ranked = Variety(name, category, 0.7).best(who, what, score, customers, 6)
    plain = best(who, what, score, customers, 6)
    for customer in range(customers):
        part = slice(ranked.start[customer], ranked.start[customer + 1])
        mine = ranked.target[part]
        named = [int(name[item]) for item in mine if name[item] >= 0]
        assert len(named) == len(set(named))
        assert set(mine) <= set(what[who == customer])
        if len(mine):
            assert ranked.probability[part][0] == plain.probability[plain.start[customer]]


def test_names_are_compared_without_regard_to_case_and_spaces() -> None:
    history = make([], customers=1, items=5, brand=[0] * 5, category=[0] * 5)
    items = pa.table(
        {
            c.ITEM_ID: ["a", "b", "c", "d", "e"],
            c.NAME: ["Green  Tea", " green tea", "Black tea", "d", None],
        }
    )
    name = Variety.of(items, history.catalogue, 0.5).name
    assert name[0] == name[1] != name[2]
    assert name[3] == name[4] == -1  # an id is no name
