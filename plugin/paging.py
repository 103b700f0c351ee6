"""The query of a route that lists."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate


class PageSchema(ma.Schema):
    limit = fields.Integer(
        load_default=50,
        validate=validate.Range(min=1, max=500),
        metadata={"description": "At most this many, newest first"},
    )
