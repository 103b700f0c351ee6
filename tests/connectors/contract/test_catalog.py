"""What every connector that keeps a catalog must do."""

from __future__ import annotations

from typing import Any

import pytest

from connectors import delivery
from connectors.delivery import Stop, SyncReport
from connectors.tool import Ability
from tests.connectors.double import Double

pytestmark = pytest.mark.needs(Ability.CATALOG, "http")

FIELDS = {"name": "string", "price": "number", "sellable": "boolean", "url": "string"}
CATALOG = "products"
Items = dict[str, dict[str, Any]]


def shop(count: int) -> Items:
    return {
        f"item-{n:03}": {
            "name": f"No. {n}", "price": n + 0.5, "sellable": True, "url": f"https://shop/{n}",
        }
        for n in range(count)
    }  # fmt: skip


def sync(double: Double, items: Items, **options: Any) -> SyncReport:
    given = {"name": CATALOG, "fields": FIELDS, "runtime": double.time.runtime(), **options}
    return delivery.sync_catalog(
        double.connection, items.items(), state_path=double.state_path, **given
    )


def test_the_first_sync_makes_the_catalog_with_all_items(double: Double) -> None:
    report = sync(double, shop(120))
    assert double.tool.catalog(CATALOG) == shop(120)
    assert (report.profiles, report.accepted, report.finished) == (120, 120, True)


def test_an_unchanged_catalog_sends_nothing(double: Double) -> None:
    sync(double, shop(3))
    assert sync(double, shop(3)).requests == 0


def test_items_come_change_and_go(double: Double) -> None:
    items = shop(5)
    sync(double, items)
    items["item-001"] = {**items["item-001"], "price": 9.0, "sellable": False}
    items["new"] = shop(1)["item-000"]
    del items["item-002"]
    report = sync(double, items)
    assert double.tool.catalog(CATALOG) == items
    assert report.changed == 3


def test_an_item_that_left_and_came_back_is_there(double: Double) -> None:
    for items in (shop(2), shop(1), shop(2)):
        sync(double, items)
    assert double.tool.catalog(CATALOG) == shop(2)


def test_a_dry_run_makes_nothing(double: Double) -> None:
    assert sync(double, shop(60), dry_run=True).requests > 0
    assert double.tool.catalog(CATALOG) == {}


@pytest.mark.parametrize(
    "kind", ["rate_limited", "server_error_after", "reset", "html", "locked", "huge", "array"]
)
def test_a_passing_fault_ends_in_exactly_the_shops_items(double: Double, kind: str) -> None:
    sync(double, shop(60))
    double.tool.fail(kind, times=2)
    items = shop(70)
    del items["item-030"]
    report = sync(double, items)
    assert double.tool.catalog(CATALOG) == items
    assert report.rejected == {}


def test_a_refused_key_ends_the_sync_and_the_next_goes_on(double: Double) -> None:
    double.tool.fail("unauthorized", times=5)
    with pytest.raises(Stop):
        sync(double, shop(3))
    double.tool.heal()
    sync(double, shop(3))
    assert double.tool.catalog(CATALOG) == shop(3)


def test_a_catalog_and_the_attributes_do_not_disturb_each_other(double: Double) -> None:
    double.customers(3)
    double.sync()
    sync(double, shop(3))
    assert double.sync().requests == 0
    assert double.held() == double.wanted()


def test_bad_input_an_item_over_the_limit_does_not_cost_the_others(double: Double) -> None:
    items = shop(3)
    items["item-001"]["name"] = "x" * 4_000_000
    assert sum(sync(double, items).rejected.values()) == 1
    assert set(double.tool.catalog(CATALOG)) == {"item-000", "item-002"}
