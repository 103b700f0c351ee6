"""Which category sells best: what the demo's campaign is about."""

from __future__ import annotations

from rightsend.context import Context
from rightsend.errors import RightsendError
from scoring import columns as c
from scoring.lake import Lake
from settings.workspace import WorkspaceSettings


def best_selling_category(context: Context, workspace: WorkspaceSettings) -> str:
    """The category that the most customers bought from so far; of equals the first by name."""
    lake = Lake(context.workspace_dir(workspace) / "lake")
    items = lake.items()
    items = items.filter(items[c.CATEGORY].notnull()).select(c.ITEM_ID, c.CATEGORY)
    events = lake.events(before=context.now(workspace))
    bought = events.filter(events[c.EVENT_TYPE] == c.PURCHASE).select(c.ITEM_ID, c.IDENTIFIER)
    joined = bought.join(items, c.ITEM_ID)
    counts = joined.group_by(c.CATEGORY).agg(customers=joined[c.IDENTIFIER].nunique())
    rows = counts.order_by([counts.customers.desc(), counts[c.CATEGORY]]).limit(1)
    found = rows.to_pyarrow().to_pylist()
    if not found:
        raise RightsendError("no purchase of an item with a category is known yet")
    return str(found[0][c.CATEGORY])
