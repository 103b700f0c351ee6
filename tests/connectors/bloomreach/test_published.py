"""Every request that the connector sends is one that Bloomreach publishes (see published.json)."""

from __future__ import annotations

from connectors import delivery
from tests.connectors.doubles import Double
from tests.connectors.watching import Published


def test_all_that_the_connector_can_do_is_published(crm: Double, published: Published) -> None:
    crm.customers(60)
    assert crm.sync().accepted == 60
    crm.customers(59)
    crm.sync()
    assert delivery.check(crm.connection) is None
    assert published.unmade == set()


def test_customers_whose_id_bloomreach_does_not_take_are_left_out(crm: Double) -> None:
    crm.desired = {who: {"purchase_probability": 0.5} for who in ("c1", "null", "undefined", "--")}
    report = crm.sync()
    assert (report.accepted, report.unaddressable, report.rejected) == (1, 3, {})
    assert set(crm.held()) == {"c1"}
