"""Extras and new arrivals on their way from a snapshot's folder to a reader."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from scoring import columns as c
from scoring.snapshot import Snapshot
from scoring.store.extras import Due, Extras, ExtrasNames, Sent, Watched
from scoring.store.read import Reader
from tests.factories import CUTOFF, make_snapshot, tables

Publish = Callable[[Snapshot], str]
DAY = (CUTOFF.date() - CUTOFF.date().replace(1970, 1, 1)).days
TOLD = Extras(
    "Asia/Seoul",
    True,
    {"sms": False},
    (Due(3, DAY + 2, 14),),
    (Watched(29, "cart", DAY - 1, 29.5), Watched(0, "view", DAY - 9, None)),
    (Sent("email", DAY - 1),),
)


def read_extras(reader: Reader, customer: str) -> Extras | None:
    reading = reader.read(customer)
    layout = reading.published
    names = ExtrasNames(tuple(layout.timezones), tuple(layout.channels))
    return reading.record and reading.record.extras(names)


def test_a_reader_finds_the_extras_of_the_customer(
    workspace_dir: Path, publish: Publish, reader: Reader
) -> None:
    publish(make_snapshot(workspace_dir, content=tables(extras=[Extras(), TOLD])))
    catalogue = reader.published().catalogue
    found = read_extras(reader, "customer-001")
    assert found is not None
    ids = [catalogue.item(entry.number).id for entry in (*found.due, *found.watched)]
    assert ids == ["item-03", "item-29", "item-00"]
    assert found._replace(due=(), watched=()) == TOLD._replace(due=(), watched=())
    assert read_extras(reader, "customer-000") == Extras()


def test_new_arrivals_are_published_best_first(
    workspace_dir: Path, publish: Publish, reader: Reader
) -> None:
    arrivals = [(7, 0.5), (28, 0.25)]
    publish(make_snapshot(workspace_dir, content=tables(arrivals=arrivals)))
    published = reader.published()
    told = [(published.catalogue.item(number).id, score) for number, score in published.arrivals]
    assert told == [("item-07", 0.5), ("item-28", 0.25)]


def test_an_item_is_published_with_what_filters_and_reminders_ask_for(
    workspace_dir: Path, publish: Publish, reader: Reader
) -> None:
    content = tables()
    known = {
        c.STOCK: pa.array([None, 0, *range(28)], pa.int64()),
        c.TAGS: pa.array([["vegan", "sale"], *[[]] * 29], pa.list_(pa.string())),
        c.REPEAT_DAYS: pa.array([14, *[0] * 29]),
        c.NEW_SINCE: pa.array([DAY - 3, *[0] * 29]),
        c.BACK_SINCE: pa.array([0, DAY - 1, *[0] * 28]),
        c.PRICE_BEFORE: pa.array([0.75, *[None] * 29], pa.float64()),
    }
    items = content.items
    for name, column in known.items():
        items = items.append_column(name, column)
    publish(make_snapshot(workspace_dir, content=replace(content, items=items)))
    first, second = (reader.published().item(name) for name in ("item-00", "item-01"))
    assert first is not None
    assert second is not None
    assert (first.stock, first.tags, first.repeat_days) == (None, ("vegan", "sale"), 14)
    assert (first.new_since, first.price_before, first.back_since) == (DAY - 3, 0.75, 0)
    assert (second.stock, second.tags, second.repeat_days) == (0, (), 0)
    assert (second.new_since, second.price_before, second.back_since) == (0, None, DAY - 1)


def test_a_snapshot_from_before_there_were_extras_is_published(
    workspace_dir: Path, publish: Publish, reader: Reader
) -> None:
    folder = make_snapshot(workspace_dir, content=tables(extras=[TOLD])).folder
    (folder / "arrivals.parquet").unlink()
    for name, last in (("scores", c.ITEM_REASONS), ("items", c.SELLABLE)):
        table = pq.read_table(folder / f"{name}.parquet")
        kept = table.column_names[: table.column_names.index(last) + 1]
        pq.write_table(table.select(kept), folder / f"{name}.parquet")
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps({**meta, "files": {}}))
    publish(Snapshot.open(folder))
    assert reader.read("customer-000").items(3)
    assert read_extras(reader, "customer-000") == Extras()
    assert reader.published().arrivals == []
