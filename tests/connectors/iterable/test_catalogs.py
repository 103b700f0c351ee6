"""Catalogs against the double."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.errors import Reject, Stop
from connectors.iterable.connector import Iterable, connect
from connectors.sandbox.client import Sandbox
from tests.connectors.doubles import KEY

FIELDS = {"name": "string", "price": "number"}


@pytest.fixture
def tool(url: str) -> Iterator[Iterable]:
    tool = connect(f"{url}/tools/iterable", {"api_key": KEY})
    yield tool
    tool.close()


@pytest.fixture
def iterable(url: str) -> Iterator[Sandbox]:
    client = Sandbox(url, KEY, "iterable")
    yield client
    client.close()


def change(tool: Iterable, **items: dict[str, Any] | None) -> None:
    target = tool.catalog("shop")
    for item_id, item in items.items():
        encoded = target.encode(item_id, {"item": item})
        target.write(encoded.lane, [encoded.body])


def test_items_come_change_and_go(tool: Iterable, iterable: Sandbox) -> None:
    tool.declare_catalog("shop", FIELDS)
    change(tool, a={"name": "Tea", "price": 2.5}, b={"name": "Milk", "price": 1.5})
    change(tool, a={"name": "Green tea"}, b=None)
    assert iterable.catalog("shop") == {"a": {"name": "Green tea"}}


def test_declaring_twice_adds_only_what_is_missing(tool: Iterable, iterable: Sandbox) -> None:
    for fields in (FIELDS, FIELDS, {**FIELDS, "sellable": "boolean"}):
        tool.declare_catalog("shop", fields)
    methods = [call["method"] for call in reversed(iterable.calls()) if "/shop" in call["target"]]
    assert methods == ["GET", "POST", "PUT", "GET", "GET", "PUT"]


def test_a_field_of_another_type_is_named(tool: Iterable) -> None:
    tool.declare_catalog("shop", FIELDS)
    with pytest.raises(Stop, match="field price of catalog shop is a double, not a string"):
        tool.declare_catalog("shop", {"price": "string"})


@pytest.mark.parametrize("item_id", ["", "a_b", "a b", "a/b", "é", "x" * 256])
def test_bad_input_an_item_id_that_iterable_cannot_hold(tool: Iterable, item_id: str) -> None:
    with pytest.raises(Reject, match="an item id has"):
        tool.catalog("shop").encode(item_id, {"item": {}})


def test_bad_input_a_field_with_a_period(tool: Iterable) -> None:
    with pytest.raises(Reject, match="period"):
        tool.catalog("shop").encode("a", {"item": {"a.b": 1}})


@pytest.mark.parametrize("name", ["", "../users", "a b"])
def test_bad_input_a_catalog_whose_name_is_another_path(tool: Iterable, name: str) -> None:
    with pytest.raises(Stop, match="name of a catalog"):
        tool.declare_catalog(name, FIELDS)
