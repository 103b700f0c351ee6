"""What may be a target: names, lists, rules over items, and all of several."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scoring import history as histories
from scoring import model_files
from scoring.segment_groups import base_level, fit_group
from scoring.segment_request import Condition, SegmentError, Target
from scoring.segment_targets import GROUP, Part, _days_on_sale, mean_margin, parts
from tests import nightly_shop as shop
from tests.nights import Night
from tests.segments import KNOWN, asked, by_name, names, refused, result, selecting

CUTOFF = histories.hour_of(shop.AS_OF)
select = pytest.fixture(selecting)


@pytest.fixture
def meant(night: Night):
    """Condition … → the items that fulfil them all."""
    history = histories.load(night.snapshot.model / "history")
    items = night.snapshot.items()

    def found(*conditions: tuple[str, str, Any]) -> set[str]:
        rule = tuple(Condition(*condition) for condition in conditions)
        (part,) = parts(history, items, Target(rule=rule), CUTOFF)
        return set(history.catalogue.names["item"][part.inside])

    return found


def test_a_rule_by_price(meant):
    assert meant(("price", ">=", 6)) == {item for item in shop.ITEMS if shop.price_of(item) >= 6}


def test_a_rule_by_name_and_category(meant):
    assert meant(("name", "contains", "NO. 2"), ("category", "is", "Tea")) == {"tea-2"}


def test_a_rule_by_brand(meant):
    assert meant(("brand", "is", "brand-1"), ("category", "under", "tea")) == {"tea-1", "tea-4"}


def test_under_a_category_is_itself_and_what_is_below(night):
    history = histories.load(night.snapshot.model / "history")
    paths = {"bread": "FOOD > bread", "cheese": "FOODS", "tea": "food", "coffee": None}
    items = night.snapshot.items()
    column = [paths[name] for name in items["category"].to_pylist()]
    items = items.set_column(items.schema.get_field_index("category"), "category", [column])
    (part,) = parts(history, items, Target(rule=(Condition("category", "under", "Food"),)), CUTOFF)
    found = set(history.catalogue.names["item"][part.inside])
    assert {item.split("-")[0] for item in found} == {"bread", "tea"}


@pytest.mark.parametrize(("kept", "asked_as"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_names_that_look_the_same_are_the_same(night, kept, asked_as):
    """ "커피" as a Mac may write it, in single letters, and as everybody else does."""
    history = histories.load(night.snapshot.model / "history")
    catalogue = history.catalogue
    there, asked_for = (unicodedata.normalize(form, "커피 원두") for form in (kept, asked_as))
    names = catalogue.names["category"].astype("U20")
    names[-1] = there  # Korean sorts behind Latin
    korean = replace(history, catalogue=replace(
        catalogue, names={**catalogue.names, "category": names}))  # fmt: skip
    items = night.snapshot.items()
    column = [there if name == "tea" else name for name in items["category"].to_pylist()]
    items = items.set_column(items.schema.get_field_index("category"), "category", [column])
    targets = (
        Target(categories=(asked_for,)),
        Target(categories=(asked_for, there), match="all"),
        Target(rule=(Condition("category", "contains", asked_for.split()[0]),)),
    )
    for target in targets:
        (part,) = parts(korean, items, target, CUTOFF)
        assert {*catalogue.names["item"][part.inside]} == {f"tea-{n}" for n in range(6)}


def test_items_on_sale_for_a_short_time_are_new(night, meant):
    history = histories.load(night.snapshot.model / "history")
    late = replace(history, hour=history.hour.copy())
    cheese = np.char.startswith(history.catalogue.names["item"], "cheese")
    newest = int(history.hour.max())
    late.hour[(history.item >= 0) & cheese[history.item]] = newest - 24 * 3
    rule = (Condition("days_on_sale", "<=", 3),)
    (part,) = parts(late, night.snapshot.items(), Target(rule=rule), CUTOFF)
    assert {*late.catalogue.names["item"][part.inside]} >= {f"cheese-{n}" for n in range(6)}
    assert meant(("days_on_sale", ">=", 30)) == set(shop.ITEMS)


def test_days_on_sale_go_on_when_nothing_happens(night):
    """Of a shop that was closed for the last ten days, too."""
    history = histories.load(night.snapshot.model / "history")
    closed = replace(history, hour=history.hour - 24 * 10)
    ages = [{*_days_on_sale(each, CUTOFF)} for each in (history, closed)]
    assert {age + 10 for age in ages[0]} == ages[1]


def test_what_is_not_known_fulfils_nothing(meant):
    with pytest.raises(SegmentError, match="no item of the catalogue fulfils the rule: margin"):
        meant(("margin", ">=", 0))


def test_a_rule_and_the_same_items_as_a_list_are_the_same_segment(select) -> None:
    rule = Target(rule=(Condition("price", ">=", 6),))
    listed = Target(items=tuple(item for item in shop.ITEMS if shop.price_of(item) >= 6))
    assert select(rule) == select(listed)


def test_all_items_of_a_category_are_that_category(select) -> None:
    """A group is described as the level's own targets are."""
    listed = by_name(select(Target(items=tuple(f"tea-{n}" for n in range(6)))))
    itself = by_name(select(Target(categories=("tea",))))
    both = np.array([[listed[who], itself[who]] for who in itself])
    assert np.corrcoef(both.T)[0, 1] > 0.98
    assert both[:, 0].sum() == pytest.approx(both[:, 1].sum(), rel=0.1)


def test_a_list_of_one_item_is_that_item(night) -> None:
    history = histories.load(night.snapshot.model / "history")
    rule = Target(items=("tea-2",), rule=(Condition("name", "is", "Tea no. 2"),))
    (part,) = parts(history, night.snapshot.items(), rule, CUTOFF)
    assert isinstance(part, Part) and part.level == "item"


def test_a_rule_counts_as_one_of_all(select) -> None:
    dear = Target(rule=(Condition("price", ">=", 6),), categories=("tea",), match="all")
    both, tea = by_name(select(dear)), by_name(select(Target(categories=("tea",))))
    assert all(both[who] <= tea[who] + 1e-6 for who in tea)


def test_of_any_the_group_is_bought_more_often_than_a_part_of_it(select) -> None:
    few = sum(by_name(select(Target(items=("tea-1", "tea-2")))).values())
    many = sum(by_name(select(Target(items=tuple(shop.ITEMS[:12])))).values())
    assert many > few


@pytest.mark.parametrize("levels", [("category",), ("category", "brand")])
def test_a_shop_without_categories_or_brands_has_groups_too(night, levels) -> None:
    """What a group is described by is what the level's stacker reads, at every level."""
    history = histories.load(night.snapshot.model / "history")
    fitted = model_files.load(night.snapshot.model / "fitted")
    empty = np.zeros(0, dtype=np.str_)
    catalogue = replace(history.catalogue, names={**history.catalogue.names,
                                                  **dict.fromkeys(levels, empty)})  # fmt: skip
    base = base_level(catalogue)
    inside = np.char.startswith(history.catalogue.names["item"], "tea")
    group = fit_group(history, fitted, base, inside)
    everyone = np.arange(history.n_customers, dtype=np.int32)
    described = group.describe(everyone, np.full_like(everyone, group.n_targets - 1))
    assert base == ("brand" if len(levels) == 1 else "item")
    assert described.shape == (history.n_customers, len(fitted.levels[base].features))


# margins


def test_the_margin_is_that_of_what_was_bought(night) -> None:
    history = histories.load(night.snapshot.model / "history")
    items = night.snapshot.items()
    margins = [9.0 if item == "tea-1" else None for item in shop.ITEMS]
    items = items.set_column(items.schema.get_field_index("margin"), "margin", [margins])
    one = history.catalogue.names["item"] == "tea-1"
    other = history.catalogue.names["item"] == "tea-2"
    assert mean_margin(history, items, one, 0.5) == 9.0
    assert mean_margin(history, items, other, 0.5) == 0.5 * shop.price_of("tea-2")
    assert mean_margin(history, items, np.zeros_like(one), 0.5) == 0.0


# what cannot be


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (("colour", "is", "red"), "attribute: found 'colour', expected one of name, brand"),
        (("price", "contains", 3), "operator: found 'contains', price takes >=, <="),
        (("name", ">=", "a"), "operator: found '>='"),
        (("price", ">=", "ten"), "value: price takes a number, found 'ten'"),
        (("price", ">=", float("nan")), "value: price takes a number"),
        (("price", ">=", True), "value: price takes a number"),
        (("name", "is", 3), "value: name takes a text"),
        (("name", "contains", "  "), "value: name takes a text"),
    ],
)
def test_bad_input_a_condition_that_cannot_be(condition, told) -> None:
    with pytest.raises(ValueError, match="^" + told.replace("[", r"\[")):
        Condition(*condition)


def test_bad_input_a_rule_that_nothing_fulfils_is_told(night) -> None:
    rule = (Condition("price", ">=", 5), Condition("price", "<=", 4))
    told = refused(night, asked(Target(rule=rule)))
    assert told == "no item of the catalogue fulfils the rule: price >= 5 and price <= 4"


def test_bad_input_more_than_anybody_buys_at_once(night) -> None:
    history = histories.load(night.snapshot.model / "history")
    items = tuple(shop.ITEMS)
    target = Target(items=items, categories=shop.CATEGORIES, brands=("brand-0",), match="all")
    assert len(parts(history, night.snapshot.items(), target, CUTOFF)) == len(items) + 5
    wide = replace(history.catalogue, names={**history.catalogue.names,
                   "item": np.array([f"i{n:03}" for n in range(60)])})  # fmt: skip
    target = Target(items=tuple(f"i{n:03}" for n in range(60)), match="all")
    with pytest.raises(SegmentError, match="match all takes at most 50 targets, found 60"):
        parts(replace(history, catalogue=wide), night.snapshot.items(), target, CUTOFF)


def test_bad_input_a_list_with_many_unknown_items_tells_how_many(night) -> None:
    told = refused(night, asked(Target(items=tuple(f"x{n}" for n in range(25)))))
    assert "and 15 more; write names as the items source does" in told


def test_a_group_has_members_like_any_target(night) -> None:
    found = result(night, asked(Target(rule=(Condition("price", "<=", 3),))))
    assert len(set(names(found.members.to_pylist()))) == KNOWN
    assert GROUP not in found.members.column_names
