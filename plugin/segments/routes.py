"""Segment jobs: who would answer this campaign. The worker computes, these routes ask and tell."""

from __future__ import annotations

import threading

from flask import Response, request

from plugin.auth import SEGMENTS
from plugin.body import RouteBlueprint
from plugin.errors import fail
from plugin.guard import scoped, workspace
from plugin.jsonio import answer
from plugin.segments.answers import (
    SegmentSchema,
)
from plugin.segments.schema import SegmentRequestSchema, to_json
from scoring.segment_request import SegmentRequest

blueprint = RouteBlueprint(
    "segments", __name__, description="Who would answer this campaign, and how many are worth it."
)
IDEMPOTENCY_KEY = "Idempotency-Key"
PREVIEW_WAIT_S = 20
_WAITING = threading.BoundedSemaphore(2)  # of a worker's threads: the others answer content calls
_FINISHED = ("done", "failed", "cancelled")
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
    "schema": {"type": "string", "maxLength": 200},
}


@blueprint.route("/v1/segments", methods=["POST"])
@scoped(SEGMENTS)
@blueprint.doc(parameters=[_IDEMPOTENCY_HEADER])
@blueprint.arguments(SegmentRequestSchema, example=_EXAMPLE)
@blueprint.response(202, SegmentSchema, headers={"Location": {"schema": {"type": "string"}}})
@blueprint.alt_response(400, "BAD_REQUEST")
@blueprint.alt_response(413, "REQUEST_ENTITY_TOO_LARGE")
@blueprint.alt_response(415, "UNSUPPORTED_MEDIA_TYPE")
@blueprint.alt_response(503, "SERVICE_UNAVAILABLE")
def create_segment(wanted: SegmentRequest) -> Response:
    """Start a segment job

    Poll `GET /v1/segments/{id}` until `state` is done, failed or cancelled.
    """
    here = workspace()
    key = request.headers.get(IDEMPOTENCY_KEY, "")
    if len(key) > 200:
        fail(
            422,
            "invalid_parameters",
            "Some parameters are not valid; details names them.",
            details={IDEMPOTENCY_KEY: ["Longer than maximum length 200."]},
        )
    job, new = here.segments.create(to_json(wanted), now=here.now(), idempotency_key=key or None)
    if new:
        here.jobs.enqueue("run_segment", job["id"])
    response = answer(job, 202)
    response.headers["Location"] = f"/v1/segments/{job['id']}"
    return response
