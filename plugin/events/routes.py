"""Real-time intake: acknowledged only when durable, a bad event never costs the good ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from plugin.auth import EVENTS
from plugin.body import RouteBlueprint, json_body
from plugin.errors import fail
from plugin.events.schema import (
    EXAMPLE,
    MAX_BATCH,
    AcceptedSchema,
    BadEventError,
    read,
)
from plugin.guard import scoped, workspace
from plugin.jsonio import answer
from plugin.runtime import runtime

blueprint = RouteBlueprint("events", __name__, description="What customers do, as they do it.")
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "anyOf": [
                    {"$ref": "#/components/schemas/Event"},
                    {"$ref": "#/components/schemas/EventBatch"},
                ]
            },
            "examples": {
                "one": {"summary": "One event", "value": EXAMPLE},
                "batch": {"summary": "A batch", "value": {"events": [EXAMPLE]}},
            },
        }
    },
}


@blueprint.route("/v1/events", methods=["POST"])
@scoped(EVENTS, store=True)
@blueprint.doc(requestBody=_BODY)
@blueprint.response(202, AcceptedSchema, example={"accepted": 1, "rejected": []})
@blueprint.alt_response(400, "BAD_REQUEST")
@blueprint.alt_response(413, "REQUEST_ENTITY_TOO_LARGE")
@blueprint.alt_response(415, "UNSUPPORTED_MEDIA_TYPE")
@blueprint.alt_response(422, "UNPROCESSABLE_ENTITY")
@blueprint.alt_response(503, "SERVICE_UNAVAILABLE")
def take_events() -> Response:
    """One event, or a batch of up to 500

    202 means that the accepted events are stored. 503 means that none is: send the same again;
    an event_id (or, without one, the same content with its time) makes that harmless.
    """
    here = workspace()
    documents, batch = _documents(json_body())
    now = here.now()
    good: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    for index, document in enumerate(documents):
        try:
            good.append(read(document, now))
        except BadEventError as error:
            if not batch:
                fail(422, error.code, str(error), details=error.details)
            rejected.append({"index": index, "code": error.code, "message": str(error)})
    here.recent.remember(good)
    counts = runtime().metrics.events
    counts.labels("api", "accepted").inc(len(good))
    counts.labels("api", "rejected").inc(len(rejected))
    return answer({"accepted": len(good), "rejected": rejected}, 202)


def _documents(body: Any) -> tuple[list[Any], bool]:
    """The events of a body, and whether it is a batch."""
    if not isinstance(body, Mapping):
        fail(422, "not_an_object", 'Send a JSON object: one event, or {"events": [...]}.')
    if "events" not in body:
        return [body], False
    events = body["events"]
    if set(body) != {"events"} or not isinstance(events, list) or not events:
        _refuse('Send {"events": [...]} with at least one event, and nothing else beside it.')
    if len(events) > MAX_BATCH:
        _refuse(f"Send at most {MAX_BATCH} events at once; found {len(events)}.")
    return events, True


def _refuse(message: str) -> None:
    fail(422, "invalid_batch", message, details={"events": [message]})
