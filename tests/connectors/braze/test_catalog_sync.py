"""The catalog follows the shop's, whatever Braze does."""

from __future__ import annotations

from typing import Any

import pytest

from connectors import delivery
from connectors.delivery import SyncReport
from tests.connectors.braze.conftest import Braze

FIELDS = {"name": "string", "price": "number", "sellable": "boolean"}
CATALOG = "products"


def shop(count: int) -> dict[str, dict[str, Any]]:
    return {
        f"item-{n:03}": {"name": f"No. {n}", "price": n + 0.5, "sellable": True}
        for n in range(count)
    }


def sync(braze: Braze, items: dict[str, dict[str, Any]], **options: Any) -> SyncReport:
    given = {"name": CATALOG, "fields": FIELDS, "runtime": braze.time.runtime(), **options}
    return delivery.sync_catalog(
        braze.connection, items.items(), state_path=braze.state_path, **given
    )


def test_the_first_sync_makes_the_catalog_with_all_items(braze: Braze) -> None:
    report = sync(braze, shop(120))
    assert braze.tool.catalog(CATALOG) == shop(120)
    assert (report.profiles, report.accepted) == (120, 120)
    assert report.finished


def test_an_unchanged_catalog_sends_nothing(braze: Braze) -> None:
    sync(braze, shop(3))
    assert sync(braze, shop(3)).requests == 0


def test_items_come_change_and_go(braze: Braze) -> None:
    items = shop(5)
    sync(braze, items)
    items["item-001"] = {"name": "No. 1", "price": 9.0, "sellable": False}
    items["new"] = {"name": "New", "price": 1.0, "sellable": True}
    del items["item-002"]
    report = sync(braze, items)
    assert braze.tool.catalog(CATALOG) == items
    assert report.changed == 3


def test_a_value_that_is_known_no_more_goes_from_the_item(braze: Braze) -> None:
    items = shop(2)
    sync(braze, items)
    items["item-000"].pop("price")
    sync(braze, items)
    assert braze.tool.catalog(CATALOG) == items


def test_an_item_that_left_and_came_back_is_there(braze: Braze) -> None:
    for items in (shop(2), shop(1), shop(2)):
        sync(braze, items)
    assert braze.tool.catalog(CATALOG) == shop(2)


def test_a_new_field_is_added_to_the_catalog(braze: Braze) -> None:
    sync(braze, shop(2))
    items = {item_id: {**item, "brand": "B"} for item_id, item in shop(2).items()}
    sync(braze, items, fields={**FIELDS, "brand": "string"})
    assert braze.tool.catalog(CATALOG) == items


def test_a_dry_run_makes_nothing(braze: Braze) -> None:
    assert sync(braze, shop(60), dry_run=True).requests > 0
    assert braze.tool.catalog(CATALOG) == {}


@pytest.mark.parametrize("item_id", ["a b", "", "ä", "x" * 251, "a.b"])
def test_bad_input_an_item_that_cannot_be_kept_does_not_cost_the_others(
    braze: Braze, item_id: str
) -> None:
    report = sync(braze, {**shop(2), item_id: {"name": "Bad"}})
    assert braze.tool.catalog(CATALOG) == shop(2)
    assert sum(report.rejected.values()) == 1
    assert sync(braze, {**shop(2), item_id: {"name": "Bad"}}).requests == 0


def test_bad_input_a_refused_item_does_not_cost_the_others(braze: Braze) -> None:
    braze.tool.turn(blocked=["item-007"])
    report = sync(braze, shop(50))
    assert set(braze.tool.catalog(CATALOG)) == set(shop(50)) - {"item-007"}
    assert sum(report.rejected.values()) == 1


@pytest.mark.parametrize("kind", ["rate_limited", "server_error_after", "reset", "html", "locked"])
def test_a_passing_fault_ends_in_exactly_the_shops_items(braze: Braze, kind: str) -> None:
    sync(braze, shop(60))
    braze.tool.fail(kind, times=2)
    items = shop(70)
    del items["item-030"]
    sync(braze, items)
    assert braze.tool.catalog(CATALOG) == items


def test_a_catalog_and_the_attributes_do_not_disturb_each_other(braze: Braze) -> None:
    braze.profiles("a", "b")
    sync(braze, shop(3))
    braze.profiles("a", "b")
    assert list(braze.tool.held()) == ["a", "b"]
    assert braze.tool.catalog(CATALOG) == shop(3)
