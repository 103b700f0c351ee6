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
from rightsend.auditing import audited, trail_of
from rightsend.clock import NIGHTLY_TIMEOUT_S
from rightsend.context import Context
from rightsend.errors import RightsendError, is_ours
from scoring.store.erasure import PendingErasures
from scoring.store.segments import FINAL
from settings.workspace import WorkspaceSettings

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
    if job is None or job["state"] in FINAL:
        return  # erased meanwhile, or done by a worker that died before it could say so
    try:
        segments.run(context, settings, segment_id, _quiet)
    except segments.CancelledError as error:
        log.info("segment cancelled", why=str(error))
    except Exception as error:
        if not is_ours(error):
            raise
        segments.fail(context, settings, segment_id, str(error))


def preview_segment(workspace: str, request: dict[str, Any]) -> dict[str, Any]:
    """Size against expected response, cost and profit; or ``error``, why there can be none."""
    context, settings = _here(workspace)
    try:
        return segments.preview(context, settings, request, _quiet)
    except Exception as error:
        if not is_ours(error):
            raise
        return {"error": str(error)}


def push_segment(workspace: str, segment_id: str, connection: str) -> dict[str, Any]:
    """Makes the host tool's segment hold the members; the report, or ``error``."""
    context, settings = _here(workspace)
    about = {"segment": segment_id, "connection": connection}
    try:
        with audited(context, settings, "segment.pushed", **about):
            return segments.push(context, settings, segment_id, connection, _quiet).to_json()
    except Exception as error:
        if not is_ours(error):
            raise
        return {"connection": connection, "segment_id": segment_id, "error": str(error)}


def activate_snapshot(workspace: str, snapshot: str) -> dict[str, Any]:
    """Publishes a snapshot that is on disk."""
    context, settings = _here(workspace)
    try:
        with audited(context, settings, "snapshot.activated", snapshot=snapshot):
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
    except Exception as error:
        if not is_ours(error):
            raise
        log.error("nightly not done", workspace=workspace, why=str(error))
        return {"error": str(error)}


def sync(workspace: str) -> dict[str, Any]:
    """Sends what changed since the last accepted state, of the active snapshot."""
    context, settings = _here(workspace)
    snapshot = publishing.active_snapshot(context, settings)
    return syncs.sync(context, settings, snapshot, _quiet, wait=True)


def drain_events(workspace: str) -> dict[str, int]:
    """Moves real-time events from the stream into the lake."""
    context, settings = _here(workspace)
    return draining.drain(context, settings)


def drain_decisions(workspace: str) -> dict[str, int]:
    """Moves the answers of content calls from the stream into the lake."""
    context, settings = _here(workspace)
    return draining.drain_decisions(context, settings)


def erase_customer(workspace: str, customer: str) -> dict[str, Any]:
    """Removes a person everywhere; once more after a nightly job that runs meanwhile."""
    context, settings = _here(workspace)
    report = _erased(context, settings, customer, wait=False)
    if report["again"]:
        reference = PendingErasures(context.client(), workspace).add(customer)
        context.queue("nightly").enqueue_call(
            "rightsend.jobs.carry_out_erasure_after_night",
            args=(workspace, reference),
            timeout=NIGHTLY_TIMEOUT_S,
            description=f"carry_out_erasure_after_night {workspace}",
        )
    return report


def carry_out_erasure(workspace: str, reference: str) -> dict[str, Any]:
    """Erases the person whom the store keeps under this reference until it is done."""
    context, _ = _here(workspace)
    pending = PendingErasures(context.client(), workspace)
    customer = pending.customer(reference)
    if customer is None:
        return {}  # done by a worker that died before it could say so
    report = erase_customer(workspace, customer)
    pending.done(reference)
    erasure.forget_on_disk(context)
    return report


def carry_out_erasure_after_night(workspace: str, reference: str) -> dict[str, Any]:
    """What a night that was running brought back goes, too."""
    context, settings = _here(workspace)
    pending = PendingErasures(context.client(), workspace)
    customer = pending.customer(reference)
    if customer is None:
        return {}
    report = _erased(context, settings, customer, wait=True)
    pending.done(reference)
    erasure.forget_on_disk(context)
    return report


def given_up(function: str, arguments: list[Any], reason: str) -> None:
    """Told by the worker of a job that failed for good."""
    log.error("job given up", function=function, why=reason)
    if function == "rightsend.jobs.run_segment":
        workspace, segment_id = arguments
        context, settings = _here(workspace)
        segments.fail(context, settings, segment_id, reason)


def _erased(
    context: Context, settings: WorkspaceSettings, customer: str, *, wait: bool
) -> dict[str, Any]:
    person = trail_of(context, settings).person(customer)
    with audited(context, settings, "customer.erased", customer=person):
        return erasure.erase(context, settings, customer, wait=wait)


def _here(workspace: str) -> tuple[Context, Any]:
    context = _installed[-1] if _installed else Context.load()
    return context, context.workspace(workspace)


def _quiet(_what: str, _done: int, _total: int | None = None) -> None:
    """A worker shows no bars."""
