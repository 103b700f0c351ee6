"""Content for one recipient, asked for by the messaging tool while it sends.

Right calls by GET seldom come here: plugin.front answers them without Flask, by the same function.
These views are what the API's description is made of, and what tells a wrong call why it is wrong.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, g, request

from plugin.auth import CONTENT
from plugin.body import RouteBlueprint
from plugin.content import service
from plugin.content.call import Call, unknown_names
from plugin.content.examples import answer
from plugin.content.kinds import KINDS, Kind
from plugin.content.money import require_currency
from plugin.guard import scoped, workspace
from plugin.runtime import runtime

blueprint = RouteBlueprint(
    "content",
    __name__,
    description="For the messaging tool, at send time. Always 200 for a right key and parameters; "
    "`fallback` and `reason` say when the content is not what was asked for.",
)


def _route(kind: Kind, method: str, location: str, name: str) -> None:
    def view(arguments: dict[str, Any]) -> Response:
        here = workspace()
        require_currency(arguments, here.settings.currencies)
        call = Call.of(kind, arguments, here.settings.content)
        call = call._replace(unknown=unknown_names(kind.arguments(), request.args))
        body = service.answered(runtime(), here, call, arguments["customer"], g.key_id)
        return Response(body, mimetype="application/json")

    view.__name__ = name
    view.__doc__ = kind.description
    described: Any = blueprint.response(200, kind.answer, example=answer(kind.name))(view)
    if location == "json":
        for status in (400, 413, 415):
            described = blueprint.alt_response(status, HTTPStatus(status).name)(described)
    parsed = blueprint.arguments(kind.arguments, location=location)(described)
    blueprint.route(f"/v1/content/{kind.name}", methods=[method])(scoped(CONTENT)(parsed))


for _kind in KINDS.values():
    _name = _kind.name.replace("-", "_")
    _route(_kind, "GET", "query", _name)
    _route(_kind, "POST", "json", f"{_name}_by_body")
