"""Real-time intake: acknowledged only when durable, a bad event never costs the good ones."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from flask import Response

from plugin.auth import EVENTS
from plugin.body import RouteBlueprint, json_body
from plugin.errors import fail
from plugin.events import clocks
from plugin.events.batch import accepted, listed, read_each
from plugin.events.schema import (
    EXAMPLE,
    MAX_BATCH,
    AcceptedSchema,
    BadEventError,
    read,
)
from plugin.guard import scoped, workspace
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
    now = here.now()
    good, rejected = _read(json_body(), now, here.zone)
    clocks.set_right(here, "api", good, now)
    here.recent.remember(good)
    counts = runtime().metrics.events
    counts.labels("api", "accepted").inc(len(good))
    counts.labels("api", "rejected").inc(len(rejected))
    return accepted(len(good), rejected)


def _read(
    body: Any, now: datetime, zone: tzinfo
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The events of a body, and which of a batch are refused. Answers 422 for one event alone that
    cannot be read."""
    if not isinstance(body, dict):
        fail(422, "not_an_object", 'Send a JSON object: one event, or {"events": [...]}.')
    if "events" in body:
        return read_each(listed(body, "events", MAX_BATCH), read, now, zone)
    try:
        return [read(body, now, zone)], []
    except BadEventError as error:
        fail(422, error.code, str(error), details=error.details)
