"""Every request that the connector sends is one that MoEngage publishes (see published.json)."""

from __future__ import annotations

from connectors import delivery
from connectors.tool import Recipient, Tool
from tests.connectors.doubles import Double
from tests.connectors.watching import Published


def test_all_that_the_connector_can_do_is_published(
    crm: Double, tool: Tool, published: Published
) -> None:
    crm.customers(300)
    crm.sync()
    crm.customers(200)
    crm.sync()
    crm.push(["c000", "c001"])
    crm.push(["c001"])
    assert delivery.check(crm.connection) is None
    tool.identify([("device_id", "d1", "c001"), ("external_id", "c002", "c001")])
    tool.merge([("c003", "c004")])
    tool.erase(["c005"])
    tool.trigger("scored", [Recipient("c001", {"x": 1})])
    assert published.unmade == set()


def test_users_are_not_created_unless_asked_for(crm: Double) -> None:
    crm.customers(3)
    report = crm.with_options(update_existing_only=True).sync()
    assert (report.accepted, crm.held()) == (3, {})
