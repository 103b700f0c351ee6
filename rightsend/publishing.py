"""Snapshots on disk → the store that answers read; going back to an earlier one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rightsend import live_items
from rightsend.context import Context
from rightsend.errors import RightsendError
from scoring import snapshot as snapshots
from scoring.progress import Progress
from scoring.snapshot import Snapshot, SnapshotMeta
from scoring.store.publish import Publisher
from settings.workspace import WorkspaceSettings


def publisher_of(context: Context, workspace: WorkspaceSettings) -> Publisher:
    return Publisher(
        context.client(),
        workspace.workspace,
        context.secret,
        context.workspace_dir(workspace),
    )


def publish(
    context: Context, workspace: WorkspaceSettings, snapshot: Snapshot, progress: Progress
) -> None:
    """Writes the snapshot beside what is published and moves the pointer to it; what was said of
    items before its cut-off then comes from the snapshot."""
    publisher_of(context, workspace).publish(
        snapshot,
        ttl_s=int(timedelta(days=workspace.snapshot_ttl_days).total_seconds()),
        now=datetime.now(UTC),  # the machine's, also in a replayed workspace: keys live by it
        progress=progress,
    )
    live_items.drop(context, workspace, snapshot.meta.cutoff.timestamp())


def open_snapshot(
    context: Context, workspace: WorkspaceSettings, snapshot_id: str | None = None
) -> Snapshot:
    """The named snapshot, or the newest on disk. Raises RightsendError when there is none."""
    folder = context.workspace_dir(workspace)
    kept = snapshots.kept(folder)
    if not kept:
        raise RightsendError(
            f"workspace {workspace.workspace} has no snapshot in {context.settings.state_dir}; run "
            "`rightsend nightly` first, or choose another installation with --config and --state"
        )
    wanted = snapshot_id or kept[0].snapshot
    if wanted not in {meta.snapshot for meta in kept}:
        raise RightsendError(
            f"there is no snapshot {wanted}; on disk: {', '.join(m.snapshot for m in kept)}"
        )
    return Snapshot.open(folder / "snapshots" / wanted)


def active_snapshot(context: Context, workspace: WorkspaceSettings) -> Snapshot:
    """The snapshot that answers come from; before any was published, the newest on disk."""
    active = publisher_of(context, workspace).active()
    return open_snapshot(context, workspace, active.snapshot if active else None)


def roll_back(
    context: Context,
    workspace: WorkspaceSettings,
    snapshot_id: str | None,
    progress: Progress,
) -> SnapshotMeta:
    """Publishes the named snapshot, or the one before the active; returns what is active now."""
    if snapshot_id is None:
        snapshot_id = _one_before(context, workspace)
    snapshot = open_snapshot(context, workspace, snapshot_id)
    publish(context, workspace, snapshot, progress)
    return snapshot.meta


def publish_what_is_missing(
    context: Context, workspace: WorkspaceSettings, progress: Progress
) -> SnapshotMeta | None:
    """Publishes the newest snapshot when the store holds none (it was emptied, or is new)."""
    if publisher_of(context, workspace).active() is not None:
        return None
    if not snapshots.kept(context.workspace_dir(workspace)):
        return None
    snapshot = open_snapshot(context, workspace)
    publish(context, workspace, snapshot, progress)
    return snapshot.meta


def _one_before(context: Context, workspace: WorkspaceSettings) -> str:
    kept = [meta.snapshot for meta in snapshots.kept(context.workspace_dir(workspace))]
    active = publisher_of(context, workspace).active()
    older = kept[kept.index(active.snapshot) + 1 :] if active and active.snapshot in kept else kept
    if not older:
        raise RightsendError(
            "there is no earlier snapshot to go back to; on disk: " + (", ".join(kept) or "none")
        )
    return older[0]
