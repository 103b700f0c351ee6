"""A customer's answer comes from the published snapshot."""

from scoring.snapshot import Snapshot
from scoring.store.read import Reader


def test_a_published_customer_gets_the_items_of_the_snapshot_in_order(
    published: Snapshot, reader: Reader
) -> None:
    row = published.scores().slice(3, 1).to_pylist()[0]
    reading = reader.read("customer-003")
    assert reading.customer_known
    assert reading.snapshot == published.meta.snapshot
    assert [scored.item.id for scored in reading.items()] == [
        f"item-{index:02d}" for index in row["item_index"]
    ]
