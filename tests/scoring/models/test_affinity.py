"""LightFM affinity: content carries what purchases do not say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring.history import LEVELS, History
from scoring.models.affinity import MIN_BUYERS, Affinity, AffinityTrainer
from tests.scoring import histories
from tests.scoring.histories import CUTOFF, Row, assert_same, bought, make

NEW = 20  # an item nobody bought, of category 0


def held(affinity: Affinity) -> dict[str, np.ndarray]:
    """Every array of an affinity, by name."""
    return {"customer": affinity.customer} | dict(affinity.target)


def two_tastes() -> History:
    """Even customers buy items of category 0, odd ones of category 1; item NEW has no sales."""
    random = np.random.default_rng(2)
    rows: list[Row] = []
    for customer in range(40):
        for item in random.choice(np.arange(customer % 2, 20, 2), 5, replace=False):
            rows += bought(customer, int(item), int(random.integers(0, 60)))
    return make(rows, customers=40, items=21, category=[n % 2 for n in range(21)])


def trained(past: History, *, epochs: int = 20, components: int = 8) -> Affinity:
    return AffinityTrainer(past, CUTOFF, components=components, seed=1).advance(CUTOFF, epochs)


def scores(affinity: Affinity, level: str, target: int) -> NDArray[np.float32]:
    everyone = np.arange(40, dtype=np.int32)
    return affinity.of(level).describe(everyone, np.full_like(everyone, target))[:, 0]


def test_the_buyers_of_a_category_are_found() -> None:
    found = scores(trained(two_tastes()), "category", 0)
    assert found[::2].min() > found[1::2].max()


def test_a_new_item_is_offered_to_those_who_like_its_category() -> None:
    past = two_tastes()
    assert not (past.item == NEW).any()
    found = scores(trained(past), "item", NEW)
    assert found[::2].min() > found[1::2].max()


def test_a_profile_speaks_for_who_never_bought() -> None:
    past = two_tastes()
    silent = [38, 39]
    keep = ~np.isin(past.customer, silent)
    rows = zip(past.customer[keep], past.item[keep], past.hour[keep], past.kind[keep], strict=True)
    quiet = make(
        [(int(a), int(b), int(c), int(d)) for a, b, c, d in rows],
        customers=40, items=21, category=[n % 2 for n in range(21)],
    )  # fmt: skip
    everyone = np.arange(40, dtype=np.int32)
    fields = {"profile_customer": everyone, "profile_feature": everyone % 2}
    with_profile = histories.replace(quiet, profile_names=np.array(["a=0", "a=1"]), **fields)
    found = scores(trained(with_profile), "category", 0)
    assert found[38] > found[39]


def test_training_through_several_cutoffs_never_looks_ahead() -> None:
    past = two_tastes()
    hours = [CUTOFF - 24 * 14, CUTOFF - 24 * 7, CUTOFF]
    trainer = AffinityTrainer(past, hours[0], components=4, seed=1)
    series = [trainer.advance(hour, 2) for hour in hours]
    for number, hour in enumerate(hours):
        other = AffinityTrainer(
            histories.with_another_future(past, hour), hours[0], components=4, seed=1
        )
        again = [other.advance(h, 2) for h in hours[: number + 1]]
        assert_same(held(again[-1]), held(series[number]))


def test_an_affinity_is_not_changed_by_training_on() -> None:
    past = two_tastes()
    trainer = AffinityTrainer(past, CUTOFF - 200, components=4, seed=1)
    first = trainer.advance(CUTOFF - 200, 2)
    kept = {name: array.copy() for name, array in held(first).items()}
    trainer.advance(CUTOFF, 2)
    assert_same(held(first), kept)


def test_all_levels_are_described() -> None:
    affinity = trained(two_tastes(), epochs=1)
    assert set(affinity.target) == set(LEVELS)
    assert affinity.target["brand"].shape[0] == 0


def test_bad_input_a_shop_with_neither_content_nor_sales_enough_is_trained() -> None:
    rows = [row for n in range(MIN_BUYERS - 1) for row in bought(n, 0, 1)]
    found = trained(make(rows, customers=4, items=2), epochs=2)
    assert all(np.isfinite(array).all() for array in held(found).values())


def test_bad_input_a_first_cutoff_before_all_sales_learns_from_the_later_ones() -> None:
    past = two_tastes()
    trainer = AffinityTrainer(past, 0, components=8, seed=1)
    assert not trainer.advance(0, 5).customer.any()
    found = scores(trainer.advance(CUTOFF, 20), "category", 0)
    assert found[::2].min() > found[1::2].max()


@pytest.mark.parametrize("seed", [1, 2])
def test_the_seed_decides(seed: int) -> None:
    past = two_tastes()
    one, two = (
        AffinityTrainer(past, CUTOFF, components=4, seed=s).advance(CUTOFF, 1) for s in (1, seed)
    )
    assert (one.customer.tobytes() == two.customer.tobytes()) == (seed == 1)
