"""Each kind of content, for a customer of a dozen items."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from plugin.content.kinds import KINDS
from scoring.store.extras import Due, Watched
from scoring.store.live import LiveItem
from tests.plugin.content.counter import (
    ARRIVALS,
    ITEMS,
    NOW,
    OWN,
    SHOP,
    TODAY,
    ask,
    did,
    ids,
    record,
    sending,
    snapshot,
)

GONE = LiveItem(0, None, None, NOW.timestamp())


def extras_of(found) -> list[dict]:
    return [dict(entry.extra or {}) for entry in found.entries]


# for you


def test_the_own_items_come_first_without_what_is_sold_out() -> None:
    assert ids(ask(limit=6)) == ["i0", "i3", "i1", "i6", "i5", "i8"]


def test_popular_items_fill_up_behind_the_own_ones() -> None:
    found = ask(customer=record(items=OWN[:2]), limit=4)
    assert (ids(found), found.reason) == (["i0", "i3", "i4", "i6"], None)


def test_who_is_not_known_gets_what_is_popular() -> None:
    found = ask(known=False, limit=3)
    assert (ids(found), found.reason) == (["i4", "i0", "i6"], "unknown_customer")


def test_what_was_sold_out_or_withdrawn_a_moment_ago_is_gone() -> None:
    withdrawn = LiveItem(None, None, False, NOW.timestamp())
    assert ids(ask(limit=2, live={0: GONE, 3: withdrawn})) == ["i1", "i6"]


@pytest.mark.parametrize(
    ("item", "days_ago", "shown"),
    [
        ("i1", 1, False),  # nothing is known of how long it lasts: exclude_bought_days, which is 2
        ("i1", 2.1, True),
        ("i0", 6, False),  # a consumable: bought again after 14 days
        ("i0", 13.9, False),
        ("i0", 14.1, True),
        ("i3", 20, False),
        ("i3", 29.9, False),
        ("i3", 30.1, True),
    ],
)
def test_what_was_bought_comes_back_when_it_is_due(item, days_ago, shown) -> None:
    assert (item in ids(ask("for-you", did("purchase", item, days_ago * 24)))) is shown


@pytest.mark.parametrize("kind", ["related", "bought-together"])
def test_what_was_bought_just_now_is_not_beside_an_item_either(kind) -> None:
    assert ids(ask(kind, item="i0"))[0] == "i2"
    assert "i2" not in ids(ask(kind, did("purchase", "i2"), item="i0"))


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("for-you", {}),
        ("related", {"item": "i0"}),
        ("rank", {"items": "i0,i2,i3"}),
    ],
)
def test_what_was_bought_20_days_ago_is_out_for_its_30_days(kind, arguments) -> None:
    events = did("purchase", "i3", 20 * 24), did("view", "i3")
    assert "i3" in ids(ask(kind, did("view", "i3"), limit=12, **arguments))
    assert "i3" not in ids(ask(kind, *events, limit=12, **arguments))
    later = {"at": NOW + timedelta(days=10, hours=1), "limit": 12}
    assert "i3" in ids(ask(kind, *events, **later, **arguments))


@pytest.mark.parametrize("item", ["i0", "unheard of"])  # beside it, and among best sellers
def test_a_workspace_may_keep_what_was_bought_out_for_30_days(item) -> None:
    patient = replace(SHOP, content=replace(SHOP.content, exclude_bought_days=30))
    for days, there in ((20, False), (29.9, False), (30.1, True)):
        events = did("purchase", "i2", days * 24)
        found = ids(ask("related", events, item=item, limit=12, shop=patient))
        assert ("i2" in found) is there


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("for-you", {}),
        ("related", {"item": "i0"}),
        ("bought-together", {"item": "i0"}),
        ("related", {"item": "unheard of"}),  # best sellers
        ("new-arrivals", {}),
        ("rank", {"items": "i0,i2,i3,i9"}),
    ],
)
def test_what_only_the_night_knows_as_bought_is_out_until_its_day(kind, arguments) -> None:
    mine = record(items=[each for each in OWN if each[0] != 2], bought={2: TODAY + 3, 9: TODAY + 1})
    how = {"customer": mine, "limit": 12, **arguments}
    shown = {
        days: {"i2", "i9"} & set(ids(ask(kind, did("view", "i6"), at=NOW + timedelta(days), **how)))
        for days in (0, 1, 2, 3)
    }
    there = {"i2", "i9"} & set(ids(ask(kind, did("view", "i6"), limit=12, **arguments)))
    assert there
    assert shown == {0: set(), 1: there & {"i9"}, 2: there & {"i9"}, 3: there}


def test_what_the_night_and_what_the_events_know_as_bought_is_out() -> None:
    found = ask(
        "rank", did("purchase", "i1"), customer=record(bought={4: TODAY + 1}), items="i1,i4"
    )
    assert found.members["left_out"] == [
        {"id": "i1", "reason": "bought"},
        {"id": "i4", "reason": "bought"},
    ]


@pytest.mark.parametrize(
    ("item", "reason"), [("i0", None), ("i5", "no_scores"), ("nothing", "unknown_item")]
)
def test_beside_an_item_stands_what_goes_with_it_or_the_reason_why_not(item, reason) -> None:
    found = ask("related", item=item, limit=3)
    assert found.reason == reason
    assert item not in ids(found)
    assert found.entries


# cart


def test_the_cart_tells_since_when_how_many_and_what_became_cheaper() -> None:
    cheaper = {0: LiveItem(4, 3.0, None, NOW.timestamp())}
    found = ask("cart", did("cart", "i0", 26, price=4.0, quantity=2), live=cheaper)
    assert extras_of(found) == [
        {
            "in_cart": True,
            "added_at": "2026-03-01T10:00:00Z",
            "hours_in_cart": 26,
            "quantity": 2,
            "price_then": 4.0,
            "price_drop": 1.0,
            "stock": 4,
            "low_stock": True,
        }
    ]
    assert found.members["cart"] == {
        "items": 1,
        "quantity": 2,
        "total": 6.0,
        "oldest_added_at": "2026-03-01T10:00:00Z",
        "unavailable": [],
    }


def test_the_cart_is_newest_first() -> None:
    assert ids(ask("cart", did("cart", "i6", 3), did("cart", "i1", 1))) == ["i1", "i6"]


def test_a_later_cart_event_sets_the_quantity_and_keeps_the_day_it_came_in() -> None:
    found = ask("cart", did("cart", "i0", 9, price=4.0), did("cart", "i0", 1, quantity=3))
    (extra,) = extras_of(found)
    assert (extra["quantity"], extra["hours_in_cart"], extra["price_then"]) == (3, 9, 4.0)


@pytest.mark.parametrize("ending", [did("cart", "i0", 1, quantity=0), did("purchase", "i0", 1)])
def test_what_was_taken_out_or_bought_does_not_lie_in_the_cart(ending) -> None:
    found = ask("cart", did("cart", "i0", 2), ending)
    assert (found.entries, found.reason, found.send_reason) == ([], "empty_cart", "nothing_to_say")


def test_what_was_put_in_again_lies_there_since_then() -> None:
    events = did("cart", "i0", 30), did("cart", "i0", 20, quantity=0), did("cart", "i0", 2)
    assert extras_of(ask("cart", *events))[0]["hours_in_cart"] == 2


def test_what_cannot_be_bought_is_told_and_not_shown() -> None:
    events = did("cart", "i7", 3), did("cart", "gone", 2), did("cart", "i1", 1)
    found = ask("cart", *events)
    assert ids(found) == ["i1"]
    assert found.members["cart"]["unavailable"] == [
        {"id": "gone", "reason": "unknown"},
        {"id": "i7", "reason": "sold_out"},
    ]


def test_a_cart_of_before_the_night_is_remembered_for_within_days() -> None:
    mine = record(
        watched=(Watched(6, "cart", TODAY - 5, 33.0), Watched(1, "view", TODAY - 1, None))
    )
    found = ask("cart", customer=mine)
    assert ids(found) == ["i6"]
    assert extras_of(found)[0]["price_drop"] == 3.0
    assert ask("cart", customer=mine, within_days=3).reason == "empty_cart"


def test_what_now_says_of_a_cart_counts_more_than_the_night() -> None:
    mine = record(watched=(Watched(6, "cart", TODAY - 5, 33.0),))
    assert ask("cart", did("cart", "i6", 1, quantity=0), customer=mine).reason == "empty_cart"


def test_the_cart_is_filled_with_what_goes_with_it_when_asked_to() -> None:
    found = ask("cart", did("cart", "i0", 1), fill="true")
    assert ids(found) == ["i0", "i2", "i3", "i4"]
    assert [extra["in_cart"] for extra in extras_of(found)] == [True, False, False, False]
    assert ids(ask("cart", did("cart", "i0", 1))) == ["i0"]


def test_what_fills_the_cart_keeps_caps_and_follows_boosts() -> None:
    """Behind i0 (Hill) go i2 and i3 (both Lake) and i4 (Sea)."""
    carted = did("cart", "i0", 1)
    assert ids(ask("cart", carted, fill="true", max_per_brand=1)) == ["i0", "i2", "i4"]
    found = ask("cart", carted, fill="true", boost="brand:Sea:50")
    assert ids(found) == ["i0", "i4", "i2", "i3"]
    assert [entry.score for entry in found.entries] == [1.0, 0.05, 0.012, 0.002]
    most = ask("cart", carted, fill="true", boost="brand:Sea:100,category:Food > Coffee:100")
    assert (ids(most)[1], most.entries[1].score) == ("i4", 1.0)  # never above the cart's own


# back in stock, price drop


def test_what_came_back_since_the_customer_looked_is_told() -> None:
    found = ask("back-in-stock", customer=record(watched=(Watched(8, "view", TODAY - 6, None),)))
    assert ids(found) == ["i8"]
    assert extras_of(found) == [
        {"watched": "view", "watched_at": "2026-02-24T00:00:00Z", "back_since": "2026-02-28"}
    ]


def test_who_has_looked_since_it_is_back_knows_it_already() -> None:
    mine = record(watched=(Watched(8, "view", TODAY - 6, None),))
    assert ask("back-in-stock", did("view", "i8", 1), customer=mine).reason == "nothing_back"


def test_what_came_back_a_moment_ago_is_told() -> None:
    back = {7: LiveItem(20, None, None, NOW.timestamp())}
    mine = record(watched=(Watched(7, "interest", TODAY - 3, None),))
    found = ask("back-in-stock", customer=mine, live=back)
    assert (ids(found), extras_of(found)[0]["back_since"]) == (["i7"], "2026-03-02")
    assert ask("back-in-stock", customer=mine).reason == "nothing_back"


HOUR_S = 3600.0


def back_at(hours_ago: float, *, was_out: bool = False, stock: int | None = 20) -> LiveItem:
    """Said to be back then, and its stock once more right now."""
    back_s = NOW.timestamp() - hours_ago * HOUR_S
    return LiveItem(stock, None, True, NOW.timestamp(), back_s, was_out)


@pytest.mark.parametrize("event_type", ["view", "cart"])
def test_who_looked_on_the_day_it_came_back_knows_it_if_it_was_after(event_type: str) -> None:
    live = {7: back_at(3)}
    assert ask("back-in-stock", did(event_type, "i7", 1), live=live).reason == "nothing_back"
    assert ids(ask("back-in-stock", did(event_type, "i7", 4), live=live)) == ["i7"]


def test_what_is_said_of_the_stock_afterwards_does_not_bring_it_back_anew() -> None:
    live = {7: back_at(14)}  # yesterday at 22:00
    assert ask("back-in-stock", did("view", "i7", 13), live=live).reason == "nothing_back"
    (extra,) = extras_of(ask("back-in-stock", did("view", "i7", 15), live=live))
    assert extra["back_since"] == "2026-03-01"


def test_what_was_sold_out_for_an_hour_is_told_to_who_looked_then() -> None:
    live = {4: back_at(1, was_out=True)}
    assert ids(ask("back-in-stock", did("view", "i4", 2), live=live)) == ["i4"]
    assert ask("back-in-stock", did("view", "i4", 0.5), live=live).reason == "nothing_back"
    never_out = {4: back_at(1)}
    assert ask("back-in-stock", did("view", "i4", 2), live=never_out).reason == "nothing_back"


def test_who_looked_after_the_night_that_saw_it_back_knows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    items = [item._replace(back_since=TODAY) if item.id == "i8" else item for item in ITEMS]
    monkeypatch.setattr("tests.plugin.content.counter.SNAPSHOT", snapshot(items=items))
    assert ids(ask("back-in-stock", did("view", "i8", 10))) == ["i8"]  # the night was 9 hours ago
    assert ask("back-in-stock", did("view", "i8", 8)).reason == "nothing_back"


def test_what_was_said_before_its_moment_was_kept_is_told_as_of_the_last_word() -> None:
    live = {7: LiveItem(20, None, None, NOW.timestamp() - HOUR_S)}
    assert ids(ask("back-in-stock", did("view", "i7", 2), live=live)) == ["i7"]


def test_on_sale_again_without_a_stock_is_not_tracked() -> None:
    live = {7: back_at(1, stock=None)}
    (extra,) = extras_of(ask("cart", did("cart", "i7", 2), live=live))
    assert (extra["stock"], extra["low_stock"]) == (None, False)
    assert ids(ask("cart", did("cart", "i7", 2), live=live, in_stock="true")) == ["i7"]
    tracked = snapshot({4: back_at(1, stock=None)}).catalogue
    assert tracked.stock(4) == 40  # what the night counted is no less true


def test_what_came_back_long_ago_is_no_news() -> None:
    mine = record(watched=(Watched(8, "view", TODAY - 6, None),))
    assert ask("back-in-stock", customer=mine, within_days=1).reason == "nothing_back"


def test_a_price_below_what_the_customer_saw_is_told() -> None:
    found = ask("price-drop", did("view", "i6", 5, price=40.0))
    assert ids(found) == ["i6"]
    assert extras_of(found)[0] == {
        "watched": "view",
        "watched_at": "2026-03-02T07:00:00Z",
        "price_then": 40.0,
        "price_drop": 10.0,
        "drop_share": 0.25,
    }


def test_without_the_price_then_the_highest_of_the_last_days_counts() -> None:
    (extra,) = extras_of(ask("price-drop", did("view", "i5", 5)))
    assert (extra["price_then"], extra["price_drop"]) == (20.0, 5.0)


def test_a_price_that_fell_a_moment_ago_is_told() -> None:
    live = {4: LiveItem(None, 6.0, None, NOW.timestamp())}
    found = ask("price-drop", did("view", "i4", 5), live=live)
    assert extras_of(found)[0]["drop_share"] == 0.5


def test_a_small_drop_is_no_news_unless_asked_for() -> None:
    event = did("view", "i6", 5, price=31.0)
    assert ask("price-drop", event).reason == "no_price_drop"
    assert ids(ask("price-drop", event, min_drop=0.01)) == ["i6"]


def test_a_price_that_rose_is_no_drop() -> None:
    assert ask("price-drop", did("view", "i6", 5, price=20.0)).reason == "no_price_drop"


@pytest.mark.parametrize("kind", ["back-in-stock", "price-drop"])
def test_what_was_bought_is_watched_no_more(kind) -> None:
    live = {7: LiveItem(20, 1.0, None, NOW.timestamp())}
    mine = record(watched=(Watched(7, "view", TODAY - 3, 45.0),))
    assert ids(ask(kind, customer=mine, live=live)) == ["i7"]
    assert ids(ask(kind, did("purchase", "i7", 50), customer=mine, live=live)) == []


# replenishment


def test_what_is_due_comes_most_overdue_first() -> None:
    mine = record(due=(Due(0, TODAY - 7, 14), Due(3, TODAY + 2, 30), Due(1, TODAY + 9, 12)))
    found = ask("replenishment", customer=mine)
    assert ids(found) == ["i0", "i3"]
    assert [entry.score for entry in found.entries] == [1.5, 0.933]
    assert extras_of(found)[0] == {
        "due_on": "2026-02-23",
        "interval_days": 14,
        "last_bought_on": "2026-02-09",
    }
    assert len(ask("replenishment", customer=mine, within_days=9).entries) == 3


def test_what_is_overdue_by_more_than_its_interval_is_given_up() -> None:
    mine = record(due=(Due(0, TODAY - 15, 14),))
    assert ask("replenishment", customer=mine).reason == "nothing_due"


def test_a_purchase_of_now_starts_the_interval_anew() -> None:
    mine = record(due=(Due(0, TODAY, 14),))
    assert ids(ask("replenishment", customer=mine)) == ["i0"]
    assert ask("replenishment", did("purchase", "i0", 1), customer=mine).reason == "nothing_due"


def test_the_items_own_interval_counts_where_the_customers_is_not_known() -> None:
    event = did("purchase", "i0", 5 * 24)
    assert ids(ask("replenishment", event, within_days=9)) == ["i0"]
    assert ask("replenishment", event, within_days=8).reason == "nothing_due"


@pytest.mark.parametrize(
    ("interval", "hours_ago", "shown"),
    [
        (3, 0.1, False),  # due in three days, but bought just now: exclude_bought_days is 2
        (3, 47, False),
        (3, 49, True),
        (1, 1, False),  # bought every day: not on the day itself
        (1, 24, True),
    ],
)
def test_what_was_bought_just_now_is_not_due(interval, hours_ago, shown) -> None:
    mine = record(due=(Due(0, TODAY, interval),))
    found = ask("replenishment", did("purchase", "i0", hours_ago), customer=mine, within_days=14)
    assert (ids(found) == ["i0"]) is shown
    assert found.send is shown
    assert found.reason == (None if shown else "nothing_due")


def test_a_purchase_that_only_the_night_knows_is_just_bought_too() -> None:
    for days_ago, shown in ((0, False), (1, False), (2, True)):
        mine = record(due=(Due(0, TODAY - days_ago + 3, 3),))
        assert (ids(ask("replenishment", customer=mine)) == ["i0"]) is shown, days_ago


def test_exclude_bought_days_of_none_leaves_nothing_out() -> None:
    shop = replace(SHOP, content=replace(SHOP.content, exclude_bought_days=0))
    event, mine = did("purchase", "i0", 0.1), record(due=(Due(0, TODAY, 3),))
    assert ids(ask("replenishment", event, customer=mine, shop=shop)) == ["i0"]


def test_the_later_purchase_counts_be_it_of_now_or_of_the_night() -> None:
    mine = record(due=(Due(0, TODAY + 2, 14),))
    (extra,) = extras_of(ask("replenishment", did("purchase", "i0", 14 * 24), customer=mine))
    assert extra["last_bought_on"] == "2026-02-18"  # twelve days ago


# new arrivals


def test_arrivals_come_in_the_customers_order() -> None:
    """The night's order is i10 (a toy), i9 (coffee), i11 (tea); this customer buys tea first."""
    assert ids(ask("new-arrivals")) == ["i11", "i9", "i10"]
    assert extras_of(ask("new-arrivals"))[1] == {"new_since": "2026-02-25"}


def test_arrivals_for_nobody_in_particular_come_in_the_nights_order() -> None:
    found = ask("new-arrivals", known=False)
    assert (ids(found), found.reason) == ([f"i{n}" for n, _ in ARRIVALS], None)


def test_arrivals_of_the_last_days_only() -> None:
    assert ids(ask("new-arrivals", within_days=3)) == ["i11"]


def test_a_price_far_from_the_usual_speaks_against_an_arrival() -> None:
    """The customer's tea costs 4 to 6; at 80 it is not what this customer buys."""
    dear = {11: LiveItem(None, 80.0, None, NOW.timestamp())}
    assert ids(ask("new-arrivals", live=dear))[-1] == "i11"


# brands and categories


def test_brands_come_with_their_best_item_for_the_customer() -> None:
    found = ask("brands", limit=2)
    assert ids(found) == ["i0", "i3"]
    assert found.members["brands"] == [
        {"name": "Hill", "score": 0.595, "item": "i0", "image_url": "https://shop.example/i0.jpg",
         "url": "https://shop.example/i0"},
        {"name": "Lake", "score": 0.297, "item": "i3", "image_url": "https://shop.example/i3.jpg",
         "url": "https://shop.example/i3"},
    ]  # fmt: skip


def test_categories_come_with_their_best_item_for_the_customer() -> None:
    found = ask("categories", did("purchase", "i0"))
    assert [each["name"] for each in found.members["categories"]] == [
        "Food > Tea", "Food > Coffee", "Toys",
    ]  # fmt: skip
    assert ids(found)[0] == "i1"  # the best tea was bought just now


def test_boosts_move_brands_and_categories_in_their_own_list() -> None:
    brands = ask("brands", boost="brand:sea:100").members["brands"]
    assert [(each["name"], each["score"]) for each in brands] == [
        ("Sea", 2.03), ("Hill", 0.595), ("Lake", 0.297),
    ]  # fmt: skip
    categories = ask("categories", boost="category:Food > Coffee:5").members["categories"]
    assert [each["name"] for each in categories] == ["Food > Coffee", "Food > Tea", "Toys"]
    nobodys = ask("brands", known=False, boost="brand:Lake:10").members["brands"]
    assert [each["name"] for each in nobodys] == ["Lake", "Sea", "Hill"]


def test_boosts_move_which_item_stands_for_a_brand() -> None:
    assert ids(ask("brands", limit=1)) == ["i0"]
    assert ids(ask("brands", limit=1, boost="tag:vegan:10")) == ["i1"]
    found = ask("brands", limit=1, boost="category:Toys:10")
    assert (ids(found), found.entries[0].score) == (["i6"], 0.595)


def test_caps_hold_for_the_items_that_stand_for_brands_and_categories() -> None:
    assert ids(ask("categories")) == ["i0", "i3", "i6"]  # Hill, Lake, Hill
    assert ids(ask("categories", max_per_brand=1)) == ["i0", "i3", "i8"]
    assert ids(ask("brands")) == ["i0", "i3", "i5"]  # tea, coffee, coffee
    assert ids(ask("brands", max_per_category=1)) == ["i0", "i3", "i8"]


def test_nobodys_brands_are_those_of_the_best_sellers() -> None:
    found = ask("brands", known=False)
    assert [each["name"] for each in found.members["brands"]] == ["Sea", "Hill", "Lake"]
    assert (ids(found), found.reason) == (["i4", "i0", "i2"], "unknown_customer")


# rank


def test_a_list_is_put_in_the_customers_order_and_what_is_left_out_is_told() -> None:
    found = ask("rank", did("purchase", "i1"), items="i4,i7,i3,i9,i0,i1,what", not_tag="x")
    assert ids(found)[:2] == ["i0", "i3"]  # of which the own probability is known
    assert ids(found)[2:] == ["i9", "i4"]  # Hill is the customer's brand
    assert found.members["left_out"] == [
        {"id": "i7", "reason": "sold_out"},
        {"id": "i1", "reason": "bought"},
        {"id": "what", "reason": "unknown"},
    ]


def test_what_a_cap_leaves_out_of_a_list_is_told() -> None:
    found = ask("rank", items="i0,i1,i6,i3,i7", max_per_brand=1)
    assert ids(found) == ["i0", "i3"]
    assert found.members["left_out"] == [
        {"id": "i7", "reason": "sold_out"},
        {"id": "i1", "reason": "capped"},
        {"id": "i6", "reason": "capped"},
    ]


def test_what_only_the_limit_cuts_off_is_not_told() -> None:
    found = ask("rank", items="i0,i1,i3,i5", max_per_brand=1, limit=1)
    assert (ids(found), found.members["left_out"]) == (["i0"], [{"id": "i1", "reason": "capped"}])
    assert ask("rank", items="i0,i1", limit=1).members["left_out"] == []


def test_what_is_guessed_stays_below_what_is_known() -> None:
    found = ask("rank", items=",".join(f"i{n}" for n in range(12)))
    known = {number for number, _ in OWN}
    shown = [entry.number in known for entry in found.entries]
    assert shown == sorted(shown, reverse=True)


def test_a_list_without_a_limit_is_ranked_as_a_whole() -> None:
    asked = KINDS["rank"].arguments().load({"items": ",".join(map(str, range(40)))})
    assert asked["limit"] == 40


def test_for_whom_nobody_knows_a_list_is_ranked_by_popularity() -> None:
    found = ask("rank", known=False, items="i5,i6,i0")
    assert (ids(found), found.reason) == (["i0", "i6", "i5"], "unknown_customer")


def test_a_list_of_which_nothing_can_be_shown_is_no_answer() -> None:
    found = ask("rank", items="x,i7")
    assert (found.entries, found.reason) == ([], "no_items")


# prices


def test_prices_are_told_as_people_of_the_currency_write_them() -> None:
    (entry,) = ask(limit=1, currency="KRW", locale="ko").entries
    assert orjson.dumps(entry.extra).decode() == (
        '{"local_price":5520,"local_currency":"KRW","price_text":"₩5,520"}'
    )
    (entry,) = ask(limit=1, locale="en").entries
    assert entry.extra == {"local_price": 4.0, "local_currency": "USD", "price_text": "$4.00"}


# all kinds


def every_call() -> list[tuple[str, dict]]:
    beside = {"item": "i0"}
    asked = {"related": beside, "bought-together": beside, "rank": {"items": "i4,i0"}}
    asked |= {"cart": {"fill": "true"}}
    rules = {"boost": "brand:Lake:2,margin:0.3", "max_per_brand": 2, "category": "Food"}
    return [(kind, {**asked.get(kind, {}), **more}) for kind in KINDS for more in ({}, rules)]


@pytest.mark.parametrize(("kind", "arguments"), every_call())
def test_html_and_plain_text_show_the_same_a_minute_later(kind, arguments) -> None:
    """A template is rendered twice and retried: with the same session the answer is the same."""
    events = did("cart", "i0", 2.2), did("view", "i8", 3.3, price=90.0), did("view", "i6", 1.1)
    mine = record(due=(Due(3, TODAY, 30),), watched=(Watched(8, "view", TODAY - 6, None),))
    first = ask(kind, *events, customer=mine, **arguments)
    later = ask(kind, *events, customer=mine, at=NOW + timedelta(minutes=1), **arguments)
    assert (first.entries, first.members, first.reason) == (
        later.entries, later.members, later.reason,
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "arguments"), every_call())
def test_no_kind_shows_what_cannot_be_bought_or_one_item_twice(kind, arguments) -> None:
    found = ids(ask(kind, did("cart", "i7", 1), did("cart", "i0", 1), **arguments))
    assert "i7" not in found
    assert len(found) == len(set(found))


@pytest.mark.parametrize(("kind", "arguments"), every_call())
def test_every_kind_has_an_answer_for_whom_nobody_knows(kind, arguments) -> None:
    found = ask(kind, known=False, who=None, **arguments)
    assert found.reason is None or found.fallback
    assert found.send == bool(found.entries)


def test_the_day_of_an_answer_is_the_day_of_the_call() -> None:
    mine = record(due=(Due(0, TODAY + 4, 14),))
    shop = sending(quiet_hours=None)
    assert ask("replenishment", customer=mine, shop=shop).reason == "nothing_due"
    tomorrow = datetime(2026, 3, 3, 0, 0, tzinfo=UTC)
    assert ids(ask("replenishment", customer=mine, at=tomorrow, shop=shop)) == ["i0"]
