"""Every request that the connector sends is one that Customer.io publishes (see published.json)."""

from __future__ import annotations

import json
from pathlib import Path

from connectors import delivery
from connectors.tool import Recipient, Tool
from tests.connectors.doubles import Double
from tests.connectors.published import Published

DESCRIBED = json.loads((Path(__file__).parent / "published.json").read_text())["calls"]


def test_all_that_the_connector_can_do_is_published(
    double: Double, tool: Tool, published: Published
) -> None:
    double.customers(250)
    double.sync()
    double.customers(200)
    double.sync()
    double.push(["c000", "c001"])
    double.push(["c001", "c002"])
    assert delivery.check(double.connection) is None
    tool.identify([("device_id", "d1", "c001"), ("external_id", "c002", "c001")])
    tool.merge([("c003", "c004")])
    tool.erase(["c005"])
    tool.trigger("7", [Recipient("c001", {"x": 1})])
    assert list(tool.audience("1")) == ["c001", "c002"]
    assert published.calls == set(DESCRIBED)


def test_people_are_not_created_unless_asked_for(double: Double) -> None:
    double.customers(3)
    report = double.with_options(update_existing_only=True).sync()
    assert (report.accepted, double.held()) == (3, {})
