"""What the segment routes take in the query and give back."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

STATES = ("queued", "running", "done", "failed", "cancelled")


class MembersArgumentsSchema(ma.Schema):
    format = fields.String(
        load_default="csv",
        validate=validate.OneOf(["csv", "ndjson"]),
        metadata={
            "description": "One line a member: customer_id, rank, probability, arm, reasons, "
            "reason_codes"
        },
    )


class PushArgumentsSchema(ma.Schema):
    connection = fields.String(
        required=True,
        validate=validate.Length(min=1, max=200),
        metadata={"description": "A connection of the workspace's file", "example": "sandbox"},
    )


class SegmentSchema(ma.Schema):
    """A segment job and, once it is done, what came of it."""

    class Meta:
        unknown = ma.INCLUDE

    id = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    progress = fields.Dict(
        allow_none=True, metadata={"description": "step, done, total (null: unknown)"}
    )
    request = fields.Dict(metadata={"description": "As it was asked, with defaults"})
    summary = fields.Dict(
        allow_none=True,
        metadata={
            "description": "Customers, expected responses with their 95 % interval (low, high), "
            "cost, profit, lift; cost_per_send and margin (of one response) that they rest on"
        },
    )
    error = fields.String(allow_none=True, metadata={"description": "Why it failed"})
    cancel_requested = fields.Boolean()
    created_at = fields.String(required=True)
    started_at = fields.String(allow_none=True)
    finished_at = fields.String(allow_none=True)


class SegmentsSchema(ma.Schema):
    segments = fields.List(fields.Nested(SegmentSchema), required=True)


class PushSchema(ma.Schema):
    job = fields.String(required=True)
    state = fields.String(required=True, metadata={"example": "queued"})
    segment = fields.String(required=True)
    connection = fields.String(required=True)


class PreviewSchema(ma.Schema):
    """Size against expected response, cost and profit; ``preview`` is there when state is done."""

    job = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    preview = fields.Dict(
        allow_none=True,
        required=True,
        metadata={
            "description": "curve: [{count, share, expected_responses, low, high, cost, "
            "profit}], …; low and high hold the responses in 95 of 100 cases"
        },
    )
