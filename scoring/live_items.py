"""What was said of items between two nights → the lake's items table.

An item that the catalogue lacks but that events name gets a row of its own; one that nobody knows
goes to quarantine, as its id is most likely wrong. The lake has no word for "withdrawn": a
withdrawn item is one out of stock, and one that is on sale again without a stock is not tracked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from scoring import canonical
from scoring import columns as c
from scoring.lake import Lake
from scoring.quarantine import Quarantine, Rejected
from scoring.store.live import LiveItem

SOURCE = "live_items"  # name of this intake in quarantine and reports
UNKNOWN = "unknown_item"
_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class LiveReport:
    """``changed`` rows of the lake; ``unknown`` ids that went to quarantine."""

    changed: int
    unknown: int


def bring(live: Mapping[str, LiveItem], workspace_dir: Path) -> LiveReport:
    """Lays ``live`` (item id → what is said of it) over the lake's items; may be repeated."""
    if not live:
        return LiveReport(0, 0)
    lake = Lake(workspace_dir / "lake")
    with lake.writer():
        items = lake.items()
        rows = items.filter(items[c.ITEM_ID].isin(list(live))).to_pyarrow().to_pylist()
        missing = set(live) - {row[c.ITEM_ID] for row in rows}
        sold = _named_by_events(lake, missing)
        rows += [dict.fromkeys(c.ITEM_COLUMNS) | {c.ITEM_ID: item_id} for item_id in sorted(sold)]
        told = [_laid_over(row, live[row[c.ITEM_ID]]) for row in rows]
        schema = canonical.schema(canonical.ITEMS)
        changed = 0
        if told:
            table = pa.Table.from_pylist(told, schema=schema)
            changed = lake.upsert(canonical.ITEMS, table, batch=SOURCE).added
    unknown = sorted(missing - sold)
    quarantine = Quarantine(workspace_dir / "quarantine", SOURCE)
    quarantine.add((_rejected(item_id, live[item_id]) for item_id in unknown), once=True)
    return LiveReport(changed, len(unknown))


def _named_by_events(lake: Lake, item_ids: set[str]) -> set[str]:
    if not item_ids:
        return set()
    events = lake.events(before=_EVER)
    named = events.filter(events[c.ITEM_ID].isin(sorted(item_ids)))
    found = named.select(c.ITEM_ID).distinct().to_pyarrow()
    return set(found[c.ITEM_ID].to_pylist())


def _laid_over(row: dict[str, Any], live: LiveItem) -> dict[str, Any]:
    row = dict(row)
    if live.price is not None:
        row[c.PRICE] = live.price
    if live.stock is not None:
        row[c.STOCK] = live.stock
    elif live.sellable and row[c.STOCK] == 0:
        row[c.STOCK] = None
    if live.sellable is False:
        row[c.STOCK] = 0
    return row


def _rejected(item_id: str, live: LiveItem) -> Rejected:
    row = json.dumps({c.ITEM_ID: item_id, **live._asdict()}, ensure_ascii=False)
    return Rejected(SOURCE, SOURCE, 0, UNKNOWN, row)
