"""Lake and identity → the history that models read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import ibis
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from scoring import columns as c
from scoring import item_text
from scoring.history import BOUGHT, CLICKED, ENGAGED, Catalogue, History, Ints
from scoring.identity import Identity
from scoring.item_text import ItemFacts
from scoring.lake import Lake

KINDS = {
    c.PURCHASE: BOUGHT,
    "view": ENGAGED,
    "cart": ENGAGED,
    "search": ENGAGED,
    "interest": ENGAGED,
    "click": CLICKED,
}
PRICE_DAYS = 91  # an item without a list price gets the mean price paid in so many days
PROFILE_VALUES = 50  # an attribute with more distinct values is no profile feature


def item_table(lake: Lake, now: datetime) -> pa.Table:
    """All items of the catalogue and of the purchases before ``now``, ordered by item_id.

    Columns item_id, name, brand, category, price, margin, url, image_url, text, stock, tags,
    available_from, sellable, list_price, listed. An item that only purchases name (``listed`` is
    false) has its id as name; an unknown price is the mean price lately paid, which
    ``list_price`` leaves out.
    """
    items = lake.items()
    items = items.mutate(listed=True, list_price=items[c.PRICE])
    bought = lake.events(before=now).filter(ibis._[c.EVENT_TYPE] == c.PURCHASE)
    bought = bought.filter(bought[c.ITEM_ID].notnull())
    ids = items.select(c.ITEM_ID).union(bought.select(c.ITEM_ID), distinct=True)
    recent = bought.filter(bought[c.OCCURRED_AT] >= now - timedelta(days=PRICE_DAYS))
    paid = recent.group_by(c.ITEM_ID).agg(
        total=(recent[c.UNIT_PRICE] * 1000).round(0).cast("int64").sum(),
        lines=recent[c.UNIT_PRICE].count(),
    )
    every = ids.left_join(items, c.ITEM_ID).drop(f"{c.ITEM_ID}_right")
    every = every.left_join(paid, c.ITEM_ID).drop(f"{c.ITEM_ID}_right")
    in_stock = every[c.STOCK].fill_null(1) > 0
    out = every.filter(every[c.AVAILABLE_FROM].isnull() | (every[c.AVAILABLE_FROM] <= now))
    available = out.select(c.ITEM_ID).mutate(available=True)
    # less than a cent is no price: what is sold by the drop or given away
    mean = (every.total / every.lines.nullif(0) / 1000.0).round(2).nullif(0)
    every = every.mutate(
        **{c.NAME: every[c.NAME].fill_null(every[c.ITEM_ID])},
        **{c.PRICE: every[c.PRICE].fill_null(mean)},
        in_stock=in_stock,
        listed=every.listed.fill_null(False),
    )
    every = every.left_join(available, c.ITEM_ID).drop(f"{c.ITEM_ID}_right")
    every = every.mutate(sellable=every.in_stock & every.available.fill_null(False))
    names = (
        c.ITEM_ID, c.NAME, c.BRAND, c.CATEGORY, c.PRICE, c.MARGIN, c.URL, c.IMAGE_URL, c.TEXT,
        c.STOCK, c.TAGS, c.AVAILABLE_FROM, c.SELLABLE, "list_price", "listed",
    )  # fmt: skip
    return every.select(*names).order_by(c.ITEM_ID).to_pyarrow()


def build(lake: Lake, identity: Identity, items: pa.Table, now: datetime) -> History:
    """Everything before ``now``, numbered. ``items`` as ``item_table`` gives it."""
    history = from_events(lake.events(before=now), identity, items)
    return replace(history, catalogue=with_content(history.catalogue, items))


def with_content(catalogue: Catalogue, items: pa.Table) -> Catalogue:
    """The catalogue with what its items are. ``items`` as ``item_table`` gives it."""
    ids, names, texts = (items[name].to_pylist() for name in (c.ITEM_ID, c.NAME, c.TEXT))
    facts = ItemFacts(
        # a name that is but the id says nothing
        text=[
            " ".join(part for part in (name if name != item_id else None, text) if part)
            for item_id, name, text in zip(ids, names, texts, strict=True)
        ],
        brand=items[c.BRAND].to_pylist(),
        category=items[c.CATEGORY].to_pylist(),
        price=catalogue.price,
    )
    vectors = item_text.vectors(facts)
    return replace(
        catalogue,
        content=vectors,
        content_centres=item_text.centres(vectors),
        content_kind=item_text.kinds(vectors),
        name_kind=item_text.named_kinds(names, catalogue.of_item["category"]),
    )


def from_events(events: ibis.Table, identity: Identity, items: pa.Table) -> History:
    """The history of any events; those of unknown identifiers or items lose just that."""
    customers = identity.customers[c.CUSTOMER_ID]
    rows = _numbered(events, identity, items)
    order = np.lexsort((rows["kind"], rows["item"], rows["customer"], rows["hour"]))
    names, profile_customer, profile_feature = _profile(identity.customers)
    return History(
        customers=_strings(customers),
        customer=rows["customer"][order],
        item=rows["item"][order],
        hour=rows["hour"][order],
        kind=rows["kind"][order].astype(np.int8),
        catalogue=_catalogue(items),
        profile_names=names,
        profile_customer=profile_customer,
        profile_feature=profile_feature,
    )


def _numbered(
    events: ibis.Table, identity: Identity, items: pa.Table
) -> dict[str, NDArray[np.int32]]:
    """customer, item, hour and kind of each relevant event, as int32 columns."""
    people = identity.identifiers
    number = pc.index_in(people[c.CUSTOMER_ID], value_set=identity.customers[c.CUSTOMER_ID])
    people = people.select([c.IDENTIFIER_KIND, c.IDENTIFIER]).append_column("customer", number)
    numbers = pa.table(
        {c.ITEM_ID: items[c.ITEM_ID], "item": pa.array(np.arange(len(items)), pa.int32())}
    )
    kinds = pa.table(
        {
            c.EVENT_TYPE: pa.array(list(KINDS), pa.string()),
            "kind": pa.array(list(KINDS.values()), pa.int32()),
        }
    )
    joined = (
        events.select(
            c.IDENTIFIER_KIND,
            c.IDENTIFIER,
            c.EVENT_TYPE,
            c.ITEM_ID,
            hour=(events[c.OCCURRED_AT].epoch_seconds() // 3600).cast("int32"),
        )
        .inner_join(ibis.memtable(kinds), c.EVENT_TYPE)
        .inner_join(ibis.memtable(people), [c.IDENTIFIER_KIND, c.IDENTIFIER])
        .left_join(ibis.memtable(numbers), c.ITEM_ID)
    )
    table = joined.select(
        "customer", "hour", "kind", item=joined["item"].fill_null(-1)
    ).to_pyarrow()
    return {
        name: table[name].to_numpy().astype(np.int32, copy=False)
        for name in ("customer", "item", "hour", "kind")
    }


def _catalogue(items: pa.Table) -> Catalogue:
    names = {"item": _strings(items[c.ITEM_ID])}
    of_item = {"item": np.arange(len(items), dtype=np.int32)}
    for level in (c.BRAND, c.CATEGORY):
        column = items[level].combine_chunks()
        distinct = pc.unique(column).drop_null()
        distinct = distinct.take(pc.sort_indices(distinct))
        names[level] = _strings(distinct)
        index = pc.fill_null(pc.index_in(column, value_set=distinct), -1)
        of_item[level] = index.to_numpy(zero_copy_only=False).astype(np.int32)
    price = items[c.PRICE].cast(pa.float32()).to_numpy().astype(np.float32)
    sellable = items["sellable"].to_numpy().astype(bool)
    return Catalogue(names, of_item, price, sellable)


def _profile(customers: pa.Table) -> tuple[NDArray[np.str_], Ints, Ints]:
    """Profile features: each (attribute = value) with few distinct values, from the JSON column."""
    found: dict[str, dict[str, list[int]]] = {}
    for row, text in enumerate(customers[c.ATTRIBUTES].to_pylist()):
        document = orjson.loads(text) if text else {}
        for key, value in document.items() if isinstance(document, dict) else ():
            if isinstance(value, str | bool | int):
                found.setdefault(key, {}).setdefault(str(value), []).append(row)
    names: list[str] = []
    customer: list[int] = []
    feature: list[int] = []
    for key in sorted(found):
        if len(found[key]) > PROFILE_VALUES:
            continue
        for value in sorted(found[key]):
            rows = found[key][value]
            customer.extend(rows)
            feature.extend([len(names)] * len(rows))
            names.append(f"{key}={value}")
    return (
        np.array(names, dtype=np.str_),
        np.array(customer, dtype=np.int32),
        np.array(feature, dtype=np.int32),
    )


def _strings(column: pa.Array | pa.ChunkedArray) -> NDArray[np.str_]:
    return np.array(column.to_pylist(), dtype=np.str_)
