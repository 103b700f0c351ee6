"""What is known about one customer and why it was scored so; and erasing a customer."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields

from plugin import audit
from plugin.auth import ADMIN
from plugin.body import RouteBlueprint
from plugin.content.answer import shown
from plugin.content.answer_schema import ItemSchema
from plugin.content.asked import Asked, Entry
from plugin.content.known import bought
from plugin.errors import fail
from plugin.guard import scoped, workspace
from plugin.ids import MAX_ID_BYTES, require_short
from plugin.jsonio import answer
from plugin.operations import JobSchema
from plugin.runtime import Workspace
from scoring.store.reading import Reading

blueprint = RouteBlueprint(
    "customers", __name__, description="What is known about a customer, and its erasure."
)
_PARAMETERS = [
    {
        "in": "path",
        "name": "customer_id",
        "required": True,
        "description": "External id, percent-encoded, or kind:identifier such as device_id:4f2a",
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_ID_BYTES},
        "example": "customer-17",
    }
]


class NamedScoreSchema(ma.Schema):
    name = fields.String(required=True)
    probability = fields.Float(required=True)


class RecentEventSchema(ma.Schema):
    event_type = fields.String(required=True)
    item_id = fields.String(required=True)
    occurred_at = fields.String(required=True)


class CustomerSchema(ma.Schema):
    """What answers to this customer are made of."""

    customer_id = fields.String(required=True)
    snapshot = fields.String(required=True)
    purchase_probability = fields.Float(
        required=True, allow_none=True, metadata={"description": "Buys anything in the horizon"}
    )
    expected_purchases = fields.Float(required=True, allow_none=True)
    horizon_days = fields.Integer(required=True)
    items = fields.List(fields.Nested(ItemSchema), required=True)
    brands = fields.List(fields.Nested(NamedScoreSchema), required=True)
    categories = fields.List(fields.Nested(NamedScoreSchema), required=True)
    recent_events = fields.List(fields.Nested(RecentEventSchema), required=True)
    left_out = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Item ids that answers leave out: bought, and not due again"},
    )


@blueprint.route(
    "/v1/customers/<anything:customer_id>", strict_slashes=True, parameters=_PARAMETERS
)
@scoped(ADMIN)
@blueprint.response(200, CustomerSchema)
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(422, "UNPROCESSABLE_ENTITY")
@blueprint.alt_response(503, "SERVICE_UNAVAILABLE")
def show_customer(customer_id: str) -> Any:
    """What is known about a customer, and why it was scored so"""
    here = workspace()
    require_short("customer_id", customer_id)
    reading = here.reader.read(customer_id)
    known = reading.customer_known or bool(reading.recent)
    audit.note(
        "customer.shown", "done" if known else "unknown", customer=here.trail.person(customer_id)
    )
    if not known:
        fail(404, "unknown_customer", "Nothing is known about a customer of this id.")
    return answer(_document(here, customer_id, reading))


@blueprint.route(
    "/v1/customers/<anything:customer_id>",
    methods=["DELETE"],
    strict_slashes=True,
    parameters=_PARAMETERS,
)
@scoped(ADMIN, store=True)
@blueprint.response(202, JobSchema)
@blueprint.alt_response(422, "UNPROCESSABLE_ENTITY")
@blueprint.alt_response(503, "SERVICE_UNAVAILABLE")
def erase_customer(customer_id: str) -> Any:
    """Erase a customer everywhere

    At once from the store, so that answers are no longer personal; from everything on disk and in
    the messaging tools by a job. Unknown customers are erased likewise: that tells nobody anything.
    """
    here = workspace()
    require_short("customer_id", customer_id)
    here.erase(customer_id)
    job = here.jobs.enqueue("carry_out_erasure", here.erasures.add(customer_id))
    audit.note("customer.erased", "queued", customer=here.trail.person(customer_id), job=job)
    return answer({"job": job, "state": "queued"}, 202)


def _document(here: Workspace, customer_id: str, reading: Reading) -> dict[str, Any]:
    record, catalogue = reading.record, reading.published.catalogue
    items = [each for each in record.explained() if catalogue.sellable(each[0])] if record else []
    asked = Asked(reading, {}, here.settings, here.now(), len(items))
    return {
        "customer_id": customer_id,
        "snapshot": reading.snapshot,
        "purchase_probability": record.purchase_probability if record else None,
        "expected_purchases": record.expected_purchases if record else None,
        "horizon_days": reading.published.meta["horizon_days"],
        "items": [shown(reading.published, Entry(*each), here.settings.locale) for each in items],
        "brands": _named(reading.brands()),
        "categories": _named(reading.categories()),
        "recent_events": [
            {
                "event_type": event.event_type,
                "item_id": event.item_id,
                "occurred_at": event.occurred_at,
            }
            for event in reading.recent
        ],
        "left_out": sorted(map(catalogue.id, bought(asked))),
    }


def _named(pairs: list[tuple[str, float]]) -> list[dict[str, Any]]:
    return [{"name": name, "probability": probability} for name, probability in pairs]
