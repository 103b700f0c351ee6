"""Items as they are now: from the store into the lake, and out of the store once a snapshot knows
them."""

from __future__ import annotations

from typing import Any

from rightsend.context import Context
from scoring import live_items
from scoring.live_items import LiveReport
from scoring.store import live
from scoring.store.keys import Keys
from scoring.store.live import changes
from settings.workspace import WorkspaceSettings

# a commit writes the items anew, and the files before are kept for a day
EVERY_S = 900


def bring(context: Context, workspace: WorkspaceSettings) -> LiveReport:
    """Into the lake: what changed since the last time, and every withdrawal, as a source that was
    imported meanwhile may know nothing of it. Killed in between, the next one does the same."""
    client, keys = context.client(), Keys(workspace.workspace)
    whole = changes(client, keys, 0)
    fresh = changes(client, keys, in_lake(client, keys)).items
    withdrawn = {name: item for name, item in whole.items.items() if item.sellable is False}
    report = live_items.bring(withdrawn | fresh, context.workspace_dir(workspace))
    client.set(keys.live_lake, whole.counter)
    return report


def bring_sometimes(context: Context, workspace: WorkspaceSettings) -> LiveReport | None:
    """The same, unless it was done within EVERY_S seconds or nothing changed."""
    client, keys = context.client(), Keys(workspace.workspace)
    if not waiting(client, keys):
        return None
    client.set(keys.live_pause, 1, ex=EVERY_S)
    return bring(context, workspace)


def waiting(client: Any, keys: Keys) -> bool:
    """Whether something is to be brought now."""
    counter, lake, pause = client.mget(keys.live, keys.live_lake, keys.live_pause)
    return counter != lake and pause is None


def in_lake(client: Any, keys: Keys) -> int:
    """The counter up to which the lake has what was said."""
    return int(client.get(keys.live_lake) or 0)


def drop(context: Context, workspace: WorkspaceSettings, cutoff_s: float) -> int:
    """Out of the store: what a snapshot of this cut-off (seconds since 1970) knows."""
    client, keys = context.client(), Keys(workspace.workspace)
    return live.drop(client, keys, up_to=in_lake(client, keys), got_before_s=cutoff_s)
