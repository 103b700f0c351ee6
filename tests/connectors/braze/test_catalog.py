"""Catalogs, where Braze has its own ways."""

from __future__ import annotations

from typing import Any

import pytest

from connectors import delivery
from connectors.braze.catalog import Items
from connectors.delivery import Stop
from connectors.errors import Reject
from connectors.http import Client
from connectors.tool import Encoded
from tests.connectors.braze.conftest import Braze

FIELDS = {"name": "string", "price": "number"}


def encode(item_id: str, item: Any) -> Encoded:
    return Items(Client("http://x"), "products").encode(item_id, {"item": item})


def test_writing_and_removing_travel_apart() -> None:
    assert encode("a", {"price": 1}) == Encoded(b'{"id":"a","price":1}', "PUT")
    assert encode("a", None) == Encoded(b'{"id":"a"}', "DELETE")


@pytest.mark.parametrize("item_id", ["", "a/b", "a b", "x" * 251, "a\n", "가"])
def test_bad_input_an_id_that_braze_cannot_take(item_id: str) -> None:
    with pytest.raises(Reject, match="item id"):
        encode(item_id, {})


def test_bad_input_a_value_that_is_too_long_is_named() -> None:
    assert encode("a", {"name": "x" * 5_000})
    with pytest.raises(Reject, match="name has more than 5000"):
        encode("a", {"name": "x" * 5_001})


def test_bad_input_a_field_of_another_type_stops_and_says_what_to_do(braze: Braze) -> None:
    braze.sync_catalog({}, FIELDS)
    with pytest.raises(Stop, match="field price of catalog products is a number, not a string"):
        braze.sync_catalog({}, {"price": "string"})


def test_bad_input_a_name_that_braze_refuses_stops(braze: Braze) -> None:
    with pytest.raises(Stop, match="name is not valid"):
        delivery.sync_catalog(
            braze.connection, [("a", {})], name="a b", fields=FIELDS, state_path=braze.state_path
        )


def test_fields_that_others_added_stay(braze: Braze) -> None:
    braze.sync_catalog({"a": {"name": "A"}}, {**FIELDS, "colour": "string"})
    braze.sync_catalog({"a": {"name": "B"}}, FIELDS)
    braze.sync_catalog({"a": {"name": "B", "colour": "red"}}, {"colour": "string"})
    assert braze.tool.catalog("products") == {"a": {"name": "B", "colour": "red"}}
