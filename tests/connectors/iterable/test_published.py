"""Every request that the connector sends, and its double takes, is one that Iterable publishes."""

from __future__ import annotations

from connectors import delivery
from connectors.tool import Recipient, Tool
from tests.connectors.doubles import Double
from tests.connectors.watching import Published


def test_all_that_the_connector_can_do_is_published(
    crm: Double, tool: Tool, published: Published
) -> None:
    crm.customers(1_100)
    crm.sync()
    crm.customers(1_050)
    crm.sync()
    crm.push([f"c{n:03}" for n in range(1_050)])
    crm.push([f"c{n:03}" for n in range(40, 1_060)])
    assert delivery.check(crm.connection) is None
    tool.trigger("12", [Recipient("c001", {"offer": "x"})])
    tool.trigger("journey:7", [Recipient("c001", {"offer": "x"})])
    tool.declare_catalog("items", {"name": "string", "price": "number"})
    for item in ({"name": "Tea", "price": 2.5}, None):
        change = tool.catalog("items").encode("i1", {"item": item})
        tool.catalog("items").write(change.lane, [change.body])
    tool.merge([("c001", "c002")])
    tool.erase(["c002"])
    assert published.unmade == set()
