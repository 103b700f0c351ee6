"""Content for one recipient, asked for by the messaging tool while it sends.

Right calls seldom come here: plugin.front answers them without Flask, by the same function. These
views are what the API's description is made of, and what tells a wrong call why it is wrong.
"""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response

from plugin.auth import CONTENT
from plugin.body import RouteBlueprint
from plugin.content import service
from plugin.content.call import Call
from plugin.content.kinds import KINDS, Kind
from plugin.content.money import check_currency
from plugin.errors import CODES, fail
from plugin.guard import scoped, workspace
from plugin.runtime import runtime

blueprint = RouteBlueprint(
    "content",
    __name__,
    description="For the messaging tool, at send time. Always 200 for a right key and parameters; "
    "`fallback` and `reason` say when the content is not what was asked for.",
)
_EXAMPLE = {
    "ok": True,
    "fallback": False,
    "reason": None,
    "send": True,
    "send_reason": None,
    "customer_known": True,
    "snapshot": "20260302T030000Z",
    "decision_id": "5f1d7c6a0f3e4b0f9a4be0b7c4d0a6e2",
    "items": [
        {
            "id": "1082185",
            "name": "Bananas",
            "brand": "National",
            "category": "PRODUCE > TROPICAL FRUIT",
            "price": 0.99,
            "image_url": None,
            "url": "https://shop.example/p/1082185",
            "score": 0.412,
            "reasons": [
                "Bought it on 6 days, last 9 days ago",
                "Due again: usually every 8 days",
            ],
        }
    ],
    "landing_url": "https://rightsend.example/l/AgQAAAwQAGmk",
}


def _route(kind: Kind, method: str, location: str, name: str) -> None:
    def view(arguments: dict[str, Any]) -> Response:
        here = workspace()
        try:
            check_currency(arguments, here.settings.currencies)
        except ma.ValidationError as error:
            fail(422, *CODES[422], details=error.messages_dict)
        call = Call.of(kind, arguments, here.settings.content)
        body = service.respond(runtime(), here, call, arguments["customer"])
        return Response(body, mimetype="application/json")

    view.__name__ = name
    view.__doc__ = kind.description
    described = blueprint.response(200, kind.answer, example=_EXAMPLE)(view)
    parsed = blueprint.arguments(kind.arguments, location=location)(described)
    blueprint.route(f"/v1/content/{kind.name}", methods=[method])(scoped(CONTENT)(parsed))


for _kind in KINDS.values():
    _name = _kind.name.replace("-", "_")
    _route(_kind, "GET", "query", _name)
    _route(_kind, "POST", "json", f"{_name}_by_body")
