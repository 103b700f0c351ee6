"""Content for one recipient, asked for by the messaging tool while it sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response

from plugin.auth import CONTENT
from plugin.body import RouteBlueprint
from plugin.content import choice as chooser
from plugin.content.answer import compose
from plugin.content.choice import Choice
from plugin.content.schema import ContentSchema, ForYouArgumentsSchema, RelatedArgumentsSchema
from plugin.guard import scoped, workspace
from plugin.jsonio import answer
from plugin.runtime import Workspace, runtime
from scoring.store.reading import Reading

blueprint = RouteBlueprint(
    "content",
    __name__,
    description="For the messaging tool, at send time. Always 200 for a right key and parameters; "
    "`fallback` and `reason` say when the content is not what was asked for.",
)
Pick = Callable[[Reading, int], Choice]
_EXAMPLE = {
    "ok": True,
    "fallback": False,
    "reason": None,
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
    "landing_url": "https://rightsend.example/l/WyJzaG9wIiwic3ByaW5nIl0.c2lnbmF0dXJl",
}


@blueprint.route("/v1/content/for-you")
@scoped(CONTENT)
@blueprint.arguments(ForYouArgumentsSchema, location="query")
@blueprint.response(200, ContentSchema, example=_EXAMPLE)
def for_you(arguments: dict[str, Any]) -> Response:
    """Recommended for this customer

    An unknown customer gets what is popular (`reason` unknown_customer). What the customer bought
    in the last days is left out.
    """
    here = workspace()
    return _answered(
        here, "for-you", arguments, lambda reading, limit: chooser.for_you(here, reading, limit)
    )


@blueprint.route("/v1/content/related")
@scoped(CONTENT)
@blueprint.arguments(RelatedArgumentsSchema, location="query")
@blueprint.response(200, ContentSchema, example=_EXAMPLE)
def related(arguments: dict[str, Any]) -> Response:
    """Others you may like, beside an item

    An unknown item gives what is popular (`reason` unknown_item).
    """
    here = workspace()
    return _answered(
        here,
        "related",
        arguments,
        lambda reading, limit: chooser.related(here, reading, arguments["item"], limit),
    )


@blueprint.route("/v1/content/bought-together")
@scoped(CONTENT)
@blueprint.arguments(RelatedArgumentsSchema, location="query")
@blueprint.response(200, ContentSchema, example=_EXAMPLE)
def bought_together(arguments: dict[str, Any]) -> Response:
    """Frequently bought together with an item

    An unknown item gives what is popular (`reason` unknown_item).
    """
    here = workspace()
    return _answered(
        here,
        "bought-together",
        arguments,
        lambda reading, limit: chooser.bought_together(here, reading, arguments["item"], limit),
    )


def _answered(here: Workspace, route: str, arguments: dict[str, Any], pick: Pick) -> Response:
    wanted = here.settings.content
    limit = min(arguments.get("limit", wanted.default_limit), wanted.max_limit)
    customer = arguments["customer"] or None
    choice = chooser.choose(
        here, lambda: here.reader.read(customer), lambda reading: pick(reading, limit), limit
    )
    found = runtime()
    if choice.reason:
        found.metrics.fallbacks.labels(route, choice.reason).inc()
    return answer(compose(found, here, choice, route, {**arguments, "limit": limit}))
