"""What customers lately looked at without buying it, and which messages they got.

Both are told of every customer in the snapshot, for send time: what came back or became cheaper is
news to who watched it, and who got many messages gets no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from scoring import columns as c
from scoring.identity import Identity
from scoring.lake import Lake
from settings.memory import MOST_SENT, MOST_WATCHED, SENT_DAYS, WATCHED_DAYS

WATCHING = ("view", "interest", "cart")  # the later ones say more
UNKNOWN_CHANNEL = "unknown"
_S_A_DAY = 86_400


@dataclass(frozen=True)
class Behaviour:
    """Rows ordered by customer, newest first. ``watched``: customer, item (int32, numbers of the
    history), event (uint32, place in EVENT_TYPES), day (uint32), price (float64, NaN unknown);
    ``sent``: customer, channel, day."""

    watched: pa.Table
    sent: pa.Table

    @classmethod
    def of(cls, lake: Lake, identity: Identity, items: pa.Table, now: datetime) -> Self:
        """Before ``now``; ``items`` as features.item_table gives them."""
        people = ibis.memtable(numbered_people(identity))
        events = lake.events(before=now, since=now - timedelta(days=WATCHED_DAYS))
        sent = lake.events(before=now, since=now - timedelta(days=SENT_DAYS))
        return cls(_watched(events, people, items), _sent(sent, people))

    def save(self, folder: Path) -> None:
        pq.write_table(self.watched, folder / "watched.parquet")
        pq.write_table(self.sent, folder / "sent.parquet")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """What ``save`` wrote."""
        return cls(*(pq.read_table(folder / f"{name}.parquet") for name in ("watched", "sent")))


def numbered_people(identity: Identity) -> pa.Table:
    """identifier_kind, identifier, customer (int32, place in ``identity.customers``)."""
    people = identity.identifiers
    number = pc.index_in(people[c.CUSTOMER_ID], value_set=identity.customers[c.CUSTOMER_ID])
    return people.select([c.IDENTIFIER_KIND, c.IDENTIFIER]).append_column("customer", number)


def _watched(events: ibis.Table, people: ibis.Table, items: pa.Table) -> pa.Table:
    """The newest MOST_WATCHED of what each customer watches."""
    numbers = ibis.memtable(
        pa.table({c.ITEM_ID: items[c.ITEM_ID], "item": pa.array(np.arange(len(items)), pa.int32())})
    )
    known = events.filter(events[c.EVENT_TYPE].isin([*WATCHING, c.PURCHASE]))
    known = known.inner_join(people, [c.IDENTIFIER_KIND, c.IDENTIFIER])
    rows = _strongest(_last_times(known.inner_join(numbers, c.ITEM_ID)))
    newest = [rows["at"].desc(), rows["item"]]
    place = ibis.row_number().over(group_by=rows.customer, order_by=newest)
    rows = rows.mutate(place=place).filter(ibis._.place < MOST_WATCHED)
    found = rows.order_by("customer", "place").to_pyarrow()
    return pa.table({
        "customer": found["customer"].cast(pa.int32()),
        "item": found["item"].cast(pa.int32()),
        "event": found["event"].cast(pa.uint32()),
        "day": found["day"].cast(pa.uint32()),
        "price": pc.fill_null(found["price"].cast(pa.float64()), np.nan),
    })  # fmt: skip


def _last_times(events: ibis.Table) -> ibis.Table:
    """One row a customer and item: when it was last bought, and when and at which price last
    watched in each way; a cart from which it was taken is none."""
    at, kind = events[c.OCCURRED_AT], events[c.EVENT_TYPE]
    out = (kind == "cart") & (events[c.QUANTITY].fill_null(1) <= 0)
    seen = {"bought_at": at.max(where=(kind == c.PURCHASE)), "out_at": at.max(where=out)}
    newest = at.cast("string") + events[c.EVENT_ID]  # of one moment always the same one
    for name in WATCHING:
        watching = (kind == name) & ~out
        seen[f"{name}_at"] = at.max(where=watching)
        seen[f"{name}_price"] = events[c.UNIT_PRICE].argmax(newest, where=watching)
    rows = events.group_by("customer", "item").agg(**seen)
    inside = rows.out_at.isnull() | (rows.out_at < rows.cart_at)
    return rows.mutate(cart_at=inside.ifelse(rows.cart_at, ibis.null()))


def _strongest(rows: ibis.Table) -> ibis.Table:
    """customer, item, event, at, day, price of what says most and was not followed by a
    purchase."""
    still = {
        name: rows[f"{name}_at"].notnull()
        & (rows.bought_at.isnull() | (rows.bought_at < rows[f"{name}_at"]))
        for name in reversed(WATCHING)
    }
    chosen = rows.select(
        "customer",
        "item",
        event=_first(still, {name: c.EVENT_TYPES.index(name) for name in still}),
        at=_first(still, {name: rows[f"{name}_at"] for name in still}),
        price=_first(still, {name: rows[f"{name}_price"] for name in still}),
    )
    chosen = chosen.filter(chosen["at"].notnull())
    return chosen.mutate(day=chosen["at"].epoch_seconds() // _S_A_DAY)


def _first(tests: dict[str, ibis.Value], values: dict[str, ibis.Value | int]) -> ibis.Value:
    """The value of the first name whose test is true."""
    return ibis.cases(*((test, values[name]) for name, test in tests.items()))


def _sent(events: ibis.Table, people: ibis.Table) -> pa.Table:
    sent = events.filter(events[c.EVENT_TYPE] == c.MESSAGE_SENT)
    sent = sent.inner_join(people, [c.IDENTIFIER_KIND, c.IDENTIFIER])
    at = sent[c.OCCURRED_AT]
    place = ibis.row_number().over(
        group_by=sent.customer, order_by=[at.desc(), sent[c.CHANNEL], sent[c.EVENT_ID]]
    )
    rows = sent.mutate(place=place, day=at.epoch_seconds() // _S_A_DAY)
    rows = rows.filter(rows.place < MOST_SENT).order_by("customer", "place")
    found = rows.select(
        "customer", "day", channel=rows[c.CHANNEL].fill_null(UNKNOWN_CHANNEL)
    ).to_pyarrow()
    return pa.table({
        "customer": found["customer"].cast(pa.int32()),
        "channel": found["channel"],
        "day": found["day"].cast(pa.uint32()),
    })  # fmt: skip
