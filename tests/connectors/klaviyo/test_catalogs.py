"""Catalog items against the double, and refused ones by a script."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import Reject
from connectors.klaviyo.catalogs import Items
from connectors.klaviyo.connector import Klaviyo
from connectors.sandbox.client import Sandbox
from connectors.tool import Outcome, Target
from tests.connectors.klaviyo.scripted import STARTED, api, job, listing

TEA = {"name": "Tea", "brand": "Leaf", "category": "Drinks", "price": 2.5, "url": "https://s/tea"}


def change(target: Target, **items: dict[str, Any] | None) -> Outcome:
    """The outcome of the last lane."""
    lanes: dict[str, list[bytes]] = {}
    for item_id, item in items.items():
        encoded = target.encode(item_id, {"item": item})
        lanes.setdefault(encoded.lane, []).append(encoded.body)
    return [target.write(lane, records) for lane, records in lanes.items()][-1]


def test_new_and_known_items_go_together(tool: Klaviyo, klaviyo: Sandbox) -> None:
    change(tool.catalog("shop"), b=TEA)
    dearer = {**TEA, "price": 3.5}
    outcome = change(tool.catalog("shop"), a=TEA, b=dearer, c=TEA)
    assert (outcome.rejected, outcome.unlocated) == ({}, ())
    assert klaviyo.catalog("shop") == {"a": TEA, "b": dearer, "c": TEA}


def test_what_goes_may_be_gone_already(tool: Klaviyo, klaviyo: Sandbox) -> None:
    change(tool.catalog("shop"), a=TEA, b=TEA)
    outcome = change(tool.catalog("shop"), b=None, nobody=None)
    assert (outcome.rejected, outcome.unlocated) == ({}, ())
    assert klaviyo.catalog("shop") == {"a": TEA}


def test_klaviyos_own_fields_are_filled() -> None:
    body = Items(api(STARTED)).encode("a", {"item": {**TEA, "sellable": False}}).body
    for part in (b'"title":"Tea"', b'"published":false', b'"price":2.5', "Leaf · Drinks".encode()):
        assert part in body


def test_a_refused_item_is_found_among_new_and_known_ones() -> None:
    known = listing({"external_id": "b"})
    error = {"detail": "bad", "source": {"pointer": "/data/attributes/items/data/1/attributes"}}
    made, changed = job("complete", 1, errors=[error]), job("complete", 0, errors=[])
    items = Items(api(known, STARTED, made, STARTED, changed))
    assert change(items, a=TEA, b=TEA, c=TEA).rejected == {2: "bad"}


@pytest.mark.parametrize("errors", [None, "bad", [None], [{"source": {"pointer": "/data"}}]])
def test_bad_input_an_error_that_points_nowhere_is_not_overlooked(errors: Any) -> None:
    items = Items(api(listing(), STARTED, job("complete", 1, errors=errors)))
    outcome = change(items, a=TEA, b=TEA)
    assert (outcome.rejected, len(outcome.unlocated)) == ({}, 1)


@pytest.mark.parametrize("item_id", ["", "a b", "é", "x" * 201])
def test_bad_input_an_item_id_that_is_none(item_id: str) -> None:
    with pytest.raises(Reject, match="an item id has"):
        Items(api(STARTED)).encode(item_id, {"item": TEA})


def test_bad_input_an_item_without_address_is_refused_with_advice() -> None:
    with pytest.raises(Reject, match="catalog_fields"):
        Items(api(STARTED)).encode("a", {"item": {"name": "Tea"}})
