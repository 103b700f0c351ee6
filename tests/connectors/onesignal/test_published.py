"""Every request that the connector sends is one that OneSignal publishes (see published.json)."""

from __future__ import annotations

from connectors import delivery
from connectors.tool import Recipient, Tool
from tests.connectors.doubles import Double
from tests.connectors.onesignal.people import subscribe
from tests.connectors.watching import Published

TEMPLATE = "be4a8044-bbd6-11e4-a581-000c2940e62c"


def test_all_that_the_connector_can_do_is_published(
    crm: Double, tool: Tool, published: Published
) -> None:
    crm.customers(3)
    crm.sync()
    crm.customers(2)
    crm.sync()
    crm.push(["c000", "c/1 2"])
    crm.push(["c/1 2"], name="New name")
    assert delivery.check(crm.connection) is None
    subscribe(crm, "c000", "s1")
    tool.identify([("device_id", "d1", "c001"), ("email_hash", "f", "c001")])
    tool.merge([("c000", "c001")])
    tool.erase(["c001"])
    tool.trigger(TEMPLATE, [Recipient("c001", {"x": 1})])
    assert published.unmade == set()
