"""The marketer's filters, boosts and limits: for every kind, never broken, honestly filled."""

from __future__ import annotations

from unicodedata import normalize

import marshmallow as ma
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.content.filters import Filters, Sieve, categories_under, folded, folded_path
from plugin.content.kinds import KINDS
from plugin.content.schema import ForYouArgumentsSchema
from scoring.store.extras import Due
from scoring.store.live import LiveItem
from tests.plugin.content.counter import CATEGORIES, ITEMS, SNAPSHOT, TODAY, ask, did, ids, record

WATCHED = [did("view", f"i{n}", 30 - n) for n in range(12)]


@pytest.mark.parametrize(
    ("filters", "allowed"),
    [
        ({"brand": "hill"}, {0, 1, 6, 9}),
        ({"brand": "Hill,Sea"}, {0, 1, 4, 5, 6, 8, 9, 10}),
        ({"not_brand": "Hill,Lake"}, {4, 5, 8, 10}),
        ({"category": "Food"}, {0, 1, 2, 3, 4, 5, 9, 11}),
        ({"category": "food>tea"}, {0, 1, 2, 11}),
        ({"not_category": "Food > Tea"}, {3, 4, 5, 6, 8, 9, 10}),
        ({"tag": "VEGAN"}, {1, 3}),
        ({"not_tag": "new"}, {0, 1, 2, 4, 5, 6, 8, 9, 10, 11}),
        ({"min_price": 10, "max_price": 15}, {4, 5, 9}),
        ({"min_margin": 3}, {1, 3, 6}),
        ({"min_stock": 10}, {0, 2, 3, 4, 5, 6, 8, 9, 10, 11}),
        ({"exclude": "i0,i3,nothing"}, {1, 2, 4, 5, 6, 8, 9, 10, 11}),
        ({"brand": "Hill", "category": "Toys"}, {6}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_shows_what_a_filter_forbids(kind, filters, allowed) -> None:
    more = {"item": "i0"} if kind in ("related", "bought-together") else {}
    more |= {"items": ",".join(item.id for item in ITEMS)} if kind == "rank" else {}
    more |= {"fill": "true"} if kind == "cart" else {}
    found = ask(kind, *WATCHED, did("cart", "i0"), did("cart", "i4"), **filters, **more)
    assert {entry.number for entry in found.entries} <= allowed


def test_filters_leave_the_customers_own_items_in_their_order() -> None:
    assert ids(ask(brand="Hill"))[:3] == ["i0", "i1", "i6"]
    assert ask(brand="Hill").reason is None


def test_what_fills_up_passes_the_filters_too_and_comes_from_their_shelves() -> None:
    """i9 is no best seller: only the brand's shelf has it."""
    assert ids(ask(brand="Hill")) == ["i0", "i1", "i6", "i9"]


def test_filters_that_leave_nothing_of_the_customers_say_so() -> None:
    found = ask(customer=record(items=((0, 0.4),)), brand="Sea", limit=2)
    assert found.reason == "filtered"
    assert ids(found) == ["i4", "i5"]  # the customer likes coffee better than toys


NO_FILTERS = ({"boost": "brand:Sea:2"}, {"max_per_brand": 1}, {"max_per_category": 1})
EMPTY = (
    ("for-you", {}, "no_scores"),
    ("replenishment", {}, "nothing_due"),
    ("price-drop", {}, "no_price_drop"),
    ("related", {"item": "i6"}, "no_scores"),
    ("new-arrivals", {"within_days": 1}, "no_arrivals"),
    ("brands", {}, "no_scores"),
)


@pytest.mark.parametrize("rules", NO_FILTERS)
@pytest.mark.parametrize(("kind", "asked", "reason"), EMPTY)
def test_boosts_and_caps_are_no_reason_for_an_empty_answer(kind, asked, reason, rules) -> None:
    """There is something of each kind, but sold out or bought: no filter is to blame."""
    gone = {n: LiveItem(0, None, None, 1.0) for n in (7, 8, 9, 10, 11)}
    mine = record(items=(), brands=(), due=(Due(7, TODAY, 3),))
    cheaper_but_bought = did("purchase", "i6", 20), did("view", "i6", 5, price=40.0)
    found = ask(kind, *cheaper_but_bought, customer=mine, live=gone, **asked, **rules)
    assert found.reason == reason


def test_names_are_the_same_however_unicode_writes_them() -> None:
    """Files of macOS write the parts of a syllable or an accented letter."""
    for name in ("농심", "Crème", "Ångström > Öl"):
        parts = normalize("NFD", name)
        assert parts != name
        assert folded(parts) == folded(name)
        assert folded_path(parts) == folded_path(name)


def test_filters_that_nothing_passes_show_nothing_and_say_so() -> None:
    found = ask(min_price=1000)
    assert (found.entries, found.reason, found.send_reason) == ([], "filtered", "nothing_to_say")


def test_a_price_of_now_is_what_filters_go_by() -> None:
    dearer = {0: LiveItem(None, 40.0, None, 1.0)}
    assert "i0" not in ids(ask(max_price=10, live=dearer))
    assert "i0" in ids(ask(max_price=10))


def test_stock_of_now_is_what_filters_go_by() -> None:
    assert "i0" not in ids(ask(min_stock=5, live={0: LiveItem(4, None, None, 1.0)}))


def test_a_boost_lifts_a_brand_and_the_scores_say_so() -> None:
    found = ask(boost="brand:Lake:2", limit=2)
    assert ids(found) == ["i3", "i0"]
    assert found.entries[0].score == pytest.approx(0.6, rel=0.03)


@pytest.mark.parametrize(
    ("boost", "first"),
    [("category:Toys:10", "i6"), ("tag:vegan:3", "i3"), ("margin:1", "i3"), ("margin:0", "i0"),
     ("brand:Lake:2,category:Food > Coffee:2", "i3"), ("brand:Hill:0.1", "i3")],
)  # fmt: skip
def test_boosts_decide_what_comes_first(boost, first) -> None:
    assert ids(ask(boost=boost))[0] == first


def test_at_most_so_many_of_a_brand_and_a_category() -> None:
    found = ask(max_per_brand=1, limit=12)
    brands = [ITEMS[entry.number].brand for entry in found.entries]
    assert brands == ["Hill", "Lake", "Sea"]
    found = ask(max_per_category=2, limit=12)
    categories = [ITEMS[entry.number].category for entry in found.entries]
    assert max(map(categories.count, CATEGORIES)) == 2


def test_scores_never_rise_down_the_list() -> None:
    for how in ({}, {"brand": "Hill"}, {"boost": "margin:1"}, {"max_per_brand": 2}):
        scores = [entry.score for entry in ask(**how).entries]
        assert scores == sorted(scores, reverse=True), how


def test_a_name_with_a_comma_is_written_with_a_backslash() -> None:
    loaded = ForYouArgumentsSchema().load({"brand": r"Ben \& Jerry\, Inc,Hill"})
    assert loaded["brand"] == (r"Ben \& Jerry, Inc", "Hill")


def test_a_list_may_be_a_list_where_the_call_is_json() -> None:
    assert ForYouArgumentsSchema().load({"exclude": ["a,b", "c"]})["excluded"] == ("a,b", "c")


names = st.lists(st.sampled_from(["a", "a > b", "a > b > c", "a >b", "ab", "ab > b", "b"]))


@given(names)
def test_a_category_holds_what_is_below_it_and_nothing_beside(paths) -> None:
    class Published:
        categories = ("A", "a > B", "a > b > c", "ab", "AB > b", "b")

    found = {Published.categories[i].lower() for i in categories_under(Published, paths)}
    wanted = [path.replace(" >b", " > b") for path in paths]
    assert found == {
        name.lower()
        for name in Published.categories
        if any(name.lower() == w or name.lower().startswith(w + " > ") for w in wanted)
    }


def test_unknown_names_let_nothing_through_or_forbid_nothing() -> None:
    nobody = Sieve(Filters(brands=("nobody",)), SNAPSHOT)
    assert not any(nobody.passes(SNAPSHOT.catalogue, number) for number in range(12))
    without = Sieve(Filters(not_brands=("nobody",)), SNAPSHOT)
    assert all(without.passes(SNAPSHOT.catalogue, number) for number in range(12))


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"boost": "brand:Hill"}, "Must be brand:NAME:FACTOR"),
        ({"boost": "brand::2"}, "Must be brand:NAME:FACTOR"),
        ({"boost": "brand:Hill:nan"}, "Must be brand:NAME:FACTOR"),
        ({"boost": "brand:Hill:1000"}, "Must be brand:NAME:FACTOR"),
        ({"boost": "margin:2"}, "Must be brand:NAME:FACTOR"),
        ({"boost": "colour:red:2"}, "Must be brand:NAME:FACTOR"),
        ({"boost": ",".join(f"tag:{n}:2" for n in range(21))}, "at most 20 boosts"),
        ({"brand": ",".join(map(str, range(51)))}, "at most 50, found 51"),
        ({"brand": "x" * 989}, "at most 988 bytes"),
        ({"brand": 3}, "text with commas"),
        ({"min_price": "nan"}, "Special numeric values"),
        ({"min_price": 2, "max_price": 1}, "above max_price"),
        ({"max_per_brand": 0}, "greater than or equal to 1"),
        ({"in_stock": "perhaps"}, "Not a valid boolean"),
        ({"currency": "krw"}, "ISO 4217"),
        ({"locale": "fr"}, "Must be one of"),
    ],
)
def test_bad_input_a_rule_that_cannot_be_is_named(given, problem) -> None:
    with pytest.raises(ma.ValidationError) as error:
        ForYouArgumentsSchema().load(given)
    assert problem in str(error.value.messages)
