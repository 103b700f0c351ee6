"""Devices change hands: sold, lent, signed out of."""

from __future__ import annotations

from flask import Response

from plugin.auth import EVENTS
from plugin.body import RouteBlueprint
from plugin.errors import CODES, fail
from plugin.events.schema import AcceptedSchema, BadEventError, read
from plugin.guard import scoped, workspace
from plugin.ids import MAX_ID_BYTES
from plugin.jsonio import answer
from scoring import columns as c

blueprint = RouteBlueprint("devices", __name__, description="Whose a device is.")
_PARAMETERS = [
    {
        "in": "path",
        "name": "device_id",
        "required": True,
        "description": "As it stands in events, percent-encoded",
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_ID_BYTES},
        "example": "4f2a",
    }
]


@blueprint.route(
    "/v1/devices/<anything:device_id>/unlink",
    methods=["POST"],
    strict_slashes=True,
    parameters=_PARAMETERS,
)
@scoped(EVENTS, store=True)
@blueprint.response(202, AcceptedSchema, example={"accepted": 1, "rejected": []})
@blueprint.alt_response(422, "UNPROCESSABLE_ENTITY")
@blueprint.alt_response(503, "SERVICE_UNAVAILABLE")
def unlink_device(device_id: str) -> Response:
    """Separate a device from its customer

    From now on the device is nobody's, in answers at once and in the nights to come: what it does
    is its own until an event names it together with a customer. What it did before stays where it
    is. The same as an event of type `unlink` that names the device.
    """
    here = workspace()
    document = {c.DEVICE_ID: device_id, c.EVENT_TYPE: c.UNLINK}
    try:
        event = read(document, here.now())
    except BadEventError as error:
        fail(422, *CODES[422], details=error.details)
    here.recent.remember([event])
    return answer({"accepted": 1, "rejected": []}, 202)
