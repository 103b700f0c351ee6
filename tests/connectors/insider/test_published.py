"""Every request that the connector sends is one that Insider publishes (see published.json)."""

from __future__ import annotations

from connectors import delivery
from tests.connectors.doubles import Double
from tests.connectors.watching import Published


def test_all_that_the_connector_can_do_is_published(crm: Double, published: Published) -> None:
    crm.customers(1_100)
    assert crm.sync().accepted == 1_100
    crm.customers(1_099)
    del crm.desired["c000"]["top_items"]
    del crm.desired["c001"]["top_items"]
    crm.desired["c001"]["purchase_probability"] = 0.9
    assert crm.sync().accepted == 3
    assert crm.held() == crm.wanted()
    assert delivery.check(crm.connection) is None
    assert published.unmade == set()


def test_a_list_is_replaced_though_insider_would_append(crm: Double) -> None:
    crm.desired = {"c1": {"top_items": ["a", "b"]}}
    crm.sync()
    crm.desired = {"c1": {"top_items": ["c"]}}
    crm.sync()
    assert crm.held() == {"c1": {"rs_items": ["c"]}}
