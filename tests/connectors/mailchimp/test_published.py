"""Every request that the connector sends is one that Mailchimp publishes (see published.json)."""

from __future__ import annotations

from connectors import delivery
from tests.connectors.doubles import Double
from tests.connectors.watching import Published

ANNA, BEN = "anna@shop.example", "ben+1@shop.example"
SCORES = {"purchase_probability": 0.5, "top_items": ["a", "b"]}


def test_all_that_the_connector_can_do_is_published(crm: Double, published: Published) -> None:
    assert delivery.check(crm.connection) is None
    crm.desired = {ANNA: SCORES, BEN: SCORES}
    crm.sync()
    crm.desired = {ANNA: SCORES}
    crm.sync()
    crm.push([ANNA, BEN])
    crm.push([BEN], name="New name")
    assert crm.tool.members("seg-1") == [BEN]
    assert published.unmade == set()


def test_a_long_name_is_cut_and_the_segment_found_again(crm: Double) -> None:
    crm.desired = {ANNA: SCORES}
    crm.sync()
    crm.push([ANNA], name="Likely buyers " * 20)
    crm.push([])
    assert crm.tool.members("seg-1") == []


def test_customers_whose_id_is_no_address_are_counted_and_left_out(crm: Double) -> None:
    crm.desired = {ANNA: SCORES, "c1": SCORES}
    report = crm.sync()
    assert (report.accepted, report.unaddressable, report.rejected) == (1, 1, {})


def test_only_contacts_that_exist_are_written_unless_told_otherwise(crm: Double) -> None:
    crm.desired = {ANNA: SCORES}
    report = crm.with_options(update_existing_only=True).sync()
    assert (report.accepted, sum(report.rejected.values())) == (0, 1)
    assert crm.held() == {}
