"""What host tools tell: ``POST /v1/events/<connection>``, in each tool's own words.

How a tool's words become events is its connector's business; the bootstrap hands that in as a
``Translator`` for each type of connection.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Response, request

from plugin.auth import EVENTS
from plugin.body import RouteBlueprint, raw_body
from plugin.errors import CODES, fail
from plugin.events import clocks
from plugin.events.schema import BadEventError, ToldSchema, read
from plugin.events.translating import BadDocumentError, Headers, Told
from plugin.guard import authenticate, documented, enter, require_pace, sends_key
from plugin.jsonio import answer
from plugin.logs import log
from plugin.runtime import Workspace, runtime
from settings.workspace import ConnectionSettings

MAX_EVENTS = 5000  # of one request
MALFORMED = "no id, time or type"

blueprint = RouteBlueprint(
    "webhooks", __name__, description="What happened to messages, as host tools tell it."
)
_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": {"description": "As the tool sends it"}},
    },
}


@blueprint.route("/v1/events/<connection>", methods=["POST"])
@documented(EVENTS)
@blueprint.doc(requestBody=_BODY)
@blueprint.response(200, ToldSchema)
@blueprint.alt_response(400, "BAD_REQUEST")
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(409, "CONFLICT")
@blueprint.alt_response(413, "REQUEST_ENTITY_TOO_LARGE")
@blueprint.alt_response(415, "UNSUPPORTED_MEDIA_TYPE")
@blueprint.alt_response(503, "SERVICE_UNAVAILABLE")
def take_webhook(connection: str) -> Response:
    """Events in the words of a connection's tool

    The address for a tool's webhook or event stream. A key with the scope events is needed, or the
    token or signature that the tool itself sends, when the connection's options hold its secret.
    200 means that the accepted events are stored; a bad event never costs the good ones, and the
    same request again adds nothing.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    here, settings = _keyed(connection) if sends_key() else _signed(connection, headers)
    require_pace(here, EVENTS, f"{here.settings.workspace}/{connection}")
    runtime().presence.require()
    told = _told(settings, headers)
    now = here.now()
    good: list[dict[str, Any]] = []
    rejected = Counter({MALFORMED: told.malformed} if told.malformed else {})
    for document in told.events:
        try:
            good.append(read(document, now))
        except BadEventError as error:
            rejected[str(error)[:200]] += 1
    clocks.set_right(here, settings.name, good, now)
    here.recent.remember(good)
    counts = runtime().metrics.events
    counts.labels(settings.name, "accepted").inc(len(good))
    counts.labels(settings.name, "rejected").inc(rejected.total())
    counts.labels(settings.name, "unknown").inc(sum(told.unknown.values()))
    if rejected:
        log.warning("webhook events rejected", connection=settings.name, reasons=dict(rejected))
    return answer({"accepted": len(good), "rejected": rejected, "unknown": told.unknown})


def _keyed(name: str) -> tuple[Workspace, ConnectionSettings]:
    """With one of our keys, which names the workspace. Answers 401, 403 or 404 otherwise."""
    here = authenticate(EVENTS)
    found = _telling(here, name)
    if found is None:
        fail(404, "not_found", "There is no connection of this name whose tool tells events.")
    return here, found


def _signed(name: str, headers: Headers) -> tuple[Workspace, ConnectionSettings]:
    """With the tool's own secret: the workspace is the one whose connection has it. Whether there
    is such a connection is told to nobody else."""
    body = raw_body()
    found = [
        (here, connection)
        for here in runtime().workspaces.values()
        if (connection := _telling(here, name)) is not None
        and runtime().translators[connection.type].verify(body, headers, connection.options)
    ]
    if not found:
        message = "Neither a key nor the token or signature of this connection's tool."
        fail(401, CODES[401][0], message)
    if len(found) > 1:
        fail(
            409,
            "same_secret",
            "Two workspaces have a connection of this name and the same secret for its tool: "
            "give them different ones.",
        )
    enter(found[0][0])
    return found[0]


def _telling(here: Workspace, name: str) -> ConnectionSettings | None:
    """The connection of this name, if its tool tells events."""
    own = (each for each in here.settings.connections if each.name == name)
    return next((each for each in own if each.type in runtime().translators), None)


def _told(connection: ConnectionSettings, headers: Headers) -> Told:
    """Answers 400 or 413 for a body that cannot be taken."""
    try:
        told = runtime().translators[connection.type].read(raw_body(), headers, connection.options)
    except BadDocumentError as error:
        fail(400, "bad_document", f"{error}.")
    if len(told.events) > MAX_EVENTS:
        fail(413, "too_large", f"Send at most {MAX_EVENTS} events at once.")
    return told
