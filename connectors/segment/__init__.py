"""Segment (and whoever speaks its protocol): what people do in the shop, by webhook."""

from connectors.segment.connector import open_segment
from connectors.segment.options import SegmentOptions
from connectors.segment.webhook import WEBHOOK
from connectors.tool import Ability, Connector, abilities

CONNECTOR = Connector(
    "Segment",
    SegmentOptions,
    open_segment,
    abilities(Ability.EVENTS_HTTP),
    limits={
        "events over HTTP": "a Webhooks destination with a shared secret: one call a request, or"
        " several as `batch`; each product of an order is an event",
    },
    webhook=WEBHOOK,
)
