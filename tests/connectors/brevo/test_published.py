"""Every request that the connector sends is one that Brevo publishes (see published.json)."""

from __future__ import annotations

from connectors import delivery
from tests.connectors.doubles import Double
from tests.connectors.watching import Published

ANNA, BEN = "anna@shop.example", "ben+1@shop.example"
SCORES = {"purchase_probability": 0.5, "top_items": ["a", "b"]}


def test_all_that_the_connector_can_do_is_published(crm: Double, published: Published) -> None:
    assert delivery.check(crm.connection) is None
    crm.desired = {ANNA: SCORES, BEN: SCORES}
    assert crm.sync().accepted == 2
    crm.desired = {ANNA: SCORES}
    crm.sync()
    assert crm.held() == {ANNA: {"RS_PROB": 0.5, "RS_ITEMS": "a,b"}}
    assert published.unmade == set()


def test_customers_whose_id_is_no_address_are_counted_and_left_out(crm: Double) -> None:
    crm.desired = {ANNA: SCORES, "c1": SCORES}
    report = crm.sync()
    assert (report.accepted, report.unaddressable, report.rejected) == (1, 1, {})


def test_who_is_no_contact_costs_nobody_else(crm: Double) -> None:
    crm.desired = {ANNA: SCORES, "eve@nobody.example": SCORES, BEN: SCORES}
    report = crm.sync()
    assert (report.accepted, sum(report.rejected.values())) == (2, 1)
    assert set(crm.held()) == {ANNA, BEN}
