"""What the queues run, by name. Arguments are plain JSON; the first is the workspace.

A job says no to a request that can never work by ending quietly with the reason in its state; it
raises when trying again may help, which the queue then does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import structlog

from rightsend import draining, erasure, nights, publishing, segments
from rightsend import sync as syncs
from rightsend.context import Context
from rightsend.errors import RightsendError

log = structlog.get_logger("jobs")
_installed: list[Context] = []


@contextlib.contextmanager
def installed(context: Context) -> Iterator[None]:
    """The context that jobs of this process use (forked work-horses inherit it)."""
    _installed.append(context)
    try:
        yield
    finally:
        _installed.pop()


def run_segment(workspace: str, segment_id: str) -> None:
    """Computes a segment; its state tells how it went."""
    context, settings = _here(workspace)
    job = segments.jobs_of(context, settings).get(segment_id)
    if job is None or job["state"] in ("done", "cancelled"):
        return  # erased meanwhile, or done by a worker that died before it could say so
    try:
        segments.run(context, settings, segment_id, _quiet)
    except RightsendError as error:
        log.info("segment not made", segment=segment_id, why=str(error))


def preview_segment(workspace: str, request: dict[str, Any]) -> dict[str, Any]:
    """Size against expected response, cost and profit."""
    context, settings = _here(workspace)
    return segments.preview(context, settings, request, _quiet)


def push_segment(workspace: str, segment_id: str, connection: str) -> dict[str, Any]:
    """Makes the host tool's segment hold the members; the report, or ``error``."""
    context, settings = _here(workspace)
    try:
        return segments.push(context, settings, segment_id, connection, _quiet).to_json()
    except RightsendError as error:
        return {"connection": connection, "segment_id": segment_id, "error": str(error)}


def activate_snapshot(workspace: str, snapshot: str) -> dict[str, Any]:
    """Publishes a snapshot that is on disk."""
    context, settings = _here(workspace)
    try:
        return publishing.roll_back(context, settings, snapshot, _quiet).to_json()
    except RightsendError as error:
        return {"snapshot": snapshot, "error": str(error)}


def publish_missing(workspace: str) -> None:
    """Publishes the newest snapshot if the store has none."""
    context, settings = _here(workspace)
    publishing.publish_what_is_missing(context, settings, _quiet)


def run_nightly(workspace: str) -> dict[str, Any]:
    """The whole night; a run that was interrupted goes on where it stopped."""
    context, settings = _here(workspace)
    try:
        return nights.run(context, settings, _quiet).to_json()
    except RightsendError as error:
        log.info("nightly not run", workspace=workspace, why=str(error))
        return {"error": str(error)}


def sync(workspace: str) -> dict[str, Any]:
    """Sends what changed since the last accepted state, of the active snapshot."""
    context, settings = _here(workspace)
    snapshot = publishing.active_snapshot(context, settings)
    return syncs.sync(context, settings, snapshot, _quiet)


def drain_events(workspace: str) -> dict[str, int]:
    """Moves real-time events from the stream into the lake."""
    context, settings = _here(workspace)
    return draining.drain(context, settings)


def erase_customer(workspace: str, customer: str) -> dict[str, Any]:
    """Removes a person everywhere."""
    context, settings = _here(workspace)
    return erasure.erase(context, settings, customer)


def given_up(function: str, arguments: list[Any], reason: str) -> None:
    """Told by the worker of a job that it abandoned for good."""
    log.error("job given up", function=function, why=reason)
    if function == "rightsend.jobs.run_segment":
        workspace, segment_id = arguments
        context, settings = _here(workspace)
        segments.jobs_of(context, settings).set_state(segment_id, "failed", error=reason)


def _here(workspace: str) -> tuple[Context, Any]:
    context = _installed[-1] if _installed else Context.load()
    return context, context.workspace(workspace)


def _quiet(_what: str, _done: int, _total: int | None = None) -> None:
    """A worker shows no bars."""
