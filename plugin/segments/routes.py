"""Segment jobs: who would answer this campaign. The worker computes, these routes ask and tell."""

from __future__ import annotations

import threading
from typing import Any

from flask import Response, request

from plugin import audit
from plugin.auth import SEGMENTS
from plugin.body import RouteBlueprint
from plugin.errors import CODES, fail
from plugin.guard import scoped, workspace
from plugin.jsonio import answer
from plugin.paging import PageSchema
from plugin.queue import Outcome
from plugin.runtime import Workspace
from plugin.segments import members
from plugin.segments.answers import (
    MembersArgumentsSchema,
    PreviewSchema,
    PushArgumentsSchema,
    PushSchema,
    SegmentSchema,
    SegmentsSchema,
)
from plugin.segments.schema import SegmentRequestSchema, to_json
from scoring.segment_request import SegmentRequest

blueprint = RouteBlueprint(
    "segments", __name__, description="Who would answer this campaign, and how many are worth it."
)
IDEMPOTENCY_KEY = "Idempotency-Key"
PREVIEW_WAIT_S = 20
_WAITING = threading.BoundedSemaphore(2)  # of a worker's threads: the others answer content calls
_MAX_KEY = 200
_EXAMPLE = {
    "name": "Cheese lovers, March",
    "target": {"categories": ["GROCERY > CHEESE"]},
    "size": {"share": 0.2},
    "holdout_share": 0.1,
}
_IDEMPOTENCY_HEADER = {
    "in": "header",
    "name": IDEMPOTENCY_KEY,
    "required": False,
    "description": "The same key gives the same job, so that a request may be repeated safely.",
    "schema": {"type": "string", "maxLength": _MAX_KEY},
}


@blueprint.route("/v1/segments", methods=["POST"])
@scoped(SEGMENTS, store=True)
@blueprint.doc(parameters=[_IDEMPOTENCY_HEADER])
@blueprint.arguments(SegmentRequestSchema, example=_EXAMPLE)
@blueprint.response(202, SegmentSchema, headers={"Location": {"schema": {"type": "string"}}})
@blueprint.alt_response(400, "BAD_REQUEST")
@blueprint.alt_response(409, "CONFLICT")
@blueprint.alt_response(413, "REQUEST_ENTITY_TOO_LARGE")
@blueprint.alt_response(415, "UNSUPPORTED_MEDIA_TYPE")
@blueprint.alt_response(503, "SERVICE_UNAVAILABLE")
def create_segment(wanted: SegmentRequest) -> Response:
    """Start a segment job

    Poll `GET /v1/segments/{id}` until `state` is done, failed or cancelled.
    """
    here = workspace()
    job = _created(here, to_json(wanted), request.headers.get(IDEMPOTENCY_KEY))
    audit.note("segment.created", "queued", segment=job["id"])
    response = answer(job, 202)
    response.headers["Location"] = f"/v1/segments/{job['id']}"
    return response


@blueprint.route("/v1/segments")
@scoped(SEGMENTS, store=True)
@blueprint.arguments(PageSchema, location="query")
@blueprint.response(200, SegmentsSchema)
@blueprint.alt_response(503, "SERVICE_UNAVAILABLE")
def list_segments(arguments: dict[str, Any]) -> Response:
    """Segment jobs, newest first"""
    return answer({"segments": workspace().segments.list(arguments["limit"])})


@blueprint.route("/v1/segments/preview", methods=["POST"])
@scoped(SEGMENTS, store=True)
@blueprint.arguments(SegmentRequestSchema, example=_EXAMPLE)
@blueprint.response(200, PreviewSchema)
@blueprint.alt_response(
    202, schema=PreviewSchema, description="Not done yet; ask for it", success=True
)
@blueprint.alt_response(400, "BAD_REQUEST")
@blueprint.alt_response(413, "REQUEST_ENTITY_TOO_LARGE")
@blueprint.alt_response(415, "UNSUPPORTED_MEDIA_TYPE")
@blueprint.alt_response(503, "SERVICE_UNAVAILABLE")
def preview_segment(wanted: SegmentRequest) -> Response:
    """How size relates to expected response, cost and profit, without exporting

    Waits up to 20 s; then 202 with a job id for `GET /v1/segments/previews/{job}`. So does a
    horizon that nobody asked for since the last night: it is learned first, a minute or more.
    """
    here = workspace()
    job_id = here.jobs.enqueue("preview_segment", to_json(wanted))
    # of those who wait at once only a few get a thread for it; the others ask again
    if not _WAITING.acquire(blocking=False):
        return _preview(here.jobs.wait(job_id, 0))
    try:
        return _preview(here.jobs.wait(job_id, PREVIEW_WAIT_S))
    finally:
        _WAITING.release()


@blueprint.route("/v1/segments/previews/<job_id>")
@scoped(SEGMENTS, store=True)
@blueprint.response(200, PreviewSchema)
@blueprint.alt_response(
    202, schema=PreviewSchema, description="Not done yet; ask again", success=True
)
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(422, "UNPROCESSABLE_ENTITY")
@blueprint.alt_response(503, "SERVICE_UNAVAILABLE")
def show_preview(job_id: str) -> Response:
    """A preview that took longer"""
    return _preview(workspace().jobs.wait(job_id, 0))


@blueprint.route("/v1/segments/<segment_id>")
@scoped(SEGMENTS, store=True)
@blueprint.response(200, SegmentSchema)
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(503, "SERVICE_UNAVAILABLE")
def show_segment(segment_id: str) -> Response:
    """A segment job: how far it is, and what came of it"""
    return answer(_segment(workspace(), segment_id))


@blueprint.route("/v1/segments/<segment_id>/members")
@scoped(SEGMENTS, store=True)
@blueprint.arguments(MembersArgumentsSchema, location="query")
@blueprint.response(200, {"type": "string"}, content_type="text/csv")
@blueprint.alt_response(
    200, schema={"type": "string"}, content_type="application/x-ndjson", success=True
)
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(409, "CONFLICT")
@blueprint.alt_response(503, "SERVICE_UNAVAILABLE")
def download_members(arguments: dict[str, Any], segment_id: str) -> Response:
    """The members: customer_id, rank, probability, arm, reasons, reason_codes

    `reasons` are up to three sentences in the workspace's language, joined by "; ".
    Compressed when the request accepts gzip.
    """
    here = workspace()
    _finished(here, segment_id)
    form = arguments["format"]
    file = members.path(here.folder, segment_id, form)
    as_gzip = request.accept_encodings.quality("gzip") > 0
    try:
        response = members.download(file, segment_id, form, as_gzip=as_gzip)
    except FileNotFoundError:
        fail(404, "members_gone", "The members of this segment are no longer kept.")
    audit.note("members.downloaded", segment=segment_id)
    return response


@blueprint.route("/v1/segments/<segment_id>/cancel", methods=["POST"])
@scoped(SEGMENTS, store=True)
@blueprint.response(202, SegmentSchema)
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(503, "SERVICE_UNAVAILABLE")
def cancel_segment(segment_id: str) -> Response:
    """Stop a segment job; one that has ended stays as it is"""
    here = workspace()
    here.segments.cancel(segment_id)
    found = _segment(here, segment_id)
    audit.note("segment.cancelled", segment=segment_id)
    return answer(found, 202)


@blueprint.route("/v1/segments/<segment_id>/push", methods=["POST"])
@scoped(SEGMENTS, store=True)
@blueprint.arguments(PushArgumentsSchema, example={"connection": "sandbox"})
@blueprint.response(202, PushSchema)
@blueprint.alt_response(400, "BAD_REQUEST")
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(409, "CONFLICT")
@blueprint.alt_response(413, "REQUEST_ENTITY_TOO_LARGE")
@blueprint.alt_response(415, "UNSUPPORTED_MEDIA_TYPE")
@blueprint.alt_response(503, "SERVICE_UNAVAILABLE")
def push_segment(arguments: dict[str, Any], segment_id: str) -> Response:
    """Make the messaging tool's segment hold exactly these members (without the control arm)"""
    here = workspace()
    _finished(here, segment_id)
    connection = arguments["connection"]
    known = [each.name for each in here.settings.connections]
    if connection not in known:
        fail(
            422,
            "unknown_connection",
            f"The workspace has no connection of this name; it has {', '.join(known) or 'none'}.",
            details={"connection": ["Unknown connection."]},
        )
    job_id = here.jobs.enqueue("push_segment", segment_id, connection)
    audit.note("segment.pushed", "queued", segment=segment_id, connection=connection, job=job_id)
    return answer(
        {"job": job_id, "state": "queued", "segment": segment_id, "connection": connection}, 202
    )


def _created(here: Workspace, document: dict[str, Any], key: str | None) -> dict[str, Any]:
    """The job, new or (for a known key) the one from before, on its way to the worker."""
    if key is not None and not 0 < len(key) <= _MAX_KEY:
        fail(422, *CODES[422], details={IDEMPOTENCY_KEY: [f"Must be 1 to {_MAX_KEY} long."]})
    job, new = here.segments.create(document, now=here.now(), idempotency_key=key)
    if not new and job["request"] != document:
        fail(
            409,
            "idempotency_key_reused",
            "This Idempotency-Key was used for another request; use a new one.",
        )
    # by the segment's own id: a repeated request finds the job that is already in the queue, and
    # makes good for a first one that died before it got there
    here.jobs.enqueue_once(f"segment-{job['id']}", "run_segment", job["id"])
    return job


def _segment(here: Workspace, segment_id: str) -> dict[str, Any]:
    job = here.segments.get(segment_id)
    if job is None:
        fail(404, "unknown_segment", "There is no segment of this id.")
    return job


def _finished(here: Workspace, segment_id: str) -> None:
    state = _segment(here, segment_id)["state"]
    if state != "done":
        fail(
            409,
            "segment_not_done",
            f"The segment has no members: it is {state}.",
            details={"state": [state]},
        )


def _preview(outcome: Outcome | None) -> Response:
    if outcome is None:
        fail(404, "unknown_preview", "There is no preview of this id (or no longer).")
    result = outcome.result
    if isinstance(result, dict) and isinstance(result.get("error"), str):
        fail(422, "preview_impossible", result["error"])
    document = {"job": outcome.job_id, "state": outcome.state, "preview": result}
    return answer(document, 202 if outcome.state in ("queued", "running") else 200)
