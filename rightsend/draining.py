"""The streams → the lake: real-time events (live items with them) and decisions, durably."""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from rightsend import live_items
from rightsend.context import Context
from scoring.decisions import Decisions
from scoring.importing import import_events
from scoring.lake import Lake
from scoring.store.decisions import FIELD, Block, unpack_block
from scoring.store.errors import RecordError
from scoring.store.keys import Keys
from scoring.store.recent import RecentEvents
from scoring.store.stream import CLAIM_AFTER_S, Entry, Stream
from settings.workspace import WorkspaceSettings

BATCH = 50_000  # a commit; each one asks the whole lake which ids it knows
NO_NEW_BATCH_AFTER_S = 30.0  # the queue has other work, and the clock comes back
SMALL_FILES, SMALL_FILE_BYTES = 64, 1_000_000  # so many of a day become one
BLOCKS = 100  # of decisions, a commit
log = structlog.get_logger("draining")


def drain(
    context: Context,
    workspace: WorkspaceSettings,
    *,
    now_s: Callable[[], float] = time.monotonic,
) -> dict[str, int]:
    """Moves what waits; an event leaves the stream only when it is safely in the lake.

    Killed in between, the next draining takes the same events again and the lake knows them by id.
    """
    events = RecentEvents(context.client(), workspace.workspace, context.secret)
    consumer, until_s = _consumer(), now_s() + NO_NEW_BATCH_AFTER_S
    counts = {"events": 0, "added": 0, "known": 0, "quarantined": 0}
    while now_s() < until_s and (batch := events.drain(consumer, BATCH)):
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
    events.leave(consumer)
    if counts["added"]:
        lake = Lake(context.workspace_dir(workspace) / "lake")
        lake.compact(from_files=SMALL_FILES, under_bytes=SMALL_FILE_BYTES)
    live_items.bring_sometimes(context, workspace)
    return counts


def drain_decisions(
    context: Context,
    workspace: WorkspaceSettings,
    *,
    claim_after_s: float = CLAIM_AFTER_S,
    now_s: Callable[[], float] = time.time,
) -> dict[str, int]:
    """Moves the decisions that wait and tidies their table; what was done, in decisions.

    A block leaves the stream when the lake has it, which knows it if it comes again.
    """
    stream = Stream(context.client(), Keys(workspace.workspace).decisions)
    table = Decisions(context.workspace_dir(workspace))
    counts: Counter[str] = Counter(blocks=0, added=0, known=0, erased=0, unreadable=0)
    consumer = _consumer()
    while entries := stream.take(consumer, BLOCKS, claim_after_s=claim_after_s):
        stored = table.store(_blocks(entries, workspace), at_s=now_s(), secret=context.secret)
        stream.acknowledge([entry.id for entry in entries])
        counts.update(blocks=len(entries), **vars(stored))
    tidy_decisions(context, workspace)
    _, late, lost, _ = table.counts(now_s())
    return {**counts, "late": late, "lost": lost}


def tidy_decisions(context: Context, workspace: WorkspaceSettings) -> dict[str, int]:
    """Removes the days that are not to be kept any longer and joins small files; how many days."""
    table = Decisions(context.workspace_dir(workspace))
    first = context.now(workspace) - timedelta(days=workspace.keep_decisions_days)
    return {"retired_days": table.retire(first.date()), "compacted_days": table.compact()}


def _blocks(entries: Sequence[Entry], workspace: WorkspaceSettings) -> list[Block]:
    blocks = []
    for entry in entries:
        try:
            blocks.append(unpack_block(entry.fields.get(FIELD, b"")))
        except RecordError as problem:  # its decisions show as a gap in their process's count
            log.warning("block left out", workspace=workspace.workspace, why=str(problem))
    return blocks


def _consumer() -> str:
    return f"{socket.gethostname()}.{os.getpid()}"
