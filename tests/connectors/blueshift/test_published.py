"""Every request that the connector sends is one that Blueshift publishes (see published.json)."""

from __future__ import annotations

from connectors import delivery
from tests.connectors.doubles import Double
from tests.connectors.watching import Published


def test_all_that_the_connector_can_do_is_published(crm: Double, published: Published) -> None:
    crm.customers(60)
    assert crm.sync().accepted == 60
    crm.customers(59)
    del crm.desired["c000"]["top_items"]
    assert crm.sync().accepted == 2
    assert crm.held()["c000"] == {"rs_probability": 0.5}
    assert crm.held()["c001"] == {"rs_probability": 0.5, "rs_items": "a,b"}
    assert delivery.check(crm.connection) is None
    assert published.unmade == set()


def test_a_customer_whose_id_blueshift_does_not_take_is_quarantined(crm: Double) -> None:
    crm.desired = {who: {"purchase_probability": 0.5} for who in ("c1", "c" * 65)}
    report = crm.sync()
    assert (report.accepted, sum(report.rejected.values())) == (1, 1)
    assert set(crm.held()) == {"c1"}
