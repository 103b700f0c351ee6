"""Content: likes go to like, without a sale of the target; views count less than purchases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from scoring import item_text
from scoring.history import ENGAGED, History
from scoring.item_text import ItemFacts
from scoring.models.content import Content
from tests.scoring.histories import CUTOFF, Row, all_pairs, bought, checkerboard, days_ago, make

TEXTS = [
    "딸기우유 200ml", "초코우유 200ml", "바나나우유 500ml",
    "running shoes men", "trail running shoes", "running shoes women",
    "",
]  # fmt: skip
MILK, SHOES, UNTOLD = [0, 1, 2], [3, 4, 5], 6
NEW_MILK, NEW_SHOES = 2, 5  # never sold
TASTE, ALIKE, LIKE_MINDS, PRICE_FIT, EXPECTED, TRIED, _, SAME_KIND, SAME_BRAND = range(9)
LIFE = [
    *bought(0, 0, 3, 20), *bought(0, 1, 8),  # drinks milk
    *bought(1, 3, 4), *bought(1, 4, 9), *bought(1, 4, 30),  # runs
    *bought(2, 0, 5), *bought(2, 3, 6),  # does both
]  # fmt: skip


def shop(
    rows: Iterable[Row] = (), *, price: Sequence[float] | None = None, texts: list[str] = TEXTS
) -> History:
    """Seven items; customers 0 to 2 of LIFE, 3 without events, 4 as ``rows`` say."""
    history = make([*LIFE, *rows], customers=5, items=len(TEXTS))
    prices = np.full(len(TEXTS), np.nan) if price is None else np.array(price)
    prices = prices.astype(np.float32)
    nothing = [None] * len(TEXTS)
    content = item_text.vectors(ItemFacts(texts, nothing, nothing, prices * np.nan))
    catalogue = replace(
        history.catalogue,
        price=prices,
        content=content,
        content_centres=item_text.centres(content),
        content_kind=item_text.kinds(content),
    )
    return replace(history, catalogue=catalogue)


def fit(history: History, of_item: list[int] | None = None, n_targets: int = 0) -> Content:
    if of_item is None:
        return Content.fit(history, history.catalogue.of_item["item"], len(TEXTS), CUTOFF)
    return Content.fit(history, np.array(of_item, dtype=np.int32), n_targets, CUTOFF)


def described(model: Content, customer: int, target: int) -> list[float]:
    pair = (np.array([n], dtype=np.int32) for n in (customer, target))
    return model.describe(*pair)[0].tolist()


@pytest.mark.parametrize("feature", [TASTE, ALIKE])
def test_who_buys_a_kind_is_nearer_to_a_new_item_of_it(feature: int) -> None:
    model = fit(shop())
    drinker, runner = (
        [described(model, customer, item)[feature] for item in (NEW_MILK, NEW_SHOES)]
        for customer in (0, 1)
    )
    assert drinker[0] > 2 * max(drinker[1], 0.0)
    assert runner[1] > 2 * max(runner[0], 0.0)


def test_who_looked_at_milk_only_has_a_taste_for_it() -> None:
    looked = (4, MILK[0], days_ago(1), ENGAGED)
    model = fit(shop([looked]))
    milk, shoes = (described(model, 4, item) for item in (NEW_MILK, NEW_SHOES))
    assert milk[TASTE] > 0.3 > shoes[TASTE]
    assert 0 < milk[ALIKE] < described(model, 0, NEW_MILK)[ALIKE]


def test_a_purchase_says_more_than_a_view() -> None:
    rows = [(4, MILK[0], days_ago(1), ENGAGED), *bought(4, SHOES[0], 1)]
    model = fit(shop(rows))
    assert described(model, 4, NEW_SHOES)[TASTE] > described(model, 4, NEW_MILK)[TASTE] > 0


def test_who_tries_new_things_differs_from_who_buys_the_same_again() -> None:
    same = [row for day in range(10) for row in bought(3, 0, day)]
    new = [row for item in range(5) for row in bought(4, item, 2 * item)]
    model = fit(shop([*same, *new]))
    assert described(model, 4, 0)[TRIED] > described(model, 3, 0)[TRIED] > 0


def test_like_minds_tell_what_else_a_customer_wants() -> None:
    """Even customers buy even items, odd ones odd items; no text is like another."""
    board = checkerboard(customers=60)
    content = np.eye(board.catalogue.n_items, dtype=np.float32)
    catalogue = replace(board.catalogue, content=content, content_centres=content)
    customer, target = all_pairs(board, catalogue.n_items)
    model = Content.fit(
        replace(board, catalogue=catalogue), catalogue.of_item["item"], catalogue.n_items, CUTOFF
    )
    score = model.describe(customer, target)[:, LIKE_MINDS]
    unbought = board.view("item", CUTOFF).find(customer, target) < 0
    own = customer % 2 == target % 2
    order = score[unbought & own][:, None] > score[unbought & ~own]
    assert order.mean() > 0.9


def test_the_very_same_kind_is_counted_and_that_of_the_brand_too() -> None:
    """Items 0 and 1 are of one kind and of different brands, 2 of another kind."""
    events = [*bought(0, 0, 0, 1), *bought(1, 2, 0)]
    history = make(events, customers=2, items=4, brand=[0, 1, 0, -1])
    content = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=np.float32)
    kind = np.array([0, 0, 1, 1], dtype=np.int32)
    catalogue = replace(
        history.catalogue, content=content, content_centres=content[1:3], content_kind=kind
    )
    history = replace(history, catalogue=catalogue)
    model = Content.fit(history, catalogue.of_item["item"], 4, CUTOFF)
    rows = [described(model, 0, item) for item in range(4)]
    two_days = np.log1p(2.0)
    assert [row[SAME_KIND] for row in rows] == pytest.approx([two_days, two_days, 0, 0], abs=0.01)
    of_brand = [row[SAME_BRAND] for row in rows]
    assert of_brand[:3] == pytest.approx([two_days, 0, 0], abs=0.01)
    assert np.isnan(of_brand[3])  # of no brand


def test_a_new_item_is_expected_to_sell_like_what_is_like_it() -> None:
    model = fit(shop(bought(4, 1, 2)))
    assert described(model, 3, NEW_MILK)[EXPECTED] > described(model, 3, NEW_SHOES)[EXPECTED] > 0


def test_a_price_is_compared_with_what_the_customer_pays_for_such_things() -> None:
    price = [1.0, 4.0, 8.0, 50.0, 60.0, 70.0, np.nan]
    cheap = [(3, 0, days_ago(3), 0)]
    dear = [(4, 1, days_ago(3), 0)]
    model = fit(shop([*cheap, *dear], price=price))
    for_cheap, for_dear = (described(model, who, NEW_MILK)[PRICE_FIT] for who in (3, 4))
    assert for_cheap > max(for_dear, 0)


def test_a_group_of_items_is_described_by_what_is_in_it() -> None:
    milk_and_shoes = fit(shop(), [0, 0, 0, 1, 1, 1, -1], 2)
    assert described(milk_and_shoes, 0, 0)[TASTE] > described(milk_and_shoes, 0, 1)[TASTE]
    assert described(milk_and_shoes, 1, 1)[ALIKE] > described(milk_and_shoes, 1, 0)[ALIKE]


def test_new_items_that_fit_are_proposed_and_only_they() -> None:
    customer, target = fit(shop()).propose(1, 5)
    found = dict(zip(customer.tolist(), target.tolist(), strict=True))
    assert found.keys() == {0, 1, 2}  # nobody without a past
    assert (found[0], found[1]) == (NEW_MILK, NEW_SHOES)
    assert set(fit(shop()).propose(60, 5)[1].tolist()) == {NEW_MILK, NEW_SHOES}


def test_what_cannot_be_sold_is_not_proposed() -> None:
    history = shop()
    sellable = np.arange(len(TEXTS)) != NEW_MILK
    closed = replace(history, catalogue=replace(history.catalogue, sellable=sellable))
    assert set(fit(closed).propose(60, 5)[1].tolist()) == {NEW_SHOES}


def test_only_so_many_new_items_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scoring.models.content.NEW_TARGETS", 1)
    customer, target = fit(shop(bought(4, 1, 2))).propose(60, 5)
    assert set(target.tolist()) == {NEW_MILK}  # it will sell better
    assert customer.tolist() == [0, 1, 2, 4]


def test_bad_input_an_item_that_says_nothing_is_unknown() -> None:
    row = described(fit(shop()), 0, UNTOLD)
    assert np.isnan([*row[:TRIED], *row[SAME_KIND:]]).all()


def test_bad_input_a_customer_without_a_past_has_no_taste() -> None:
    row = described(fit(shop()), 3, NEW_MILK)
    assert np.isnan(row[TASTE])
    assert row[ALIKE] == 0
    assert row[EXPECTED] > 0


@pytest.mark.parametrize("price", [np.nan, 0.0, -1.0])
def test_bad_input_a_price_that_is_none_fits_nobody(price: float) -> None:
    model = fit(shop(price=[1.0, 2.0, price, 50.0, 60.0, price, price]))
    assert np.isnan(described(model, 0, NEW_MILK)[PRICE_FIT])
    assert np.isfinite(described(model, 0, MILK[0])[PRICE_FIT])


def test_bad_input_a_catalogue_without_any_content_knows_nothing() -> None:
    model = fit(shop(texts=[""] * len(TEXTS)))
    out = model.describe(*all_pairs(shop(), len(TEXTS)))
    assert np.isnan(out[:, :TRIED]).all()
    assert len(model.propose(5, 5)[0]) == 0


def test_bad_input_a_target_of_no_items_is_unknown() -> None:
    row = described(fit(shop(), [0, 0, 0, -1, -1, -1, -1], 2), 0, 1)
    assert np.isnan(row[:TRIED]).all()
