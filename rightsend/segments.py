"""Segment jobs: compute who, keep the members as files, push them into a host tool.

``segments/<id>/`` holds request.json, summary.json, members.csv.gz, members.ndjson.gz and, once it
was pushed, pushed.json (names of connections); each appears whole or not at all.
"""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv

from connectors import delivery
from connectors.delivery import PushReport
from plugin.segments.schema import from_json
from rightsend.context import Context
from rightsend.errors import RightsendError
from rightsend.publishing import active_snapshot
from rightsend.sync import state_path
from scoring import columns as c
from scoring import segment as selection
from scoring.lake import Lake
from scoring.progress import Progress
from scoring.store.segments import CANCELLED, DONE, FAILED, RUNNING, SegmentJobs
from settings.workspace import ConnectionSettings, WorkspaceSettings

MEMBERS_CSV = "members.csv.gz"
MEMBERS_NDJSON = "members.ndjson.gz"
PUSHED = "pushed.json"
TREATMENT = "treatment"
MEMBERS = pa.schema(
    [
        (c.CUSTOMER_ID, pa.string()),
        (c.RANK, pa.int32()),
        (c.PROBABILITY, pa.float32()),
        (c.ARM, pa.string()),
        (c.REASONS, pa.string()),
        (c.REASON_CODES, pa.string()),
    ]
)


class CancelledError(RightsendError):
    """Someone cancelled the job."""


def jobs_of(context: Context, workspace: WorkspaceSettings) -> SegmentJobs:
    return SegmentJobs(context.client(), workspace.workspace)


def folder_of(context: Context, workspace: WorkspaceSettings, segment_id: str) -> Path:
    """Raises RightsendError for what cannot be an id: another workspace's segments are not ours."""
    if segment_id in ("", ".", "..") or Path(segment_id).name != segment_id or "\0" in segment_id:
        raise RightsendError(
            f"{segment_id!r} is not the id of a segment; `rightsend segment list` shows them all"
        )
    return context.workspace_dir(workspace) / "segments" / segment_id


def run(
    context: Context, workspace: WorkspaceSettings, segment_id: str, progress: Progress
) -> dict[str, Any]:
    """Computes a created segment job and returns its summary; its state is done then.

    Raises CancelledError when someone cancelled it. After any other exception the state is still
    running: try again, or let ``fail`` note the end.
    """
    jobs = jobs_of(context, workspace)
    job = jobs.get(segment_id)
    if job is None:
        raise RightsendError(f"there is no segment {segment_id}")

    def watched(what: str, done: int, total: int | None = None) -> None:
        if jobs.cancelled(segment_id):
            jobs.set_state(segment_id, CANCELLED)
            raise CancelledError(f"segment {segment_id} was cancelled")
        if total:
            jobs.set_progress(segment_id, done / total)
        progress(what, done, total)

    if jobs.set_state(segment_id, RUNNING) != RUNNING:
        raise CancelledError(f"segment {segment_id} is over already")
    watched("segment", 0)
    summary = _compute(context, workspace, segment_id, job["request"], watched)
    jobs.set_state(segment_id, DONE, summary=summary)
    return summary


def fail(context: Context, workspace: WorkspaceSettings, segment_id: str, why: str) -> None:
    """Notes that a segment job will not come to an end any more."""
    jobs_of(context, workspace).set_state(segment_id, FAILED, error=why)


def preview(
    context: Context, workspace: WorkspaceSettings, request: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Size against expected response, cost and profit, without members."""
    return selection.preview(
        active_snapshot(context, workspace).folder,
        from_json(request),
        Lake(context.workspace_dir(workspace) / "lake"),
        workspace,
        now=context.now(workspace),
        progress=progress,
    )


def push(
    context: Context,
    workspace: WorkspaceSettings,
    segment_id: str,
    connection_name: str,
    progress: Progress,
) -> PushReport:
    """Makes the host tool's segment hold exactly the members who are to get the message."""
    connection = connection_of(workspace, connection_name)
    folder = folder_of(context, workspace, segment_id)
    request = json.loads(_existing(folder / "request.json").read_text())
    path = state_path(context, workspace, connection.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    # noted before: a push that was cut short, too, has put members into the tool
    noted = sorted({*pushed_to(folder), connection.name})
    _replace(folder / PUSHED, _json_bytes(noted))
    return delivery.push_segment(
        connection,
        segment_id=segment_id,
        name=request["name"],
        members=treated(folder),
        state_path=path,
        progress=lambda step, done, total: progress(f"{connection.name}: {step}", done, total),
    )


def pushed_to(folder: Path) -> list[str]:
    """Names of the connections that hold the segment."""
    try:
        names: list[str] = json.loads((folder / PUSHED).read_text())
    except FileNotFoundError:
        return []
    return names


def folders(context: Context, workspace: WorkspaceSettings) -> list[Path]:
    """The folders of all finished segments."""
    return sorted(
        path.parent
        for path in (context.workspace_dir(workspace) / "segments").glob(f"*/{MEMBERS_NDJSON}")
    )


def treated(folder: Path) -> Iterator[str]:
    """Customer ids of the members who are to get the message (not the control arm)."""
    for row in members(folder):
        if row[c.ARM] == TREATMENT:
            yield row[c.CUSTOMER_ID]


def members(folder: Path) -> Iterator[dict[str, Any]]:
    """The rows of a finished segment, by rank."""
    with open_members(folder, "ndjson") as lines:
        for line in lines:
            yield json.loads(line)


def open_members(folder: Path, kind: str) -> gzip.GzipFile:
    """The members as csv or ndjson, to read as plain bytes."""
    return gzip.open(_existing(folder / {"csv": MEMBERS_CSV, "ndjson": MEMBERS_NDJSON}[kind]))


def write_members(folder: Path, rows: pa.Table) -> None:
    """Members as CSV and NDJSON, gzip without a time stamp: the same members, the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    text = io.BytesIO()
    pyarrow.csv.write_csv(rows, text, pyarrow.csv.WriteOptions(quoting_style="needed"))
    _replace(folder / MEMBERS_CSV, gzip.compress(text.getvalue(), 6, mtime=0))
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows.to_pylist())
    _replace(folder / MEMBERS_NDJSON, gzip.compress("".join(lines).encode(), 6, mtime=0))


def connection_of(workspace: WorkspaceSettings, name: str) -> ConnectionSettings:
    """The named connection. Raises RightsendError when there is none of that name."""
    for connection in workspace.connections:
        if connection.name == name:
            return connection
    known = ", ".join(connection.name for connection in workspace.connections) or "none at all"
    raise RightsendError(
        f"workspace {workspace.workspace} has no connection {name!r}; it has {known}"
    )


def _compute(
    context: Context,
    workspace: WorkspaceSettings,
    segment_id: str,
    request: dict[str, Any],
    progress: Callable[[str, int, int | None], None],
) -> dict[str, Any]:
    folder = folder_of(context, workspace, segment_id)
    result = selection.select(
        active_snapshot(context, workspace).folder,
        from_json(request),
        Lake(context.workspace_dir(workspace) / "lake"),
        workspace,
        now=context.now(workspace),
        secret=context.secret,
        progress=progress,
    )
    write_members(folder, result.members)
    summary = dict(result.summary)
    _replace(folder / "request.json", _json_bytes(request))
    _replace(folder / "summary.json", _json_bytes(summary))
    return summary


def _existing(path: Path) -> Path:
    if not path.exists():
        raise RightsendError(
            f"segment {path.parent.name} has no members yet, or was never asked for; "
            "`rightsend segment list` shows them all and how far they are"
        )
    return path


def _json_bytes(document: Any) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)
