"""The made-up shop is one that can be published, of the size that was asked for, and repeatable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from benchmarks.shop_at_scale import Size, customer_name, item_name, write
from scoring import columns as c
from scoring.snapshot import Snapshot
from scoring.store.client import Client
from scoring.store.publish import Publisher
from scoring.store.read import Reader
from tests.conftest import SECRET

SMALL = Size(customers=300, items=2000, brands=150, categories=30, aliases=50)


def test_every_customer_has_full_lists_of_distinct_entries(tmp_path: Path) -> None:
    scores = write(tmp_path, SMALL).scores()
    for column, most in ((c.ITEM_INDEX, 50), (c.BRAND_INDEX, 100), (c.CATEGORY_INDEX, 20)):
        lists = np.stack(scores[column].to_numpy())
        assert lists.shape == (300, most)
        assert (np.diff(np.sort(lists, axis=1), axis=1) > 0).all()
    assert pc.min(pc.list_value_length(scores[c.DUE_INDEX])).as_py() == 3


def test_the_same_numbers_give_the_same_shop(tmp_path: Path) -> None:
    first, again = (write(tmp_path / name, SMALL).meta.files for name in ("a", "b"))
    assert first == again


def test_it_is_published_and_read(
    tmp_path: Path, redis_client: Client, workspace_dir: Path
) -> None:
    snapshot: Snapshot = write(tmp_path, SMALL)
    publisher = Publisher(redis_client, "scale", SECRET, workspace_dir)
    publisher.publish(snapshot, ttl_s=3600, now=snapshot.meta.cutoff)
    reading = Reader(redis_client, "scale", SECRET).read(customer_name(7))
    assert len(reading.items()) > 40
    assert reading.items(1)[0].reasons
    assert reading.published.item(item_name(3)) is not None
