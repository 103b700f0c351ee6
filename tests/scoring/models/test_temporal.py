"""The temporal ridge: what comes after what, told from what stands beside what."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring.history import ENGAGED, History
from scoring.models import temporal as module
from scoring.models.temporal import Temporal
from tests.scoring import histories
from tests.scoring.histories import CUTOFF, Row, all_pairs, bought, days_ago, make
from tests.shop import NOW_HOUR, history, make_shop

GRINDER, BEANS, FILTER, OTHER = 0, 1, 2, 3


def sequence(customers: int = 120) -> History:
    """One item a week: who bought the grinder buys the beans the week after, then filters, then a
    grinder again; every fourth buys only other things."""
    rows: list[Row] = []
    for customer in range(customers):
        for week in range(16):
            item = OTHER if customer % 4 == 3 else (customer + 15 - week) % 3
            rows += bought(customer, item, 7 * week + 3)
    return make(rows, customers=customers, items=4)


def scores(past: History, feature: str = "next_window") -> NDArray[np.float32]:
    """[n_customers, n_items]."""
    model = Temporal.fit(past, "item", CUTOFF, 7)
    out = model.describe(*all_pairs(past, past.catalogue.n_items))
    shape = (past.n_customers, past.catalogue.n_items)
    return out[:, model.features.index(feature)].reshape(shape)


@pytest.mark.parametrize("feature", Temporal.features)
def test_what_follows_what_was_bought_comes_first(feature: str) -> None:
    found = scores(sequence(), feature)
    for customer in range(120):
        follows = OTHER if customer % 4 == 3 else (customer + 16) % 3
        assert found[customer].argmax() == follows, customer


def test_the_next_purchase_is_proposed_first() -> None:
    past = sequence()
    customer, item = Temporal.fit(past, "item", CUTOFF, 7).propose(1, past.n_customers)
    assert customer.tolist() == list(range(120))
    assert item.tolist() == scores(past).argmax(axis=1).tolist()


def test_a_look_tells_what_is_bought_next() -> None:
    """Everyone buys bread every week; whoever looked at the grinder buys it the week after."""
    rows: list[Row] = []
    for customer in range(80):
        rows += bought(customer, OTHER, *range(0, 70, 7))
        for week in range(1, 9):
            if (customer + week) % 4 == 0:
                rows.append((customer, GRINDER, days_ago(7 * week + 2), ENGAGED))
                rows += bought(customer, GRINDER, 7 * week - 4)
    rows += [(customer, GRINDER, days_ago(1), ENGAGED) for customer in range(0, 80, 4)]
    found = scores(make(rows, customers=80, items=4))[:, GRINDER]
    assert found[::4].min() > found[np.arange(80) % 4 != 0].max()


def test_a_profile_speaks_where_purchases_say_nothing() -> None:
    """Even customers, of one profile, buy item 0 for the first time on one day or another."""
    rows: list[Row] = []
    for customer in range(0, 160, 2):
        rows += bought(customer, 0, *([7 * (customer % 8) + 1] if customer % 16 else []))
    rows += [row for customer in range(160) for row in bought(customer, 1, *range(0, 84, 7))]
    everyone = np.arange(160, dtype=np.int32)
    past = histories.replace(
        make(rows, customers=160, items=2),
        profile_names=np.array(["a=0", "a=1"]),
        profile_customer=everyone,
        profile_feature=everyone % 2,
    )
    found = scores(past)[:, 0]
    never = everyone[everyone % 16 == 0]
    assert found[never].min() > found[1::2].max()


def test_other_levels_beside_tell_more() -> None:
    """Item 0 follows anything of a category of 300 items: too many to learn each one's sequel.
    Everyone comes as often, for item 1."""
    due = np.random.default_rng(1).random((200, 13)) < 0.3  # by customer and week
    rows: list[Row] = []
    for customer, week in np.argwhere(due).tolist():
        rows += bought(customer, 2 + (customer + 7 * week) % 300, 7 * week + 2)
        if week:
            rows += bought(customer, 0, 7 * week - 5)
    rows += [row for customer in range(200) for row in bought(customer, 1, *range(2, 90, 7))]
    past = make(rows, customers=200, items=302, category=[-1, -1] + [0] * 300)

    def auc(*beside: str) -> float:
        model = Temporal.fit(past, "item", CUTOFF, 7, beside=beside, max_targets=2)
        everyone = np.arange(200, dtype=np.int32)
        found = model.describe(everyone, np.zeros_like(everyone))[:, 0]
        return float((found[due[:, 0]][:, None] > found[~due[:, 0]]).mean())

    assert auc("category") > auc() + 0.2


def test_answers_of_reduced_rank_have_no_more_than_that(monkeypatch: pytest.MonkeyPatch) -> None:
    past = history(make_shop(customers=50, items=24, days=60))
    monkeypatch.setattr(module, "RANK", 3)
    monkeypatch.setattr(module, "BROAD_RANK", 2)
    model = Temporal.fit(past, "item", NOW_HOUR, 7)
    out = model.describe(*all_pairs(past, past.catalogue.n_items)).astype(np.float64)
    known = out[:, 0].reshape(past.n_customers, -1)[0] == out[: past.catalogue.n_items, 0]
    ranks = [
        int(
            np.linalg.matrix_rank(out[:, column].reshape(past.n_customers, -1)[:, known], rtol=1e-4)
        )
        for column in range(3)
    ]
    assert ranks[0] > 3
    assert ranks[1:] == [3, 2]


def test_fewer_targets_than_the_rank_are_not_reduced() -> None:
    past = sequence()
    assert past.catalogue.n_items <= module.RANK
    np.testing.assert_allclose(
        scores(past, "low_rank"), scores(past, "next_window"), rtol=1e-3, atol=1e-5
    )


def test_reducing_keeps_the_strongest_directions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two blocks of items bought each by its half of the customers are two directions."""
    board = histories.checkerboard(customers=80, items=20)
    monkeypatch.setattr(module, "RANK", 2)
    reduced = scores(board, "low_rank")
    own = np.arange(80)[:, None] % 2 == np.arange(20) % 2
    for customer in range(80):
        assert reduced[customer][own[customer]].min() > reduced[customer][~own[customer]].max()


def test_an_item_with_too_few_buyers_is_unknown_not_bad() -> None:
    often = [row for customer in range(60) for row in bought(customer, 0, *range(0, 60, 4))]
    found = scores(make([*often, *bought(0, 1, 1, 20)], customers=60, items=2))
    assert np.isfinite(found[:, 0]).all()
    assert np.isnan(found[:, 1]).all()


def test_bad_input_a_history_shorter_than_a_window_knows_nothing() -> None:
    rows = [row for customer in range(60) for row in bought(customer, customer % 2, 0, 3)]
    past = make(rows, customers=60, items=2)
    assert np.isnan(scores(past)).all()
    assert len(Temporal.fit(past, "item", CUTOFF, 7).propose(5, 60)[0]) == 0


def test_bad_input_one_target_is_a_matter_of_rhythm() -> None:
    rows = [row for c in range(60) for row in bought(c, 0, *range(c % 2, 80, 2 + 20 * (c % 2)))]
    found = scores(make(rows, customers=60, items=1))[:, 0]
    assert found[::2].min() > found[1::2].max()


def test_bad_input_one_customer_or_nobody_is_described_as_unknown() -> None:
    for past in (make(bought(0, 0, 1, 8, 15), customers=1, items=2), histories.empty()):
        assert np.isnan(scores(past)).all()


def test_bad_input_a_level_beside_without_targets_says_nothing() -> None:
    past = sequence()
    alone = Temporal.fit(past, "item", CUTOFF, 7)
    beside = Temporal.fit(past, "item", CUTOFF, 7, beside=["brand"])
    assert beside.weights.tobytes() == alone.weights.tobytes()
