"""The event stream → the lake: real-time events on their durable way, and live items with them."""

from __future__ import annotations

import os
import socket

from rightsend import live_items
from rightsend.context import Context
from scoring.importing import import_events
from scoring.store.recent import RecentEvents
from settings.workspace import WorkspaceSettings

BATCH = 5000


def drain(context: Context, workspace: WorkspaceSettings) -> dict[str, int]:
    """Moves what waits; an event leaves the stream only when it is safely in the lake.

    Killed in between, the next draining takes the same events again and the lake knows them by id.
    """
    events = RecentEvents(context.client(), workspace.workspace, context.secret)
    consumer = f"{socket.gethostname()}.{os.getpid()}"
    counts = {"events": 0, "added": 0, "known": 0, "quarantined": 0}
    while batch := events.drain(consumer, BATCH):
        report = import_events(
            [queued.event for queued in batch],
            context.workspace_dir(workspace),
            now=context.now(workspace),
            secret=context.secret,
        )
        events.acknowledge([queued.entry for queued in batch])
        counts["events"] += len(batch)
        counts["added"] += report.rows_added
        counts["known"] += report.rows_known
        counts["quarantined"] += report.rows_quarantined.total()
    live_items.bring_sometimes(context, workspace)
    return counts
