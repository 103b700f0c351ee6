"""Who must not get a campaign: bought it just now, did not agree to ads, got too many messages.

Buyers and messages are read from the lake up to now: what happened since the snapshot counts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from scoring import columns as c
from scoring.history import History
from scoring.lake import Lake
from scoring.segment_request import Exclusions, SegmentError
from settings.workspace import SegmentSettings


def allowed(
    snapshot_folder: Path,
    history: History,
    inside: NDArray[np.bool_],
    rules: Exclusions,
    lake: Lake,
    settings: SegmentSettings,
    now: datetime,
) -> NDArray[np.bool_]:
    """bool[n_customers]: whom no rule excludes. ``inside``: bool[n_items], the target's items.

    Raises SegmentError for a rule that the workspace's settings lack the limits of.
    """
    excluded: set[str] = set()
    if rules.recent_buyer_days is not None:
        items = history.catalogue.names["item"][inside]
        since = now - timedelta(days=rules.recent_buyer_days)
        excluded |= set(_buyers(snapshot_folder, lake, items, since, now))
    if rules.fatigued:
        excluded |= _fatigued(snapshot_folder, lake, settings, now)
    out = ~np.isin(history.customers, sorted(excluded))
    if rules.without_ad_consent:
        profiles = pq.read_table(snapshot_folder / "model" / "customers.parquet")
        consent = profiles.filter(profiles[c.AD_CONSENT])[c.CUSTOMER_ID].to_pylist()
        out &= np.isin(history.customers, consent)
    return out


def _buyers(
    folder: Path, lake: Lake, items: NDArray[np.str_], since: datetime, now: datetime
) -> dict[str, int]:
    """Customers who bought any of the items since then."""
    wanted = ibis.memtable(pa.table({c.ITEM_ID: pa.array(items.tolist(), pa.string())}))
    events = lake.events(before=now, since=since)
    bought = events.filter(events[c.EVENT_TYPE] == c.PURCHASE).semi_join(wanted, c.ITEM_ID)
    return _by_customer(folder, bought)


def _fatigued(folder: Path, lake: Lake, settings: SegmentSettings, now: datetime) -> set[str]:
    """Customers who got max_sends messages in max_sends_days. Raises SegmentError without a cap."""
    if settings.max_sends is None:
        raise SegmentError(
            "exclusion fatigued needs segments.max_sends in the workspace's configuration"
        )
    events = lake.events(before=now, since=now - timedelta(days=settings.max_sends_days))
    sends = _by_customer(folder, events.filter(events[c.EVENT_TYPE] == c.MESSAGE_SENT))
    return {customer for customer, count in sends.items() if count >= settings.max_sends}


def _by_customer(folder: Path, events: ibis.Table) -> dict[str, int]:
    """Events a customer; those of identifiers that the snapshot does not know are nobody's."""
    alias = pq.read_table(folder / "identifiers.parquet")
    keys = zip(alias[c.IDENTIFIER_KIND].to_pylist(), alias[c.IDENTIFIER].to_pylist(), strict=True)
    owner = dict(zip(keys, alias[c.CUSTOMER_ID].to_pylist(), strict=True))
    counts = events.group_by([c.IDENTIFIER_KIND, c.IDENTIFIER]).agg(events=events.count())
    total: dict[str, int] = {}
    for row in counts.to_pyarrow().to_pylist():
        kind, identifier = row[c.IDENTIFIER_KIND], row[c.IDENTIFIER]
        name = owner.get((kind, identifier), identifier if kind == c.EXTERNAL_ID else None)
        if name is not None:
            total[name] = total.get(name, 0) + row["events"]
    return total
