"""Runs and snapshots: what the nights brought, and going back to an earlier one."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields

from plugin import audit, documents
from plugin.auth import ADMIN
from plugin.body import RouteBlueprint
from plugin.errors import fail
from plugin.guard import scoped, workspace
from plugin.jsonio import answer
from plugin.paging import PageSchema
from scoring.store.errors import StoreUnavailable

blueprint = RouteBlueprint("operations", __name__, description="What the nights brought.")


class StepSchema(ma.Schema):
    class Meta:
        unknown = ma.INCLUDE

    name = fields.String()
    state = fields.String()
    seconds = fields.Float(allow_none=True)
    peak_mb = fields.Float(allow_none=True)


class RunSchema(ma.Schema):
    """One nightly run: its steps with time and memory, and its report."""

    class Meta:
        unknown = ma.INCLUDE

    run = fields.String(required=True)
    workspace = fields.String()
    state = fields.String(metadata={"description": "running, done, failed or gated"})
    now = fields.String()
    started_at = fields.String(allow_none=True)
    finished_at = fields.String(allow_none=True)
    steps = fields.List(fields.Nested(StepSchema))
    report = fields.Dict(allow_none=True)


class RunsSchema(ma.Schema):
    runs = fields.List(fields.Nested(RunSchema), required=True)


class SnapshotSchema(ma.Schema):
    """One night's published scores."""

    class Meta:
        unknown = ma.INCLUDE

    snapshot = fields.String(required=True)
    workspace = fields.String()
    cutoff = fields.String()
    created_at = fields.String()
    customers = fields.Integer()
    items = fields.Integer()
    active = fields.Boolean(
        required=True, metadata={"description": "Whether answers come from it now"}
    )


class SnapshotsSchema(ma.Schema):
    snapshots = fields.List(fields.Nested(SnapshotSchema), required=True)


class JobSchema(ma.Schema):
    job = fields.String(required=True)
    state = fields.String(required=True, metadata={"example": "queued"})


@blueprint.route("/v1/runs")
@scoped(ADMIN)
@blueprint.arguments(PageSchema, location="query")
@blueprint.response(200, RunsSchema)
def list_runs(page: dict[str, Any]) -> Any:
    """Nightly runs, newest first"""
    return answer({"runs": documents.runs(workspace().folder)[: page["limit"]]})


@blueprint.route("/v1/runs/<run_id>")
@scoped(ADMIN)
@blueprint.response(200, RunSchema)
@blueprint.alt_response(404, "NOT_FOUND")
def show_run(run_id: str) -> Any:
    """One nightly run with its report"""
    found = documents.run(workspace().folder, run_id)
    if found is None:
        fail(404, "unknown_run", "There is no run of this id.")
    return answer(found)


@blueprint.route("/v1/snapshots")
@scoped(ADMIN)
@blueprint.arguments(PageSchema, location="query")
@blueprint.response(200, SnapshotsSchema)
@blueprint.alt_response(503, "SERVICE_UNAVAILABLE")
def list_snapshots(page: dict[str, Any]) -> Any:
    """Snapshots on disk, newest first, and which of them is published"""
    here = workspace()
    try:
        active = here.reader.published().snapshot
    except StoreUnavailable as trouble:
        if trouble.reason != "no_snapshot":
            raise
        active = None
    found = documents.snapshots(here.folder)[: page["limit"]]
    return answer(
        {"snapshots": [meta | {"active": meta.get("snapshot") == active} for meta in found]}
    )


@blueprint.route("/v1/snapshots/<snapshot_id>/activate", methods=["POST"])
@scoped(ADMIN, store=True)
@blueprint.response(202, JobSchema)
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(503, "SERVICE_UNAVAILABLE")
def activate_snapshot(snapshot_id: str) -> Any:
    """Go back (or forward) to a snapshot that is still on disk

    The worker publishes it beside the active one and then moves the pointer.
    """
    here = workspace()
    if documents.snapshot(here.folder, snapshot_id) is None:
        fail(404, "unknown_snapshot", "There is no snapshot of this id on disk.")
    job = here.jobs.enqueue("activate_snapshot", snapshot_id)
    audit.note("snapshot.activated", "queued", snapshot=snapshot_id, job=job)
    return {"job": job, "state": "queued"}
