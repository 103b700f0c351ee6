"""Lake and identity → the history that models read: the same shop, numbered, and no future."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from scoring import canonical, features, identity
from scoring.history import BOUGHT, CLICKED, ENGAGED, LEVELS, History
from scoring.identity import Identity
from scoring.lake import Lake
from tests import shop
from tests.shop import NOW

ARRAYS = (
    "customers", "customer", "item", "hour", "kind",
    "profile_names", "profile_customer", "profile_feature",
)  # fmt: skip


def night(lake: Lake, now: datetime = NOW) -> tuple[History, pa.Table, Identity]:
    """What the nightly job does up to the features step."""
    people = identity.resolve(lake.events(before=now), lake.customers())
    items = features.item_table(lake, now)
    return features.build(lake, people, items, now), items, people


def rows(table: str, *given: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(given), schema=canonical.schema(table))


def event(number: int, **values: Any) -> dict[str, Any]:
    """A purchase of tea by kim an hour before NOW."""
    return {
        "event_id": f"e{number}", "occurred_at": NOW - timedelta(hours=1), "identifier": "kim",
        "identifier_kind": "external_id", "event_type": "purchase", "item_id": "tea", **values,
    }  # fmt: skip


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def assert_alike(one: History, other: History) -> None:
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    for level in LEVELS:
        np.testing.assert_array_equal(one.catalogue.names[level], other.catalogue.names[level])
        np.testing.assert_array_equal(one.catalogue.of_item[level], other.catalogue.of_item[level])
    np.testing.assert_array_equal(one.catalogue.price, other.catalogue.price)
    np.testing.assert_array_equal(one.catalogue.sellable, other.catalogue.sellable)
    np.testing.assert_array_equal(one.catalogue.content, other.catalogue.content)
    np.testing.assert_array_equal(one.catalogue.content_kind, other.catalogue.content_kind)
    np.testing.assert_array_equal(one.catalogue.name_kind, other.catalogue.name_kind)


@pytest.fixture(scope="module")
def made() -> shop.Shop:
    return shop.make_shop(customers=30, items=24, days=40)


def test_the_lake_s_history_is_the_shop_s(lake: Lake, made: shop.Shop) -> None:
    shop.fill(lake, made)
    assert_alike(night(lake)[0], shop.history(made))


def test_a_lake_that_knows_the_future_gives_the_same_past(
    lake: Lake, made: shop.Shop, tmp_path: Path
) -> None:
    shop.fill(lake, made)
    ignorant = Lake(tmp_path / "ignorant")
    shop.fill(ignorant, made, before=NOW)
    one, two = night(lake), night(ignorant)
    assert_alike(one[0], two[0])
    assert one[1].equals(two[1])


def test_later_events_of_new_people_and_items_are_not_seen(lake: Lake) -> None:
    later = NOW + timedelta(minutes=1)
    future = event(2, occurred_at=later, identifier="lee", item_id="cake", unit_price=99.0)
    now = event(3, occurred_at=NOW, unit_price=99.0)
    lake.append_events(rows("events", event(1, unit_price=4.0), future, now), batch="b")
    past, items, _ = night(lake)
    assert past.customers.tolist() == ["kim"]
    assert past.catalogue.names["item"].tolist() == ["tea"]
    assert items["price"].to_pylist() == [4.0]
    assert len(past.hour) == 1


def test_each_event_type_counts_as_what_it_says(lake: Lake) -> None:
    types = ["purchase", "view", "cart", "search", "interest", "click", "return", "message_sent"]
    given = [event(n, event_type=name, item_id=f"i{n}") for n, name in enumerate(types)]
    given.append(event(9, event_type="purchase", item_id="last"))
    lake.append_events(rows("events", *given), batch="b")
    past, items, _ = night(lake)
    names = past.catalogue.names["item"]
    found = {
        (str(names[item]) if item >= 0 else "?", int(kind))
        for item, kind in zip(past.item, past.kind, strict=True)
    }
    assert names.tolist() == ["i0", "last"]  # only what was bought makes an item
    assert found == {("i0", BOUGHT), ("last", BOUGHT), ("?", ENGAGED), ("?", CLICKED)}
    assert len(past.kind) == 7
    assert items["name"].to_pylist() == ["i0", "last"]


def test_identifiers_of_one_person_are_one_customer(lake: Lake) -> None:
    known = {"customer_id": "kim", "identifiers": json.dumps({"alias": ["k1"], "device_id": "d1"})}
    lake.upsert("customers", rows("customers", known), batch="c")
    given = [
        event(1),
        event(2, identifier="k1", identifier_kind="alias"),
        event(3, identifier="d1", identifier_kind="device_id"),
        event(4, identifier="d2", identifier_kind="device_id"),
    ]
    lake.append_events(rows("events", *given), batch="b")
    past, _, _ = night(lake)
    assert past.customers.tolist() == ["device_id:d2", "kim"]
    assert np.bincount(past.customer).tolist() == [1, 3]


def test_an_unknown_price_is_the_mean_lately_paid(lake: Lake) -> None:
    listed = [{"item_id": "cake"}, {"item_id": "tea", "price": 7.5}, {"item_id": "unsold"}]
    lake.upsert("items", rows("items", *listed), batch="i")
    long_ago = NOW - timedelta(days=features.PRICE_DAYS, hours=1)
    given = [
        event(1, item_id="cake", unit_price=2.0),
        event(2, item_id="cake", unit_price=3.0),
        event(3, item_id="cake", unit_price=900.0, occurred_at=long_ago),
        event(4, item_id="cake", unit_price=None),
        event(5, item_id="tea", unit_price=1.0),
    ]
    lake.append_events(rows("events", *given), batch="b")
    past, items, _ = night(lake)
    assert items["price"].to_pylist() == [2.5, 7.5, None]
    assert past.catalogue.price.tolist()[:2] == [2.5, 7.5]
    assert np.isnan(past.catalogue.price[2])


def test_what_is_out_of_stock_or_not_yet_there_cannot_be_sold(lake: Lake) -> None:
    listed = [
        {"item_id": "a", "stock": 0},
        {"item_id": "b", "stock": 3, "available_from": NOW},
        {"item_id": "c", "available_from": NOW + timedelta(seconds=1)},
        {"item_id": "d"},
    ]
    lake.upsert("items", rows("items", *listed), batch="i")
    assert features.item_table(lake, NOW)["sellable"].to_pylist() == [False, True, False, True]


def test_items_come_in_the_order_of_their_ids_each_once(lake: Lake) -> None:
    ids = ["ä", "Z", "a", "10", "9", "é"]
    lake.upsert("items", rows("items", *({"item_id": i} for i in ids[:4])), batch="i")
    given = [event(n, item_id=i) for n, i in enumerate([*ids, *ids])]
    lake.append_events(rows("events", *given), batch="b")
    past, items, _ = night(lake)
    assert items["item_id"].to_pylist() == sorted(ids)
    assert np.bincount(past.item).tolist() == [2] * 6


def test_names_and_texts_make_items_alike_and_a_bare_id_says_nothing(lake: Lake) -> None:
    listed = [
        {"item_id": "a1", "name": "딸기우유", "text": "신선한 우유"},
        {"item_id": "a2", "name": "초코우유"},
        {"item_id": "a3", "name": "러닝화", "text": "달리기 신발"},
        {"item_id": "a4"},
    ]
    lake.upsert("items", rows("items", *listed), batch="i")
    past, items, _ = night(lake)
    assert items["text"].to_pylist() == ["신선한 우유", None, "달리기 신발", None]
    like = past.catalogue.content @ past.catalogue.content.T
    assert like[0, 1] > like[0, 2] + 0.1
    assert not past.catalogue.content[3].any()


def test_profile_features_are_words_and_whole_numbers(lake: Lake) -> None:
    attributes = [
        {"age": "40-64", "children": 2, "member": True, "score": 0.37, "tags": ["x"], "note": None},
        {"age": "65+", "children": 2},
    ]
    given = [
        {"customer_id": name, "attributes": json.dumps(a)}
        for name, a in zip(["ann", "bob"], attributes, strict=True)
    ]
    lake.upsert("customers", rows("customers", *given, {"customer_id": "cy"}), batch="c")
    past, _, _ = night(lake)
    found = {
        (str(past.customers[c]), str(past.profile_names[f]))
        for c, f in zip(past.profile_customer, past.profile_feature, strict=True)
    }
    assert found == {
        ("ann", "age=40-64"), ("bob", "age=65+"), ("ann", "children=2"), ("bob", "children=2"),
        ("ann", "member=True"),
    }  # fmt: skip


def test_an_attribute_that_is_different_for_everybody_is_no_feature(lake: Lake) -> None:
    given = [
        {"customer_id": f"c{n:03d}", "attributes": json.dumps({"phone": n, "sex": "f"})}
        for n in range(features.PROFILE_VALUES + 1)
    ]
    lake.upsert("customers", rows("customers", *given), batch="c")
    assert night(lake)[0].profile_names.tolist() == ["sex=f"]


def test_bad_input_an_empty_lake_is_an_empty_history(lake: Lake) -> None:
    past, items, _ = night(lake)
    assert (past.n_customers, past.catalogue.n_items, len(past.hour)) == (0, 0, 0)
    assert items.num_rows == 0
    assert [past.catalogue.size(level) for level in LEVELS] == [0, 0, 0]


def test_bad_input_purchases_without_any_item_list_make_items_of_themselves(lake: Lake) -> None:
    lake.append_events(rows("events", event(1), event(2, item_id=None)), batch="b")
    past, _, _ = night(lake)
    assert sorted(past.item.tolist()) == [-1, 0]
    assert past.catalogue.of_item["brand"].tolist() == [-1]


def test_bad_input_events_of_people_nobody_knows_are_left_out(lake: Lake) -> None:
    lake.append_events(rows("events", event(1)), batch="b")
    _, items, people = night(lake)
    stranger = event(2, identifier="lee")
    lake.append_events(rows("events", stranger, event(3, item_id="cake")), batch="later")
    past = features.from_events(lake.events(before=NOW), people, items)
    assert past.customers.tolist() == ["kim"]
    assert sorted(past.item.tolist()) == [-1, 0]  # the cake is of the known items none


def test_bad_input_attributes_that_are_no_object_say_nothing(lake: Lake) -> None:
    given = [{"customer_id": "ann", "attributes": "[1, 2]"}, {"customer_id": "b", "attributes": ""}]
    lake.upsert("customers", rows("customers", *given), batch="c")
    assert night(lake)[0].profile_names.tolist() == []
