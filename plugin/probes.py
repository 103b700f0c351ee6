"""Is the process alive, can it do its work, and how is it doing."""

from __future__ import annotations

from collections import Counter
from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields

from plugin.auth import ADMIN
from plugin.body import RouteBlueprint
from plugin.guard import scoped, workspace
from plugin.jsonio import answer
from plugin.logs import log
from plugin.metrics import CONTENT_TYPE
from plugin.runtime import Workspace, runtime
from scoring.store.errors import StoreUnavailable

blueprint = RouteBlueprint("probes", __name__, description="For load balancers and Prometheus.")


class HealthSchema(ma.Schema):
    ok = fields.Boolean(required=True)


class ReadySchema(ma.Schema):
    """Why it is not ready, or that it is. Without a key, so it names no workspace: the log does."""

    ok = fields.Boolean(required=True)
    store = fields.String(required=True, metadata={"description": "ok or unavailable"})
    workspaces = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "How many are ok, no_snapshot or unavailable"},
    )


@blueprint.route("/healthz")
@blueprint.response(200, HealthSchema)
def healthz() -> Any:
    """Whether the process is alive"""
    return answer({"ok": True})


@blueprint.route("/readyz")
@blueprint.response(200, ReadySchema)
@blueprint.alt_response(503, schema=ReadySchema, description="Not ready, and why")
def readyz() -> Any:
    """Whether Redis answers and each workspace has a snapshot

    Content routes answer 200 with the best non-personal content even while this says 503.
    """
    found = runtime()
    store = "ok" if found.presence.answers() else "unavailable"
    states = {name: _state(each) for name, each in found.workspaces.items()}
    ok = store == "ok" and all(state == "ok" for state in states.values())
    if not ok:
        log.info("not ready", store=store, workspaces=states)
    counted = Counter(states.values())
    return answer({"ok": ok, "store": store, "workspaces": counted}, 200 if ok else 503)


@blueprint.route("/metrics")
@scoped(ADMIN, counted=False)  # most wanted while the store is away
@blueprint.response(200, {"type": "string"}, content_type="text/plain")
def metrics() -> Response:
    """Metrics in Prometheus' text format"""
    found = runtime()
    text = found.metrics.render(*found.scrape(workspace()))
    return Response(text, content_type=CONTENT_TYPE)


def _state(workspace: Workspace) -> str:
    try:
        workspace.reader.published()
    except StoreUnavailable as trouble:
        return "no_snapshot" if trouble.reason == "no_snapshot" else "unavailable"
    return "ok"
