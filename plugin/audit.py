"""What the routes write into the audit trail, and reading it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import g
from marshmallow import fields, validate

from plugin.auth import ADMIN
from plugin.body import RouteBlueprint
from plugin.guard import scoped, workspace
from plugin.jsonio import answer
from plugin.logs import log
from plugin.paging import PageSchema
from plugin.trail import ACTS

blueprint = RouteBlueprint("audit", __name__, description="Who did what.")


class AuditArgumentsSchema(PageSchema):
    before = fields.Integer(
        validate=validate.Range(min=1, max=2**53),
        metadata={"description": "Only records before this number: the page after"},
    )


class RecordSchema(ma.Schema):
    """One administrative act."""

    class Meta:
        unknown = ma.INCLUDE

    seq = fields.Integer(required=True, metadata={"description": "Number, 1 is the oldest"})
    at = fields.String(required=True, metadata={"description": "When, ISO 8601, UTC"})
    who = fields.String(
        required=True,
        metadata={"description": "key:ID, user:NAME or job:ID", "example": "key:3f9a1c07"},
    )
    act = fields.String(required=True, metadata={"description": ", ".join(ACTS)})
    outcome = fields.String(
        required=True,
        metadata={"description": "done, queued, unknown, or failed with the kind of failure"},
    )
    about = fields.Dict(
        required=True,
        metadata={"description": "Ids and numbers; a customer as a keyed hash"},
    )
    before = fields.String(
        required=True, metadata={"description": "Hash of the record before this one"}
    )
    hash = fields.String(
        required=True, metadata={"description": "Keyed hash of this record with `before`"}
    )


class AuditSchema(ma.Schema):
    records = fields.List(fields.Nested(RecordSchema), required=True)


def note(act: str, outcome: str = "done", **about: Any) -> None:
    """The key of the current request did this."""
    trail = workspace().trail
    tell(trail.note(f"key:{g.key_id}", act, outcome, {**about, "request": g.request_id}))


def tell(record: Mapping[str, Any]) -> None:
    """Write a record of the trail to the log as well: a copy that its file's owner cannot edit."""
    if "hash" in record:
        log.info("audit", **record)
    else:
        log.error("audit record not written", **record)


@blueprint.route("/v1/audit")
@scoped(ADMIN)
@blueprint.arguments(AuditArgumentsSchema, location="query")
@blueprint.response(200, AuditSchema)
def list_records(page: dict[str, Any]) -> Any:
    """Administrative acts, newest first

    Only ever appended to; `rightsend audit --verify` checks the chain of hashes.
    """
    found = workspace().trail.newest(page["limit"], before=page.get("before"))
    return answer({"records": found})
