"""Options of a Segment connection, as they stand in a workspace's YAML file."""

from __future__ import annotations

from marshmallow import fields, validate

from connectors.options import KEY, SOMETHING, ConnectorOptions
from settings import vocabulary as v


class SegmentOptions(ConnectorOptions):
    """A Webhooks destination of Segment."""

    shared_secret = fields.String(
        validate=KEY,
        metadata={
            "description": "Shared secret of the destination, with which it signs its calls",
            "secret": True,
        },
    )
    item_property = fields.String(
        load_default="product_id",
        validate=SOMETHING,
        metadata={"description": "Property that holds an item's id, such as product_id or sku"},
    )
    custom_events = fields.Dict(
        keys=fields.String(),
        values=fields.String(validate=validate.OneOf(v.EVENT_TYPES)),
        load_default=dict,
        metadata={
            "description": "Name of a track call that is not in Segment's e-commerce spec to the "
            "event type that it is",
            "example": {"Size Chosen": "view"},
        },
    )
