"""Every request that the connector sends, and its double takes, is one that Klaviyo publishes."""

from __future__ import annotations

from connectors import delivery
from connectors.tool import Tool
from tests.connectors.doubles import Double
from tests.connectors.watching import Published

ITEM = {"name": "Tea", "price": 2.5, "url": "https://shop.example/tea", "sellable": True}


def test_all_that_the_connector_can_do_is_published(
    crm: Double, tool: Tool, published: Published
) -> None:
    crm.tool.turn(blocked=["c009"])
    crm.customers(300)
    crm.sync()
    crm.customers(250)
    crm.sync()
    crm.push([f"c{n:03}" for n in range(1_050)], name="S")
    crm.push([f"c{n:03}" for n in range(40, 1_060)], name="T")
    assert delivery.check(crm.connection) is None
    tool.merge([("c001", "c002"), ("c003", "new")])
    tool.erase(["c002"])
    for item in (ITEM, {**ITEM, "price": None}, None):
        change = tool.catalog("items").encode("i1", {"item": item})
        tool.catalog("items").write(change.lane, [change.body])
    assert published.unmade == set()
